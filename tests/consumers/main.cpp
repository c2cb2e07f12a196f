// SPDX-License-Identifier: MIT
// What every consumer runs: defines a function, invokes it, checks the reply.
#include <dormouse/dormouse.hpp>

#include <cstdio>
#include <string>
#include <string_view>

int main() {
  dormouse::runtime runtime;
  auto greet = runtime.define("greet", [](std::string_view who) { return "hello " + std::string(who); });
  auto said = greet("consumer");
  if (!said.has_value() || *said != "hello consumer") return 1;
  std::puts(said->c_str());
  return 0;
}
