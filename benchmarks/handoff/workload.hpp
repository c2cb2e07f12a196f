// SPDX-License-Identifier: MIT
#pragma once

// Request and response, one at a time: the caller waits until a worker has run it.

#include "common/pool.hpp"
#include "common/tally.hpp"

namespace bench {

template <class Call>
void hand_off(std::size_t count, const Call& call) {
  for (std::size_t i = 0; i < count / 10 + 1; ++i) call(i);
  tally::reset();
  samples times(count);
  const auto cpu = process_cpu_ns();
  for (std::size_t i = 0; i < count; ++i) {
    const auto begun = now_ns();
    call(i);
    times.add(now_ns() - begun);
  }
  const auto spent = process_cpu_ns() - cpu;
  tally::require_exactly(count, count * (count - 1) / 2);
  times.report_as("round trip", "ns");
  report("CPU per request", "ns", static_cast<double>(spent) / static_cast<double>(count));
}

template <class Pool>
void handoff(double effort) {
  Pool pool({.workers = 2, .handler = &tally::run});
  hand_off(count_of(10'000, effort), [&](std::uint64_t argument) { pool.call(argument); });
}

}  // namespace bench
