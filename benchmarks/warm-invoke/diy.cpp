// SPDX-License-Identifier: MIT
// diy.hpp: look up by name, then call.

#include "contenders/diy.hpp"

#include "warm-invoke/workload.hpp"

#include <array>
#include <string>

namespace {

struct message {
  bench::diy_event text;
  std::uint64_t argument = 0;
  mutable std::uint64_t answer = 0;
};

const std::array<std::string, 2> names{"thumbnail", "resize"};

struct functions : bench::diy<message> {
  functions() : bench::diy<message>(0) {
    for (const auto& name : names) {
      define(name, [](const message& each) { each.answer = bench::handler(each.argument); });
    }
  }
};

struct contender {
  static std::uint64_t call_by_name(int function, std::uint64_t argument) {
    static functions all;
    static thread_local message kept{{"", "com.example.photo.added", "{\"key\":\"a/b.jpg\"}"}, 0, 0};
    kept.argument = argument;
    all.invoke(names[static_cast<std::size_t>(function)], kept);
    return kept.answer;
  }
};

}  // namespace

int main(int argc, char** argv) { return bench::run_trials(argc, argv, bench::warm_trials<contender>()); }
