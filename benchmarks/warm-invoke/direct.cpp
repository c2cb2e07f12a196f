// SPDX-License-Identifier: MIT
// The floor: a call through a function pointer; and the same between the two time stamps that a report needs.

#include "warm-invoke/workload.hpp"

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace {

using handler_pointer = std::uint64_t (*)(std::uint64_t);
handler_pointer volatile target = &bench::handler;

struct contender {
  static std::uint64_t call(int, std::uint64_t argument) { return target(argument); }
};

std::uint64_t stamp() {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return static_cast<std::uint64_t>(bench::now_ns());
#endif
}

void stamped(benchmark::State& state) {
  std::uint64_t i = 0;
  for ([[maybe_unused]] auto turn : state) {
    const auto begun = stamp();
    benchmark::DoNotOptimize(target(i++));
    benchmark::DoNotOptimize(stamp() - begun);
  }
}

}  // namespace

int main(int argc, char** argv) {
  auto all = bench::warm_trials<contender>();
  all.push_back({"warm-invoke", "with two stamps, 1 thread",
                 [](double effort) { bench::time_loop("call", &stamped, 1, effort); }});
  return bench::run_trials(argc, argv, all);
}
