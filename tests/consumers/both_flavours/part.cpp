// SPDX-License-Identifier: MIT
#include <dormouse/dormouse.hpp>

#include <string>
#include <string_view>

// Compiled twice, as left() and as right(), each in its own flavour.
std::string PART(std::string_view who) {
  dormouse::runtime runtime;
  auto greet = runtime.define("greet", [](std::string_view name) { return "hello " + std::string(name); });
  return greet(who).value_or("failed");
}
