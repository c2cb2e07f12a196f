// expect: `make` takes no argument
// SPDX-License-Identifier: MIT
#include <dormouse/runtime.hpp>

void wire(dormouse::runtime& host) {
  host.define("f", dormouse::per_instance([](int n) { return [n] { return n; }; }));
}
