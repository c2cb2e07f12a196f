// SPDX-License-Identifier: MIT
#pragma once

// After 10 ms of quiet, from the post to the first instruction of the handler.

#include "common/pool.hpp"
#include "common/signal.hpp"

namespace bench {

template <class Post>
void parked_posts(bool busy, std::size_t count, const Post& post) {
  const auto overhead = clock_cost();
  samples latency(count);
  samples cost(count);
  for (std::size_t i = 0; i < count + 2; ++i) {
    arrival::reset();
    sleep_ns(10'000'000);
    const auto begun = now_ns();
    post(i);
    const auto posted = now_ns();
    const auto entered = busy ? arrival::wait_busy() : arrival::wait_blocking();
    if (i < 2) continue;  // warm
    latency.add(entered - begun);
    cost.add(posted - begun - overhead);
  }
  latency.report_as("post to start", "us", 1'000);
  cost.report_as("post", "us", 1'000);
}

template <class Pool>
void parked(bool busy, double effort) {
  Pool pool({.workers = 2, .handler = &arrival::tell});
  parked_posts(busy, count_of(60, effort), [&](std::uint64_t argument) { pool.post(argument); });
  after_last_post(pool);
}

}  // namespace bench
