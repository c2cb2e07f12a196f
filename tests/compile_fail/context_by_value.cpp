// expect: after it, context&
// SPDX-License-Identifier: MIT
#include <dormouse/runtime.hpp>

void wire(dormouse::runtime& host) {
  host.define("f", [](int, dormouse::context) { return 1; });
}
