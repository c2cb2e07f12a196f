// expect: takes no raw pointer
// SPDX-License-Identifier: MIT
#include <dormouse/runtime.hpp>

void wire(dormouse::runtime& host) {
  host.define("f", [](const char* text) { return *text; });
}
