// SPDX-License-Identifier: MIT
// Functions that wait: workers of their own, and compute workers that step away.

#include "support/catch.hpp"
#include "support/threads.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;

namespace {

// Waits as a handler would for a server that takes that long.
void wait_100ms() {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, 100ms, [] { return false; });
}

}  // namespace

TEST_CASE("200 events of a blocking function that waits 100 ms end within a second, and compute goes on beside them",
          "[blocking]") {
  const std::size_t own = support::threads_of_process();
  std::atomic<int> ended{0};
  std::atomic<int> computed{0};
  runtime host({.thread_idle_timeout = 50ms});
  auto wait = host.define("wait",
                          [&] {
                            wait_100ms();
                            ++ended;
                          },
                          {.kind = function_kind::blocking, .idle_timeout = 20ms});
  auto compute = host.define("compute", [&] { ++computed; }, {.idle_timeout = 20ms});
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 200; ++i) REQUIRE(wait.post());
  for (int i = 0; i < 1'000; ++i) REQUIRE(compute.post());
  REQUIRE(eventually(5s, [&] { return computed == 1'000; }));
  CHECK(ended < 200);  // none of them stood in the way
  REQUIRE(eventually(5s, [&] { return ended == 200; }));
  CHECK(std::chrono::steady_clock::now() - begun < 1s);
  CHECK(compute.stats().queued.percentile(0.99) < 20ms);
  REQUIRE(eventually(5s, [&] { return host.stats().threads == 0; }));
  REQUIRE(eventually(5s, [&] { return support::threads_of_process() <= own; }));
}

TEST_CASE("blocking_workers_max bounds the workers of blocking functions", "[blocking]") {
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::atomic<bool> hold{true};
  runtime host({.blocking_workers_max = 3});
  auto wait = host.define("wait",
                          [&] {
                            const int now = ++inside;
                            int seen = most;
                            while (now > seen && !most.compare_exchange_weak(seen, now)) {}
                            while (hold) std::this_thread::yield();
                            --inside;
                          },
                          {.kind = function_kind::blocking, .idle_timeout = 20ms});
  std::vector<pending<void>> all;
  for (int i = 0; i < 10; ++i) all.push_back(std::move(*wait.submit()));
  REQUIRE(eventually(5s, [&] { return inside == 3; }));
  hold = false;
  for (auto& each : all) CHECK(each.get());
  CHECK(most == 3);
}

TEST_CASE("while a compute worker is inside ctx.blocking another takes its place", "[blocking]") {
  std::atomic<int> served{0};
  runtime host({.compute_workers_max = 1, .thread_idle_timeout = 20ms});
  auto quick = host.define("quick", [&] { ++served; }, {.idle_timeout = 20ms});
  auto slow = host.define(
      "slow", [&](context& ctx) { return ctx.blocking([&] { return eventually(5s, [&] { return served >= 100; }); }); },
      {.idle_timeout = 20ms});
  auto waits = slow.submit();
  REQUIRE(waits);
  for (int i = 0; i < 100; ++i) REQUIRE(quick.post());
  CHECK(waits->get().value());
  REQUIRE(eventually(5s, [&] { return host.stats().threads == 0; }));
  CHECK(slow().value());  // on this thread: a plain call
}

TEST_CASE("workers that come back are not more than allowed for longer than a piece", "[blocking]") {
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::atomic<bool> go{false};
  runtime host({.compute_workers_max = 2, .thread_idle_timeout = 20ms});
  auto slow = host.define(
      "slow", [&](context& ctx) { ctx.blocking([&] { return eventually(5s, [&] { return go.load(); }); }); },
      {.idle_timeout = 20ms});
  auto quick = host.define("quick",
                           [&] {
                             const int now = ++inside;
                             int seen = most;
                             while (now > seen && !most.compare_exchange_weak(seen, now)) {}
                             std::this_thread::yield();
                             --inside;
                           },
                           {.idle_timeout = 20ms});
  std::vector<pending<void>> away;
  for (int i = 0; i < 6; ++i) away.push_back(std::move(*slow.submit()));
  REQUIRE(eventually(5s, [&] { return host.stats().threads >= 6; }));
  go = true;
  for (auto& each : away) CHECK(each.get());
  for (int i = 0; i < 3'000; ++i) {
    while (!quick.post()) std::this_thread::yield();
  }
  // Where others want the processors, each yield may take milliseconds.
  REQUIRE(eventually(60s, [&] { return quick.stats().queued_now == 0; }));
  CHECK(most <= 2);
  REQUIRE(eventually(5s, [&] { return host.stats().threads == 0; }));
}

TEST_CASE("workers too many leave in the midst of a stream of events", "[blocking]") {
  std::atomic<int> served{0};
  std::atomic<bool> enough{false};
  runtime host({.compute_workers_max = 1});
  // Some events make way for another worker, and come back to the stream within their quantum. The others take longer
  // than a post, so the queue is never empty.
  auto work = host.define("work", [&](bool away, context& ctx) {
    const auto others = served.load();
    if (away) {
      ctx.blocking([&] {
        for (std::atomic<int> spent{0}; served == others && ++spent < 10'000;) {}
      });
    }
    for (std::atomic<int> spent{0}; ++spent < 1'000;) {}
    ++served;
  });
  std::thread producer([&] {
    for (int i = 0; !enough; ++i) {
      if (!work.post(i < 10'000 && i % 100 == 0)) std::this_thread::yield();
    }
  });
  const bool several = eventually(10s, [&] { return host.stats().threads_started >= 3 && served >= 20'000; });
  const bool one = eventually(10s, [&] { return host.stats().threads == 2; });  // and the timekeeper
  enough = true;
  producer.join();
  CHECK(several);
  CHECK(one);
  CHECK(eventually(10s, [&] { return work.stats().queued_now == 0; }));
}

TEST_CASE("no event is lost while workers step away and back", "[blocking][stress]") {
  std::atomic<std::uint64_t> served{0};
  runtime host({.compute_workers_max = 2, .blocking_workers_max = 3, .thread_idle_timeout = 1ms});
  auto work = host.define("work",
                          [&](int n, context& ctx) {
                            if (n % 3 == 0) ctx.blocking([] { std::this_thread::yield(); });
                            ++served;
                          },
                          {.idle_timeout = 1ms, .queue_depth_max = 1'000});
  constexpr int producers = 3;
  constexpr int each = 10'000;
  std::vector<std::thread> threads;
  for (int p = 0; p < producers; ++p) {
    threads.emplace_back([&] {
      for (int i = 0; i < each; ++i) {
        while (!work.post(i)) std::this_thread::yield();
        if (i % 500 == 0) [[maybe_unused]]
          const bool idle = eventually(5ms, [&] { return host.stats().threads == 0; });
      }
    });
  }
  for (auto& thread : threads) thread.join();
  REQUIRE(eventually(20s, [&] { return served == producers * each; }));
  REQUIRE(eventually(5s, [&] { return host.stats().threads == 0; }));
}
