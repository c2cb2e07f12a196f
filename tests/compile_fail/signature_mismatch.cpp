// expect: dormouse: [a-z]
// SPDX-License-Identifier: MIT
#include <dormouse/runtime.hpp>

void wire(dormouse::runtime& host) {
  host.define<int(std::string)>("f", [](int value) { return value; });
}
