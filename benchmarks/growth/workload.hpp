// SPDX-License-Identifier: MIT
#pragma once

// What a call and a post cost with ever more functions, and with ever more instances of one function.

#include "common/measure.hpp"
#include "common/tally.hpp"
#include "common/trials.hpp"

#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

namespace bench {

inline std::string function_name(std::size_t i) { return "function-" + std::to_string(i) + "-of-the-host"; }

// `call(i)` of one function, over and over: what the others cost it.
template <class Call>
void time_calls(const char* metric, double effort, const Call& call) {
  constexpr int turns = 20;
  const std::size_t count = count_of(10'000, effort);
  for (std::size_t i = 0; i < count; ++i) call(i);
  samples rounds(turns);
  for (int turn = 0; turn < turns; ++turn) {
    const auto begun = now_ns();
    for (std::size_t i = 0; i < count; ++i) call(i);
    rounds.add((now_ns() - begun) * 1'000 / static_cast<std::int64_t>(count));
  }
  rounds.report_as(metric, "ns", 1'000);
}

template <class Post>
void time_posts(double effort, const Post& post) {
  const std::size_t count = count_of(50'000, effort);
  tally::reset();
  const auto begun = now_ns();
  for (std::size_t i = 0; i < count; ++i) post(i);
  require(tally::wait_for(count), "events were lost");
  report("post until run", "ns", static_cast<double>(now_ns() - begun) / static_cast<double>(count));
}

// `run(count, effort)` for ever more functions.
template <class Run>
std::vector<trial> by_function_count(const Run& run) {
  return {{"growth", "10 functions", [=](double effort) { run(10, effort); }},
          {"growth", "1,000 functions", [=](double effort) { run(1'000, effort); }},
          {"growth", "100,000 functions", [=](double effort) { run(100'000, effort); }},
          {"growth", "1,000,000 functions", [=](double effort) { run(1'000'000, effort); }, 3}};
}

}  // namespace bench
