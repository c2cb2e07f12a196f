// SPDX-License-Identifier: MIT
// What can go wrong arrives as a value: the call never ran, or it ran and failed. Nothing a handler throws gets
// further.

#include <dormouse/runtime.hpp>

#include <fmt/format.h>

#include <chrono>
#include <stdexcept>
#include <string_view>

using namespace std::chrono_literals;

int main() {
  dormouse::runtime runtime;

  auto divide = runtime.define("divide", [](int by) -> dormouse::result<int> {
    if (by == 0) return dormouse::failure{.code = dormouse::errc::invalid_argument, .detail = "by zero"};
    if (by < 0) throw std::domain_error("negative");
    return 100 / by;
  });
  runtime.define("patient",
                 [](dormouse::context& ctx) {
                   while (!ctx.stop_requested()) {  // cooperative: a handler looks at its deadline itself
                   }
                 },
                 {.timeout = 5ms});

  int told = 0;
  const auto tell = [&told](std::string_view what, const auto& outcome) {
    if (outcome) return;
    fmt::print("{}: {}\n", what, to_string(outcome.error()));
    ++told;
  };
  tell("returned a failure", divide(0));
  tell("threw", divide(-1));
  tell("wrong data", runtime.invoke("divide", {.type = "demo", .data = "ten"}));
  tell("nobody of that name", runtime.invoke("multiply", {.type = "demo"}));
  tell("too slow", runtime.invoke("patient", {.type = "demo"}));

  fmt::print("and it still divides: {}\n", divide(4).value());
  return told == 5 ? 0 : 1;
}
