// expect: not by non-const reference
// SPDX-License-Identifier: MIT
#include <dormouse/runtime.hpp>

void wire(dormouse::runtime& host) {
  host.define("f", [](int& value) { return value; });
}
