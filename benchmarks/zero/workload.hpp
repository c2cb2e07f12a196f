// SPDX-License-Identifier: MIT
#pragma once

// 20 ms of keep-alive are asked for: when is the last thread gone, and what happens while nothing happens?

#include "common/pool.hpp"
#include "common/tally.hpp"
#include "common/threads.hpp"

namespace bench {

template <class Pool>
void zero(double effort) {
  Pool pool({.workers = 2, .handler = &tally::run, .keep_alive = std::chrono::milliseconds{20}});
  const std::size_t count = count_of(1'000, effort);
  tally::reset();
  for (std::size_t i = 0; i < count; ++i) pool.post(i);
  after_last_post(pool);
  require(tally::wait_for(count), "events were lost");
  const auto gone = Pool::ends_threads ? wait_alone(2'000'000'000) : -1;
  if (gone >= 0) {
    report("threads gone after", "ms", static_cast<double>(gone) / 1e6);
  } else {
    report("threads that stay", "threads", static_cast<double>(thread_count() - 1));
  }
  const auto before = wakeups_of_others();
  const auto cpu = process_cpu_ns() - thread_cpu_ns();
  sleep_ns(500'000'000);
  report("wakeups", "per second", static_cast<double>(wakeups_of_others() - before) * 2);
  report("CPU while idle", "us per second", static_cast<double>(process_cpu_ns() - thread_cpu_ns() - cpu) / 500);
}

}  // namespace bench
