// expect: at most one argument and, after it, context&
// SPDX-License-Identifier: MIT
#include <dormouse/runtime.hpp>

void wire(dormouse::runtime& host) {
  host.define("f", [](dormouse::context&, int value) { return value; });
}
