// SPDX-License-Identifier: MIT
// The zero edge under load: workers and instances that come and go between events. No event lost, none twice, no stall.
// Built twice: with the Linux variant of parking and with the portable one.
// DORMOUSE_STRESS_CROSSINGS (environment) sets the number of crossings; a run that crosses none fails.

#include "support/catch.hpp"

#include <dormouse/detail/platform/parking.hpp>
#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;

namespace {

std::size_t crossings_wanted() {
  if (const char* given = std::getenv("DORMOUSE_STRESS_CROSSINGS")) return std::stoul(given);
#if defined(DORMOUSE_ADDRESS_SANITIZER) || defined(DORMOUSE_THREAD_SANITIZER)
  return 10'000;  // each is ten times as slow here
#else
  return 100'000;
#endif
}

// Busy for about so long: a gap that keeps its thread awake, as a sleep would not.
void spin_for(std::chrono::nanoseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {}
}

struct outcome {
  std::size_t posted = 0;
  std::size_t lost = 0;
  std::size_t twice = 0;
  std::size_t stalled = 0;
};

// One producer: posts an event, waits until it has run, leaves a gap around the idle timeout, and so on. Every event
// thus meets workers and instances on their way to zero, or gone.
outcome produce(handle<void(std::size_t)> work, std::vector<std::atomic<int>>& ran, std::size_t first,
                std::size_t count, std::chrono::microseconds idle, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<long> around(0, 2 * idle.count() + 20);
  outcome result;
  for (std::size_t i = first; i < first + count; ++i) {
    while (!work.post(i)) std::this_thread::yield();
    ++result.posted;
    if (!testing::eventually(10s, [&] { return ran[i] != 0; })) {
      ++result.stalled;
      return result;
    }
    spin_for(std::chrono::microseconds(around(random)));
  }
  return result;
}

struct round_sums {
  std::size_t crossings = 0;  // workers started: each found the pool below its number, with workers_max 1 at zero
  std::size_t cold = 0;
  std::size_t faults = 0;  // events lost, run twice, or stalled
};

// One runtime, four producers, a few thousand events; then down to zero.
round_sums cross(std::chrono::microseconds idle, std::size_t workers, unsigned seed) {
  constexpr std::size_t producers = 4;
  constexpr std::size_t each_posts = 500;
  std::vector<std::atomic<int>> ran(producers * each_posts);
  round_sums sums;
  {
    runtime host({.compute_workers_max = workers, .thread_idle_timeout = idle});
    auto work = host.define("work", [&ran, uses = 0](std::size_t i) mutable { ran[i] += 1 + (uses++ * 0); },
                            {.idle_timeout = idle});
    std::vector<outcome> outcomes(producers);
    std::vector<std::thread> threads;
    for (std::size_t p = 0; p < producers; ++p) {
      threads.emplace_back([&, p] {
        outcomes[p] = produce(work, ran, p * each_posts, each_posts, idle, seed + static_cast<unsigned>(p));
      });
    }
    for (auto& each : threads) each.join();
    for (const auto& each : outcomes) sums.faults += each.stalled;
    const bool at_zero =
        testing::eventually(10s, [&] { return host.stats().threads == 0 && host.stats().instances == 0; });
    sums.faults += at_zero && host.stats().queued == 0 ? 0 : 1;
    sums.cold = work.stats().cold_starts;
    sums.crossings = host.stats().threads_started;
  }
  for (const auto& each : ran) sums.faults += each == 1 ? 0 : 1;
  return sums;
}

}  // namespace

TEST_CASE("no event is lost, doubled or stalled at the zero edge", "[stress][zero]") {
  const std::size_t wanted = crossings_wanted();
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  struct plan {
    std::chrono::microseconds idle;
    std::size_t percent;
  };
  round_sums all;
  unsigned round = 0;
  for (const plan each : {plan{0us, 40}, plan{20us, 30}, plan{100us, 20}, plan{500us, 8}, plan{2'000us, 2}}) {
    round_sums part;
    while (part.crossings < wanted * each.percent / 100) {
      const auto now = cross(each.idle, round % 2 == 0 ? 1 : 4, seed + 10 * round);
      ++round;
      REQUIRE(now.faults == 0);
      REQUIRE(now.crossings > 0);
      part.crossings += now.crossings;
      part.cold += now.cold;
    }
    CHECK(part.cold > 0);
    all.crossings += part.crossings;
    all.cold += part.cold;
  }
  CHECK(all.crossings >= wanted);
  const bool asymmetric = detail::best_parking_protocol() == detail::parking_protocol::asymmetric;
  WARN((asymmetric ? "asymmetric" : "symmetric") << " parking: " << all.crossings << " workers and " << all.cold
                                                 << " instances started at the zero edge: lost 0, twice 0, stalled 0");
}
