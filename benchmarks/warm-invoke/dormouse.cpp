// SPDX-License-Identifier: MIT
// The library: leased instance, deadline, counters and full report.

#include <dormouse/runtime.hpp>

#include "warm-invoke/workload.hpp"

#include <array>
#include <string_view>

namespace {

constexpr std::array<std::string_view, 2> names{"thumbnail", "resize"};

struct functions {
  dormouse::runtime host;
  std::array<dormouse::handle<std::uint64_t(std::uint64_t)>, 2> typed{
      host.define("typed-1", [](std::uint64_t argument) { return bench::handler(argument); }),
      host.define("typed-2", [](std::uint64_t argument) { return bench::handler(argument); })};
  functions() {
    for (const auto name : names) {
      host.define(name, [](const dormouse::event& message) { bench::handler(message.data.size()); });
    }
  }
};

struct contender {
  static functions& all() {
    static functions made;
    return made;
  }
  static std::uint64_t call(int function, std::uint64_t argument) {
    return all().typed[static_cast<std::size_t>(function)](argument).value();
  }
  static std::uint64_t call_by_name(int function, std::uint64_t argument) {
    static thread_local const dormouse::event message{.type = "com.example.photo.added",
                                                      .data = "{\"key\":\"a/b.jpg\"}"};
    const bool ran = all().host.invoke(names[static_cast<std::size_t>(function)], message).has_value();
    return argument + (ran ? 1 : 0);
  }
};

}  // namespace

int main(int argc, char** argv) { return bench::run_trials(argc, argv, bench::warm_trials<contender>()); }
