// SPDX-License-Identifier: MIT
#pragma once

// One event at a time, at regular gaps, from a caller that stays busy: what a post costs it, when the handler begins,
// and what the pool burns meanwhile and after the last event.

#include "common/pool.hpp"
#include "common/tally.hpp"

#include <atomic>
#include <vector>

namespace bench {

class starts {
 public:
  static void prepare(std::size_t count) {
    at_.assign(count, 0);
    seen_ = 0;
  }
  static void run(std::uint64_t argument) noexcept {
    at_[argument] = now_ns();
    seen_.fetch_add(1);
  }
  static bool wait_for(std::size_t count) {
    const auto limit = now_ns() + 30'000'000'000;
    while (seen_ < count && now_ns() < limit) sleep_ns(20'000);
    return seen_ == count;
  }
  static std::int64_t at(std::size_t i) { return at_[i]; }

 private:
  static inline std::vector<std::int64_t> at_;
  static inline std::atomic<std::size_t> seen_{0};
};

template <class Pool>
void sparse(std::int64_t gap_us, double effort) {
  const std::size_t count = count_of(gap_us > 100 ? 300 : 2'000, effort);
  starts::prepare(count);
  Pool pool({.workers = 2, .handler = &starts::run});
  for (std::size_t i = 0; i < count; ++i) pool.post(i);
  after_last_post(pool);
  require(starts::wait_for(count), "events were lost");
  starts::prepare(count);
  const auto overhead = clock_cost();
  samples cost(count);
  samples latency(count);
  std::vector<std::int64_t> posted(count);
  const auto others_cpu = [] { return process_cpu_ns() - thread_cpu_ns(); };
  const auto cpu = others_cpu();
  auto due = now_ns();
  for (std::size_t i = 0; i < count; ++i) {
    due += gap_us * 1'000;
    while (now_ns() < due) {}
    posted[i] = now_ns();
    pool.post(i);
    cost.add(now_ns() - posted[i] - overhead);
  }
  const auto spent = others_cpu() - cpu;
  after_last_post(pool);
  require(starts::wait_for(count), "events were lost");
  const auto cpu_at_end = others_cpu();
  sleep_ns(30'000'000);
  const auto afterwards = others_cpu() - cpu_at_end;
  for (std::size_t i = 0; i < count; ++i) latency.add(starts::at(i) - posted[i]);
  latency.report_as("post to start", "us", 1'000);
  cost.report_as("post", "ns");
  report("CPU of the pool per event", "us", static_cast<double>(spent) / 1'000 / static_cast<double>(count));
  report("CPU after the last event", "us", static_cast<double>(afterwards) / 1'000);
}

}  // namespace bench
