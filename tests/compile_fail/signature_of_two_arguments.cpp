// expect: dormouse: [a-z]
// SPDX-License-Identifier: MIT
#include <dormouse/runtime.hpp>

void wire(dormouse::runtime& host) {
  host.define<int(int, int)>("f", [](auto a, auto b) { return a + b; });
}
