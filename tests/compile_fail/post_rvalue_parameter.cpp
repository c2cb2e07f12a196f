// expect: invoke or submit functions that take T&&
// SPDX-License-Identifier: MIT
#include <dormouse/runtime.hpp>

void wire(dormouse::runtime& host) {
  auto f = host.define("f", [](std::string&& text) { return text.size(); });
  (void)f.post(std::string("x"));
}
