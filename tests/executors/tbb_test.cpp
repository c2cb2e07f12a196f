// SPDX-License-Identifier: MIT
// Handlers in an arena of oneTBB, which may run a task inside a handler that waits for its own parallel work.

#include "support/catch.hpp"
#include "support/thread_checks.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/runtime/executor.hpp>
#include <dormouse/testing/eventually.hpp>

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_reduce.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;

TEST_CASE("a task_arena runs every event once", "[executor][tbb]") {
  support::thread_checks held;
  constexpr std::size_t each_posts = 10'000;
  std::vector<std::atomic<int>> ran(2 * each_posts);
  tbb::task_arena arena(3, 0);
  runtime host({.executor = executor_from([&](task next) { arena.enqueue(std::move(next)); }, 3)});
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

TEST_CASE("a handler may use the arena it runs in, and stays the outermost call", "[executor][tbb]") {
  tbb::task_arena arena(3, 0);
  runtime host({.executor = executor_from([&](task next) { arena.enqueue(std::move(next)); }, 3)});
  std::atomic<int> right{0};
  auto sum = host.define("sum",
                         [&](int last, context& ctx) {
                           const auto range = tbb::blocked_range<int>(1, last + 1, 16);
                           const int total = tbb::parallel_reduce(
                               range, 0,
                               [](const auto& part, int so_far) {
                                 for (int i = part.begin(); i != part.end(); ++i) so_far += i;
                                 return so_far;
                               },
                               std::plus<>{});
                           if (total == last * (last + 1) / 2 && ctx.depth() == 1) ++right;
                         },
                         {.queue_depth_max = 100'000});
  for (int i = 1; i <= 2'000; ++i) REQUIRE(sum.post(i));
  CHECK(host.close(20s).empty());
  CHECK(right == 2'000);
}
