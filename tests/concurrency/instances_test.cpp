// SPDX-License-Identifier: MIT
// Instances between threads: reuse, take-over, limits, sharing, the end of idle ones.

#include "support/catch.hpp"
#include "support/thread_checks.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>
#include <dormouse/testing/manual_clock.hpp>

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;

namespace {
// Notes when two threads are in it at once, and counts constructions and destructions.
struct lonely {
  struct counts {
    std::atomic<int> made{0};
    std::atomic<int> gone{0};
    std::atomic<int> collisions{0};
  };
  explicit lonely(counts& all) : all_(all) { ++all_.made; }
  lonely(const lonely&) = delete;
  lonely& operator=(const lonely&) = delete;
  ~lonely() { ++all_.gone; }
  int operator()(int spin) {
    if (inside_.exchange(true)) ++all_.collisions;
    volatile int& turns = turns_;  // so that the loop takes its time
    for (int i = 0; i < spin; ++i) turns = turns + 1;
    inside_ = false;
    return turns_;
  }
  counts& all_;
  std::atomic<bool> inside_{false};
  int turns_ = 0;  // not atomic: ThreadSanitizer sees whether leases hand it over properly
};
}  // namespace

TEST_CASE("an instance is never entered twice at once", "[instances]") {
  lonely::counts counts;
  runtime host;
  const std::size_t limit = GENERATE(1U, 2U, 4U);
  const int events = GENERATE(0, 500);  // without them a lease stays with its thread, with them it goes round
  {
    auto work = host.define("work", per_instance([&] { return lonely(counts); }),
                            {.instances_max = limit, .queue_depth_max = 1'000'000});
    std::vector<std::thread> callers;
    std::atomic<int> failures{0};
    for (int t = 0; t < 4; ++t) {
      callers.emplace_back([&] {
        for (int i = 0; i < 2'000; ++i) {
          if (!work(3'000)) ++failures;  // long enough inside for another thread to come
          if (i < events && !work.post(10)) ++failures;
        }
      });
    }
    for (auto& each : callers) each.join();
    CHECK(failures == 0);
    REQUIRE(eventually(20s, [&] { return work.stats().queued_now == 0; }));
    CHECK(work.stats().invocations == 4U * (2'000U + static_cast<unsigned>(events)));
    CHECK(static_cast<std::size_t>(counts.made) <= limit);
  }
  host.close(5s);
  CHECK(counts.collisions == 0);
  CHECK(counts.made == counts.gone);
}

TEST_CASE("an idle instance of another thread is taken over before a second one is made", "[instances]") {
  support::thread_checks held;
  lonely::counts counts;
  runtime host;
  auto work = host.define("work", per_instance([&] { return lonely(counts); }));
  REQUIRE(work(1));
  std::thread other([&] { held(work(1).has_value()); });
  other.join();
  REQUIRE(work(1));
  CHECK(counts.made == 1);
}

TEST_CASE("the most recently used idle instance is taken first", "[instances]") {
  testing::manual_clock time;
  runtime host({.time = &time});
  std::atomic<int> ids{0};
  handle<int(int)>* self = nullptr;
  auto work = host.define<int(int)>("work", per_instance([&ids, &self] {
                                      return [id = ++ids, &self](int nested) -> int {
                                        if (nested > 0) [[maybe_unused]]
                                          const auto below = (*self)(nested - 1);
                                        return id;
                                      };
                                    }));
  self = &work;
  REQUIRE(*work(2) == 1);  // three instances; the innermost was given back first, the outermost last
  CHECK(ids == 3);
  time.advance(1s);
  CHECK(*work(0) == 1);
}

TEST_CASE("beyond instances_max a caller waits, is throttled, or gives up at its deadline", "[instances][bounds]") {
  support::thread_checks held;
  std::atomic<bool> entered{false};
  std::atomic<bool> release{false};
  runtime host;
  const auto hold = [&] {
    entered = true;
    while (!release) std::this_thread::yield();
    return 1;
  };
  SECTION("waits for the instance that comes free") {
    auto work = host.define("work", hold, {.instances_max = 1});
    std::thread first([&] { held(work().has_value()); });
    REQUIRE(eventually(5s, [&] { return entered.load(); }));
    std::thread second([&] { held(work().has_value()); });
    REQUIRE(eventually(5s, [&] { return work.stats().waiting_now == 1; }));
    release = true;
    first.join();
    second.join();
    CHECK(work.stats().invocations == 2);
  }
  SECTION("is throttled at once when the option says so") {
    auto work = host.define("work", hold, {.instances_max = 1, .busy = when_busy::throttle});
    std::thread first([&] { held(work().has_value()); });
    REQUIRE(eventually(5s, [&] { return entered.load(); }));
    const auto refused = work();
    REQUIRE(!refused);
    CHECK(refused.error().code == errc::throttled);
    CHECK(refused.error().reason == failure_reason::instances);
    release = true;
    first.join();
    CHECK(work());  // an idle instance never causes a throttle
  }
  SECTION("gives up at its deadline, not applied") {
    host.define("work", hold, {.instances_max = 1});
    std::thread first([&] { held(host.invoke("work", {.type = "t"}).has_value()); });
    REQUIRE(eventually(5s, [&] { return entered.load(); }));
    const auto late = host.invoke("work", {.type = "t"}, {.deadline = host.time().now() + 5ms});
    REQUIRE(!late);
    CHECK(late.error().code == errc::deadline_exceeded);
    CHECK(late.error().effect == effect_kind::not_applied);
    CHECK(late.error().reason == failure_reason::instances);
    release = true;
    first.join();
  }
}

TEST_CASE("a warm caller that gives its instance back hands it to one that waits", "[instances]") {
  support::thread_checks held;
  runtime host;
  std::atomic<bool> entered{false};
  std::atomic<bool> release{true};
  std::atomic<bool> served{false};
  auto work = host.define("work",
                          [&, uses = 0]() mutable {
                            entered = true;
                            while (!release) std::this_thread::yield();
                            return ++uses;
                          },
                          {.instances_max = 1});
  std::thread warm([&] {
    held(work().has_value());  // from here on the instance waits in this thread's own slot
    release = false;
    entered = false;
    held(work().has_value());
    // It stays, so nothing but the giving back itself can tell the other.
    held(eventually(10s, [&] { return served.load(); }));
  });
  REQUIRE(eventually(5s, [&] { return entered.load() && !release; }));
  SECTION("a caller") {
    std::thread waiting([&] {
      held(work().value_or(0) == 3);
      served = true;
    });
    REQUIRE(eventually(5s, [&] { return work.stats().waiting_now == 1; }));
    release = true;
    waiting.join();
  }
  SECTION("an event") {
    auto later = work.submit();
    REQUIRE(later);
    REQUIRE(eventually(5s, [&] { return host.stats().threads >= 1; }));
    release = true;
    CHECK(later->get().value_or(0) == 3);
    served = true;
  }
  warm.join();
}

TEST_CASE("instance_concurrency lets several callers into one instance, and no more", "[instances]") {
  support::thread_checks held;
  runtime host;
  std::atomic<int> made{0};
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::atomic<bool> release{false};
  auto work = host.define("work", per_instance([&] {
                            ++made;
                            return [&]() {
                              const int now = ++inside;
                              int seen = most;
                              while (seen < now && !most.compare_exchange_weak(seen, now)) {}
                              while (!release) std::this_thread::yield();
                              --inside;
                            };
                          }),
                          {.instances_max = 2, .instance_concurrency = 3});
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) callers.emplace_back([&] { held(work().has_value()); });
  REQUIRE(eventually(10s, [&] { return inside == 6; }));
  CHECK(made <= 2);
  release = true;
  for (auto& each : callers) each.join();
  CHECK(most == 6);
  CHECK(made == 2);
  CHECK(host.stats().instances == 2);
}

TEST_CASE("idle instances are destroyed after their idle timeout, not before", "[instances][zero]") {
  testing::manual_clock time;
  lonely::counts counts;
  runtime host({.time = &time});
  auto work = host.define("work", per_instance([&] { return lonely(counts); }), {.idle_timeout = 60s});
  REQUIRE(work(1));
  time.advance(30s);
  REQUIRE(work(1));  // used again: 60 s from here
  time.advance(59s);
  CHECK(counts.gone == 0);
  REQUIRE(work(1));
  CHECK(counts.made == 1);
  time.advance(60s);
  REQUIRE(eventually(5s, [&] { return counts.gone == 1; }));
  REQUIRE(eventually(5s, [&] { return host.stats().instances == 0; }));
  REQUIRE(eventually(5s, [&] { return time.advance(1s), host.stats().threads == 0; }));
  REQUIRE(work(1));
  CHECK(counts.made == 2);
}

TEST_CASE("while every instance is in use nobody looks for idle ones, and afterwards they go", "[instances][zero]") {
  testing::manual_clock time;
  std::atomic<bool> inside{false};
  std::atomic<bool> hold{true};
  runtime host{{.time = &time, .drive = drive_mode::host}};
  struct waiter {
    explicit waiter(std::atomic<bool>& to_hold, std::atomic<bool>& is_inside) : hold(to_hold), inside(is_inside) {}
    void operator()(int n) {
      if (n == 0) return;
      inside = true;
      while (hold) std::this_thread::yield();
    }
    std::atomic<bool>& hold;
    std::atomic<bool>& inside;
  };
  auto work = host.define("work", per_instance([&] { return waiter(hold, inside); }), {.idle_timeout = 1us});
  std::thread caller([&] {
    static_cast<void>(work(0));  // so that the next one is warm: a cold one looks for idle instances afterwards anyway
    static_cast<void>(work(1));
  });
  REQUIRE(eventually(10s, [&] { return inside.load(); }));
  CHECK(work(0));
  CHECK(host.stats().instances == 2);
  CHECK(host.next_deadline());
  time.advance(1ms);
  host.poll();
  CHECK(host.stats().instances == 1);
  CHECK(!host.next_deadline());
  hold = false;
  caller.join();
  CHECK(host.next_deadline());
  time.advance(1ms);
  host.poll();
  CHECK(host.stats().instances == 0);
  CHECK(!host.next_deadline());
}

TEST_CASE("an instance whose thread has ended is used by others", "[instances]") {
  support::thread_checks held;
  lonely::counts counts;
  runtime host;
  auto work = host.define("work", per_instance([&] { return lonely(counts); }), {.instances_max = 1});
  for (int i = 0; i < 50; ++i) {
    std::thread caller([&] { held(work(1).has_value()); });
    caller.join();
  }
  CHECK(counts.made == 1);
}

TEST_CASE("functions whose leases meet in one slot of a thread displace each other and lose nothing", "[instances]") {
  lonely::counts counts;
  runtime host;
  std::vector<handle<int(int)>> all;
  for (int i = 0; i < 200; ++i) {
    all.push_back(
        host.define(fmt::format("f{}", i), per_instance([&] { return lonely(counts); }), {.instances_max = 1}));
  }
  for (int round = 0; round < 3; ++round) {
    for (auto& each : all) REQUIRE(each(1));
  }
  CHECK(counts.made == 200);
  for (auto& each : all) CHECK(each.stats().invocations == 3);
}
