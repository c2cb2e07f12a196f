// SPDX-License-Identifier: MIT
// A function, called three ways: by its type, by its name, and on a worker.

#include <dormouse/runtime.hpp>

#include <fmt/format.h>

#include <string>
#include <string_view>

int main() {
  dormouse::runtime runtime;  // starts no thread

  auto greet = runtime.define("greet", [](std::string_view who) { return fmt::format("hello {}", who); });

  // By type: on this thread, nothing is encoded. A result says what went wrong, if anything did.
  const dormouse::result<std::string> typed = greet("ann");
  if (!typed) return 1;
  fmt::print("{}\n", *typed);

  // By name, with an event, as bytes: what triggers and other programs do.
  const auto named = runtime.invoke("greet", {.type = "demo", .data = "bob"});
  if (!named) return 1;
  fmt::print("{}\n", named->text());

  // On a worker, which is started for it and leaves when there is nothing more to do.
  auto later = greet.submit("eve");
  if (!later) return 1;
  fmt::print("{}\n", later->get().value());

  return typed->size() == 9 ? 0 : 1;
}
