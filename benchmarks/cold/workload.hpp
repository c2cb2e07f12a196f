// SPDX-License-Identifier: MIT
#pragma once

// From absolute zero, no thread but the caller's and 25 ms of quiet, to the handler.

#include "common/pool.hpp"
#include "common/signal.hpp"
#include "common/threads.hpp"

namespace bench {

constexpr std::int64_t idle_gap_ns = 25'000'000;

// Until nobody else lives, and then for the rest of the gap.
inline void rest_at_zero(std::int64_t since) {
  require(wait_alone(5'000'000'000) >= 0, "threads stayed");
  const auto left = since + idle_gap_ns - now_ns();
  if (left > 0) sleep_ns(left);
}

template <class Pool>
void cold(double effort) {
  Pool pool({.workers = 2, .handler = &arrival::tell, .keep_alive = std::chrono::milliseconds{5}});
  const std::size_t count = count_of(20, effort);
  samples latency(count);
  for (std::size_t i = 0; i < count + 1; ++i) {
    arrival::reset();
    rest_at_zero(now_ns());
    const auto begun = now_ns();
    pool.post(i);
    const auto entered = arrival::wait_blocking();
    if (i > 0) latency.add(entered - begun);
  }
  latency.report_as("post to start", "us", 1'000);
}

}  // namespace bench
