// SPDX-License-Identifier: MIT
// Handlers on a pool and on a loop of asio.

#include "support/catch.hpp"
#include "support/thread_checks.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/runtime/executor.hpp>
#include <dormouse/testing/eventually.hpp>

#include <asio.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;

TEST_CASE("an asio thread_pool runs every event once", "[executor][asio]") {
  support::thread_checks held;
  constexpr std::size_t each_posts = 10'000;
  std::vector<std::atomic<int>> ran(2 * each_posts);
  asio::thread_pool pool(3);
  runtime host({.executor = executor_from([&](task next) { asio::post(pool, std::move(next)); }, 3)});
  auto work = host.define("work", [&](std::size_t i) { ++ran[i]; }, {.queue_depth_max = 1'000'000});
  std::vector<std::thread> producers;
  for (std::size_t p = 0; p < 2; ++p) {
    producers.emplace_back([&, p] {
      for (std::size_t i = 0; i < each_posts; ++i) {
        held(work.post(p * each_posts + i).has_value());
        if (i % 64 == 0) held(eventually(20s, [&] { return host.stats().queued == 0; }));
      }
    });
  }
  for (auto& each : producers) each.join();
  CHECK(host.close(20s).empty());
  CHECK(std::all_of(ran.begin(), ran.end(), [](const auto& each) { return each == 1; }));
}

TEST_CASE("an io_context runs handlers between its own completions", "[executor][asio]") {
  asio::io_context loop;
  const auto on_loop = executor_from([&](task next) { asio::post(loop, std::move(next)); }, 1);
  runtime host({.executor = on_loop});
  auto guard = asio::make_work_guard(loop);
  int served = 0;  // one thread: no lock, and no atomic
  int seen_by_timer = -1;
  constexpr int events = 5'000;
  auto work = host.define("work", [&] {
    if (++served == events) guard.reset();
  });
  for (int i = 0; i < events; ++i) REQUIRE(work.post());
  asio::post(loop, [&] { seen_by_timer = served; });
  loop.run();
  CHECK(served == events);
  CHECK(seen_by_timer >= 0);
  CHECK(seen_by_timer <= 2 * 32);
}

TEST_CASE("tasks in a stopped asio pool end with it, after their runtime", "[executor][asio]") {
  auto pool = std::make_unique<asio::thread_pool>(1);
  std::atomic<int> served{0};
  {
    runtime host({.executor = executor_from([&](task next) { asio::post(*pool, std::move(next)); }, 1)});
    auto work = host.define("work", [&] { ++served; });
    pool->stop();
    pool->join();
    for (int i = 0; i < 100; ++i) REQUIRE(work.post());
    CHECK(host.close(0s).size() == 100);
  }
  pool.reset();  // destroys what it never ran
  CHECK(served == 0);
}
