// SPDX-License-Identifier: MIT
#pragma once

// A quiet function beside a loud one: how long its events wait. And microsecond events beside a 10 ms one.

#include "common/measure.hpp"
#include "common/trials.hpp"

#include <atomic>
#include <cstdint>
#include <thread>

namespace bench {

// What the three functions of a contender do.
struct fair_handlers {
  static void loud(std::uint64_t) noexcept { spin_ns(1'000); }
  static void quiet(std::uint64_t begun) noexcept {
    waited = now_ns() - static_cast<std::int64_t>(begun);
    done = true;
  }
  static void slow(std::uint64_t) noexcept {
    slow_runs = true;
    spin_ns(10'000'000);
    slow_runs = false;
  }
  static void spin_ns(std::int64_t length) noexcept {
    const auto end = now_ns() + length;
    while (now_ns() < end) {}
  }
  static inline std::atomic<bool> done{false};
  static inline std::atomic<bool> slow_runs{false};
  static inline std::atomic<std::int64_t> waited{0};
};

// `Contender` has post_loud(i), post_quiet(begun), post_slow() and loud_left().
template <class Contender>
void quiet_events(Contender& pool, std::size_t count) {
  samples waited(count);
  for (std::size_t i = 0; i < count; ++i) {
    sleep_ns(200'000);
    fair_handlers::done = false;
    pool.post_quiet(static_cast<std::uint64_t>(now_ns()));
    const auto limit = now_ns() + 60'000'000'000;
    while (!fair_handlers::done && now_ns() < limit) sleep_ns(20'000);
    require(fair_handlers::done, "an event was lost");
    waited.add(fair_handlers::waited);
  }
  waited.report_as("wait of a quiet event", "us", 1'000);
}

template <class Contender>
void quiet_alone(double effort) {
  Contender pool;
  quiet_events(pool, count_of(300, effort));
}

// A first-in first-out queue makes the quiet one wait for all of them.
template <class Contender>
void quiet_beside_loud(double effort) {
  Contender pool;
  for (std::size_t i = 0; i < 1'000'000; ++i) pool.post_loud(i);
  quiet_events(pool, Contender::fair ? count_of(300, effort) : 1);
  require(!Contender::fair || pool.loud_left() > 0, "the loud function had nothing queued any more");
}

// One worker is inside a 10 ms handler, the other is free.
template <class Contender>
void quick_beside_slow(double effort) {
  Contender pool;
  const std::size_t count = count_of(200, effort);
  samples waited(count);
  while (waited.count() < count) {
    if (!fair_handlers::slow_runs) {
      pool.post_slow();
      while (!fair_handlers::slow_runs) std::this_thread::yield();
    }
    fair_handlers::done = false;
    pool.post_quiet(static_cast<std::uint64_t>(now_ns()));
    while (!fair_handlers::done) sleep_ns(20'000);
    if (fair_handlers::slow_runs) waited.add(fair_handlers::waited);
  }
  waited.report_as("wait of a quick event", "us", 1'000);
}

template <class Contender>
int fairness_main(int argc, char** argv) {
  return run_trials(argc, argv,
                    {{"fairness", "alone", &quiet_alone<Contender>},
                     {"fairness", "beside 1,000,000 queued", &quiet_beside_loud<Contender>},
                     {"fairness", "beside a 10 ms handler", &quick_beside_slow<Contender>}});
}

}  // namespace bench
