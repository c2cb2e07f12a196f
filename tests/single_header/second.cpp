// SPDX-License-Identifier: MIT
#include "dormouse.hpp"

#include <string>
#include <string_view>

std::string second(dormouse::runtime& runtime) {
  auto greet = runtime.define("greet", [](std::string_view who) { return "hello " + std::string(who); });
  return greet("consumer").value_or("failed");
}
