// SPDX-License-Identifier: MIT
#pragma once

// A warm call of a small function that answers: one or two threads, the same function or one each, by a typed handle or
// by name with an event.

#include "common/google.hpp"
#include "common/trials.hpp"

#include <cstdint>
#include <vector>

namespace bench {

// What is called: not inlined, so that every contender calls something.
[[gnu::noinline]] inline std::uint64_t handler(std::uint64_t argument) noexcept {
  benchmark::DoNotOptimize(argument);
  return argument + 1;
}

// `Contender` has `static std::uint64_t call(int function, std::uint64_t argument)`, or call_by_name(), or both: they
// return one more than the argument.
template <class Contender, bool ByName, bool SameFunction>
void warm_loop(benchmark::State& state) {
  const int function = SameFunction ? 0 : state.thread_index();
  std::uint64_t sum = 0;
  std::uint64_t i = 0;
  for ([[maybe_unused]] auto turn : state) {
    if constexpr (ByName) {
      sum += Contender::call_by_name(function, i++);
    } else {
      sum += Contender::call(function, i++);
    }
  }
  if (sum != i * (i + 1) / 2) state.SkipWithError("a call answered wrongly");
}

template <class Contender, bool ByName>
void add_warm_trials(std::vector<trial>& all, const char* one, const char* same, const char* different) {
  all.push_back(
      {"warm-invoke", one, [](double effort) { time_loop("call", &warm_loop<Contender, ByName, true>, 1, effort); }});
  all.push_back(
      {"warm-invoke", same, [](double effort) { time_loop("call", &warm_loop<Contender, ByName, true>, 2, effort); }});
  all.push_back({"warm-invoke", different,
                 [](double effort) { time_loop("call", &warm_loop<Contender, ByName, false>, 2, effort); }});
}

template <class Contender>
std::vector<trial> warm_trials() {
  std::vector<trial> all;
  if constexpr (requires { Contender::call(0, 0); }) {
    add_warm_trials<Contender, false>(all, "typed, 1 thread", "typed, 2 threads, 1 function",
                                      "typed, 2 threads, 2 functions");
  }
  if constexpr (requires { Contender::call_by_name(0, 0); }) {
    add_warm_trials<Contender, true>(all, "by name, 1 thread", "by name, 2 threads, 1 function",
                                     "by name, 2 threads, 2 functions");
  }
  return all;
}

}  // namespace bench
