// expect: say which call is meant
// SPDX-License-Identifier: MIT
#include <dormouse/runtime.hpp>

void wire(dormouse::runtime& host) {
  host.define("f", [](auto value) { return value; });
}
