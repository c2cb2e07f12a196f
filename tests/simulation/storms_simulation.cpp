// SPDX-License-Identifier: MIT
// What comes in crowds, and clocks that jump: a service that is down for an hour, everybody at once at a cold function.

#include "support/catch.hpp"

#include <dormouse/testing/simulation.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::for_each_seed;
using dormouse::testing::simulation;

#if defined(DORMOUSE_ADDRESS_SANITIZER) || defined(DORMOUSE_THREAD_SANITIZER)
constexpr int storms = 4;  // 5 s each
#else
constexpr int storms = 20;
#endif

TEST_CASE("a storm of retries stays within the budget, and all ends well when the service is back", "[storm]") {
  for_each_seed({.count = storms}, [](std::uint64_t seed) {
    constexpr int events = 1'000;
    bool down = true;
    int succeeded = 0;
    std::map<std::int64_t, int> attempts;  // by the second
    simulation sim(seed);
    const auto begun = sim.time().now();
    auto work = sim.host().define(
        "work",
        [&](int) -> result<void> {
          ++attempts[std::chrono::duration_cast<std::chrono::seconds>(sim.time().now() - begun).count()];
          if (down) return failure{.code = errc::unavailable, .effect = effect_kind::not_applied};
          ++succeeded;
          return {};
        },
        {.retry = {.attempts_max = 100, .delay_first = 1s, .delay_factor = 2, .delay_max = 30s}});
    for (int i = 0; i < events; ++i) {
      if (!work.post(i)) return false;
    }
    sim.advance(1h);
    int retries = -events;
    int most = 0;
    for (const auto& [second, count] : attempts) {
      retries += count;
      if (second > 200) most = std::max(most, count);
    }
    // 10 at first, 10 per 100 first attempts, and one a second.
    CHECK(retries <= 10 + events / 10 + 3'600);
    CHECK(retries >= 3'000);
    CHECK(most <= 5);
    CHECK(sim.host().stats().queued == events);
    down = false;
    CHECK(sim.drain_until_idle(2h));
    return succeeded == events && sim.host().stats().dead_letters == 0;
  });
}

TEST_CASE("everybody at once at a cold function makes no more instances than may be, and all are served", "[storm]") {
  for_each_seed({.count = 100}, [](std::uint64_t seed) {
    int made = 0;
    int served = 0;
    simulation sim(seed);
    struct slow_start {
      slow_start(int& made, simulation& sim) {
        ++made;
        sim.time().advance(500ms);
      }
      void operator()(int& served) { ++served; }
    };
    auto work = sim.host().define<void(int)>(
        "work", per_instance([&] { return [&served, state = slow_start(made, sim)](int) mutable { state(served); }; }),
        {.instances_max = 3});
    for (int i = 0; i < 5'000; ++i) {
      if (!work.post(i)) return false;
    }
    if (!sim.drain_until_idle()) return false;
    return made <= 3 && served == 5'000;
  });
}

TEST_CASE("inits that fail while a herd waits are spaced, and the herd is served when they succeed", "[storm]") {
  for_each_seed({.count = 50}, [](std::uint64_t seed) {
    int tried = 0;
    int served = 0;
    bool broken = true;
    simulation sim(seed);
    auto work = sim.host().define<void(int)>("work", per_instance([&] {
                                               ++tried;
                                               if (broken) throw std::runtime_error("no connection");
                                               return [&served](int) { ++served; };
                                             }),
                                             {.retry = {.attempts_max = 100, .delay_max = 1s}});
    for (int i = 0; i < 500; ++i) {
      if (!work.post(i)) return false;
    }
    sim.advance(10min);
    const int in_ten_minutes = tried;  // 3 at once, then 100 ms doubled up to 30 s
    broken = false;
    if (!sim.drain_until_idle()) return false;
    return in_ten_minutes >= 10 && in_ten_minutes <= 40 && served == 500;
  });
}

TEST_CASE("a calendar that jumps moves no timeout, no retry and no idle time", "[clock]") {
  const auto history = [](std::chrono::nanoseconds jump) {
    std::vector<std::int64_t> starts;
    simulation sim(7);
    auto work = sim.host().define("work",
                                  [&](int) -> result<void> {
                                    starts.push_back(sim.time().now().time_since_epoch().count());
                                    return failure{.code = errc::unavailable, .effect = effect_kind::not_applied};
                                  },
                                  {.idle_timeout = 60s, .retry = {.attempts_max = 4}});
    static_cast<void>(work.post(1));
    sim.advance(500ms);
    sim.time().jump_wall(jump);
    sim.advance(5min);
    starts.push_back(static_cast<std::int64_t>(sim.host().stats().instances));
    starts.push_back(static_cast<std::int64_t>(sim.host().stats().dead_letters));
    return starts;
  };
  const auto usual = history(0s);
  CHECK(usual.size() == 6);
  CHECK(history(1h) == usual);
  CHECK(history(-1h) == usual);
  CHECK(history(24h) == usual);
}
