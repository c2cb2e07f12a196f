// SPDX-License-Identifier: MIT
// post and submit: acceptance, bounds, order, outcomes; workers that come and go.

#include "support/catch.hpp"
#include "support/thread_checks.hpp"
#include "support/threads.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>
#include <dormouse/testing/manual_clock.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;

namespace {
// Holds handlers until it is opened; opens by itself when a test ends early.
class latch {
 public:
  ~latch() { open(); }
  void open() { open_ = true; }
  void wait() const {
    while (!open_) std::this_thread::yield();
  }

 private:
  std::atomic<bool> open_{false};
};
}  // namespace

TEST_CASE("an idle runtime releases every thread and instance, then serves the next event", "[executor][zero]") {
  const std::size_t own = support::threads_of_process();
  runtime host({.thread_idle_timeout = 20ms});
  std::atomic<int> served{0};
  auto work =
      host.define("work", [&served, state = 0]() mutable { served += 1 + (state++ * 0); }, {.idle_timeout = 20ms});
  for (int round = 1; round <= 3; ++round) {
    REQUIRE(work.post());
    REQUIRE(eventually(5s, [&] { return served == round; }));
    REQUIRE(eventually(5s, [&] { return host.stats().threads == 0 && host.stats().instances == 0; }));
    REQUIRE(eventually(5s, [&] { return support::threads_of_process() <= own; }));
  }
  CHECK(work.stats().cold_starts == 3);
}

TEST_CASE("submit gives the reply, by handle and by name", "[executor]") {
  runtime host;
  auto twice = host.define("twice", [](int n) { return 2 * n; });
  auto later = twice.submit(21);
  REQUIRE(later);
  CHECK(*later->get() == 42);
  auto named = host.submit("twice", {.type = "t", .data = "4"});
  REQUIRE(named);
  CHECK(named->get()->text() == "8");
}

