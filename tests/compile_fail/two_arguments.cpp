// expect: at most one argument
// SPDX-License-Identifier: MIT
#include <dormouse/runtime.hpp>

void wire(dormouse::runtime& host) {
  host.define("f", [](int a, int b) { return a + b; });
}
