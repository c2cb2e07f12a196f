// expect: returns a value
// SPDX-License-Identifier: MIT
#include <dormouse/runtime.hpp>

void wire(dormouse::runtime& host) {
  host.define("f", [](const std::string& text) -> const std::string& { return text; });
}
