// expect: must be callable when const
// SPDX-License-Identifier: MIT
#include <dormouse/runtime.hpp>

void wire(dormouse::runtime& host) {
  host.define("f", dormouse::per_instance([n = 0]() mutable { return [m = ++n] { return m; }; }));
}