TEST_CASE("a view argument of a posted event is kept as its owner", "[executor]") {
  runtime host;
  auto size = host.define("size", [](std::string_view text) { return text.size(); });
  std::optional<pending<std::size_t>> later;
  {
    std::string temporary(1'000, 'x');
    auto got = size.submit(temporary);
    REQUIRE(got);
    later.emplace(std::move(*got));
    temporary.assign(1'000, '\0');
  }
  CHECK(*later->get() == 1'000);
}

TEST_CASE("a full queue refuses, naming its limit, and loses nothing it has accepted", "[executor][bounds]") {
  latch gate;
  std::atomic<int> served{0};
  runtime host({.compute_workers_max = 1});
  auto work = host.define("work",
                          [&](const std::string&) {
                            gate.wait();
                            ++served;
                          },
                          {.instances_max = 1, .queue_depth_max = 10, .queue_bytes_max = 1'000});
  SECTION("by number: running events count, too") {
    for (int i = 0; i < 10; ++i) REQUIRE(work.post("x"));
    const auto refused = work.post("x");
    REQUIRE(!refused);
    CHECK(refused.error().code == errc::throttled);
    CHECK(refused.error().reason == failure_reason::queue_depth);
    CHECK(refused.error().effect == effect_kind::not_applied);
    CHECK(work.stats().queued_now == 10);
    gate.open();
    REQUIRE(eventually(5s, [&] { return served == 10; }));
  }
  SECTION("by bytes") {
    REQUIRE(work.post(std::string(600, 'x')));
    const auto refused = work.post(std::string(600, 'x'));
    REQUIRE(!refused);
    CHECK(refused.error().reason == failure_reason::queue_bytes);
    REQUIRE(work.post(std::string(400, 'x')));
    gate.open();
    REQUIRE(eventually(5s, [&] { return served == 2; }));
  }
  REQUIRE(eventually(5s, [&] { return work.stats().queued_now == 0; }));
  REQUIRE(work.post("again"));
  CHECK(host.close(10s).empty());
}

TEST_CASE("events posted by one thread to a function of one instance start in posting order", "[executor][order]") {
  runtime host({.compute_workers_max = 4});
  std::vector<int> order;  // one instance at a time: no lock needed, and ThreadSanitizer agrees
  std::atomic<int> served{0};
  auto append = host.define("append",
                            [&](int n) {
                              order.push_back(n);
                              ++served;
                            },
                            {.instances_max = 1, .queue_depth_max = 100'000});
  constexpr int count = 20'000;
  for (int i = 0; i < count; ++i) REQUIRE(append.post(i));
  REQUIRE(eventually(20s, [&] { return served == count; }));
  REQUIRE(order.size() == count);
  CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("a function with many events does not keep out one with few", "[executor][fairness]") {
  latch gate;
  std::atomic<int> greedy_done{0};
  runtime host({.compute_workers_max = 1});
  auto greedy = host.define("greedy",
                            [&] {
                              gate.wait();
                              ++greedy_done;
                            },
                            {.queue_depth_max = 100'000});
  std::atomic<int> ahead{-1};
  auto modest = host.define("modest", [&] { ahead = greedy_done.load(); });
  for (int i = 0; i < 10'000; ++i) REQUIRE(greedy.post());
  REQUIRE(modest.post());
  gate.open();
  REQUIRE(eventually(20s, [&] { return ahead >= 0; }));
  CHECK(ahead <= 3 * 32);  // a few quanta, not ten thousand events
  REQUIRE(eventually(20s, [&] { return greedy_done == 10'000; }));
}

TEST_CASE("get() inside a handler runs what no worker has started", "[executor]") {
  runtime host({.compute_workers_max = 1});
  auto inner = host.define("inner", [](int n) { return n + 1; });
  auto outer = host.define("outer", [&](int n) -> result<int> {
    auto later = inner.submit(n);  // the only worker is this one
    if (!later) return later.error();
    return later->get();
  });
  auto later = outer.submit(1);
  REQUIRE(later);
  REQUIRE(*later->get() == 2);
}

TEST_CASE("a posted event carries its lineage, and a chain of posts ends at depth_max", "[executor][lineage]") {
  runtime host({.depth_max = 6});
  std::atomic<int> runs{0};
  std::atomic<bool> refused{false};
  std::mutex mutex;
  std::string longest;
  host.define("again", [&](context& ctx) {
    ++runs;
    {
      const std::lock_guard lock(mutex);
      longest = ctx.lineage();
    }
    const auto posted = ctx.post("again", {.type = "t"});
    if (!posted && posted.error().code == errc::recursion_limit) refused = true;
  });
  REQUIRE(host.post("again", {.type = "t"}));
  REQUIRE(eventually(5s, [&] { return refused.load(); }));
  CHECK(runs == 6);
  const std::lock_guard lock(mutex);
  CHECK(longest == "again > again > again > again > again > again");
}

TEST_CASE("a failing event is reported and the next one runs", "[executor]") {
  std::atomic<int> failed{0};
  std::atomic<int> succeeded{0};
  runtime host({.observer = [&](const invocation_report& what) { ++(what.outcome ? failed : succeeded); }});
  auto odd = host.define("odd", [](int n) {
    if (n % 2 != 0) throw n;
  });
  for (int i = 0; i < 100; ++i) REQUIRE(odd.post(i));
  REQUIRE(eventually(5s, [&] { return failed + succeeded == 100; }));
  CHECK(failed == 50);
  CHECK(odd.stats().function_failures == 50);
  CHECK(odd.stats().invocations == 100);
}

TEST_CASE("every() posts once a period, and not for periods that passed unseen", "[timer]") {
  testing::manual_clock time;
  runtime host({.time = &time});
  std::atomic<int> ticks{0};
  auto tick = host.define("tick", [&](const event& what) {
    if (what.type == "dormouse.timer") ++ticks;
  });
  const auto bound = host.attach(every(1s), tick);
  REQUIRE(bound);
  time.advance(999ms);
  CHECK(host.stats().queued == 0);
  time.advance(1ms);
  REQUIRE(eventually(5s, [&] { return ticks == 1; }));
  time.advance(1s);
  REQUIRE(eventually(5s, [&] { return ticks == 2; }));
  time.advance(10s);  // ten periods at once: one event
  REQUIRE(eventually(5s, [&] { return ticks == 3; }));
  time.advance(1s);
  REQUIRE(eventually(5s, [&] { return ticks == 4; }));
  REQUIRE(host.detach(*bound));
  CHECK_FALSE(host.detach(*bound));
  // Whoever is about to sleep reads the clock late, so it moves on until all have left.
  REQUIRE(eventually(5s, [&] { return time.advance(1s), host.stats().threads == 0; }));
  CHECK(ticks == 4);
}

TEST_CASE("while a timer is armed there is one sleeping thread, and none of its own under run()", "[timer][zero]") {
  support::thread_checks held;
  runtime host({.thread_idle_timeout = 1ms});
  auto tick = host.define("tick", [] {});
  REQUIRE(host.attach(every(1h), tick));
  REQUIRE(eventually(5s, [&] { return host.stats().threads == 1; }));
  std::thread lender([&] { held(host.run({.drain_for = 1s}).has_value()); });
  REQUIRE(eventually(5s, [&] { return host.stats().threads == 0; }));
  host.stop();
  lender.join();
}

TEST_CASE("a stop token stops at the deadline", "[context]") {
  testing::manual_clock time;
  runtime host({.time = &time});
  std::atomic<bool> waiting{false};
  auto wait = host.define("wait",
                          [&](context& ctx) {
                            const auto token = ctx.stop_token();
                            waiting = true;
                            return eventually(10s, [&] { return token.stop_requested(); });
                          },
                          {.timeout = 5s});
  auto later = wait.submit();
  REQUIRE(later);
  REQUIRE(eventually(5s, [&] { return waiting.load(); }));
  time.advance(4s);
  CHECK_FALSE(later->ready());
  time.advance(2s);
  const auto got = later->get();
  REQUIRE(!got);  // it noticed, but too late for its value to count
  CHECK(got.error().code == errc::deadline_exceeded);
}

TEST_CASE("pending::wait_until follows the runtime's clock", "[executor]") {
  testing::manual_clock time;
  runtime host({.time = &time});
  latch gate;
  auto hold = host.define("hold", [&] { gate.wait(); });
  auto later = hold.submit();
  REQUIRE(later);
  CHECK_FALSE(later->wait_until(time.now()));
  const auto limit = time.now() + 5s;
  std::thread mover([&] { time.advance(10s); });
  CHECK_FALSE(later->wait_until(limit));
  mover.join();
  gate.open();
  CHECK(later->get());
}

TEST_CASE("two runtimes in one process share nothing", "[runtime]") {
  runtime first;
  runtime second;
  auto one = first.define("same", [] { return 1; });
  auto two = second.define("same", [] { return 2; });
  CHECK(*one() == 1);
  CHECK(*two() == 2);
  first.close(1s);
  CHECK(one().error().code == errc::shutting_down);
  CHECK(*two() == 2);
}
