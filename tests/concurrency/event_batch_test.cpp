// SPDX-License-Identifier: MIT
// Events that a worker has taken in advance are still anybody's, and count no longer than they last.

#include "support/catch.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;

namespace {

// One worker that has taken events 0 .. 9 of "work", has ended 0 .. 4, and is in the middle of 5 until it is let go.
class half_done {
 public:
  static constexpr int count = 10;
  static constexpr int held = 5;
  static constexpr int of_caller = 1'000;

  explicit half_done(std::size_t workers = 1, function_options options = {})
      : host_({.compute_workers_max = workers}),
        work_(host_.define(
            "work", [this](int n) { run(n); }, std::move(options))) {
    if (!host_.pause(work_)) FAIL("not paused");
    for (int n = 0; n < count; ++n) ids_.push_back(work_.post(n)->id);
    if (!host_.resume(work_)) FAIL("not resumed");
    if (!eventually(10s, [&] { return inside_.load(); })) FAIL("it was never started");
  }
  half_done(const half_done&) = delete;
  half_done& operator=(const half_done&) = delete;
  ~half_done() { let_go(); }

  void let_go() { released_ = true; }
  [[nodiscard]] bool all_ran(int wanted = count) {
    return eventually(10s, [&] { return ran_ == wanted; });
  }
  runtime& host() { return host_; }
  handle<void(int)>& work() { return work_; }
  [[nodiscard]] int ran() const { return ran_; }
  [[nodiscard]] int ran_before_caller() const { return ran_before_caller_; }
  [[nodiscard]] const invocation_id& id(int n) const { return ids_.at(static_cast<std::size_t>(n)); }

 private:
  void run(int n) {
    if (n == held) {
      inside_ = true;
      while (!released_) std::this_thread::yield();
    }
    if (n == of_caller) ran_before_caller_ = ran_.load();
    ++ran_;
  }

  std::atomic<int> ran_before_caller_{0};
  std::atomic<bool> inside_{false};
  std::atomic<bool> released_{false};
  std::atomic<int> ran_{0};
  std::vector<invocation_id> ids_{};
  runtime host_;
  handle<void(int)> work_;
};

}  // namespace

TEST_CASE("a posted event that takes its time delays none of those taken with it while a worker is free", "[batch]") {
  half_done at(2);
  CHECK(at.all_ran(half_done::count - 1));
  at.let_go();
  CHECK(at.all_ran());
}

TEST_CASE("what was taken in advance can be cancelled like anything queued, and what runs is told", "[batch]") {
  half_done at;
  CHECK(at.host().cancel(at.id(8)).value() == invocation_state::queued);
  CHECK(at.host().cancel(at.id(8)).error().code == errc::not_found);
  CHECK(at.host().cancel(at.id(half_done::held)).value() == invocation_state::running);
  CHECK(at.host().cancel(at.id(2)).error().code == errc::not_found);  // it has ended
  at.let_go();
  CHECK(at.all_ran(half_done::count - 1));
  CHECK(eventually(10s, [&] { return at.host().stats().queued == 0; }));
  CHECK(at.work().stats().cancelled == 1);
  CHECK(at.ran() == half_done::count - 1);
}

TEST_CASE("bounds and statistics count an event no longer than it lasts, whatever the one behind it does", "[batch]") {
  half_done at(1, {.queue_depth_max = half_done::count});
  CHECK(at.work().stats().queued_now == half_done::count - half_done::held);
  for (int n = 0; n < half_done::held; ++n) CHECK(at.work().post(100 + n));
  const auto refused = at.work().post(200);
  REQUIRE(!refused);
  CHECK(refused.error().reason == failure_reason::queue_depth);
  at.let_go();
  CHECK(at.all_ran(half_done::count + half_done::held));
  constexpr std::size_t all = half_done::count + half_done::held;
  CHECK(
      eventually(10s, [&] { return at.work().stats().queued.count() == all; }));  // the last is counted once it is over
}

TEST_CASE("what was taken in advance is the new handler's once a function has one", "[batch]") {
  half_done at;
  std::atomic<int> anew{0};
  REQUIRE(at.host().replace(at.work(), [&](int) { ++anew; }));
  at.let_go();
  CHECK(at.all_ran(half_done::held + 1));
  CHECK(eventually(10s, [&] { return anew == half_done::count - half_done::held - 1; }));
}

TEST_CASE("a caller that waits for the only instance comes before what was taken in advance", "[batch]") {
  half_done at(1, {.instances_max = 1});
  std::thread caller([&] { static_cast<void>(at.work()(half_done::of_caller)); });
  REQUIRE(eventually(10s, [&] { return at.work().stats().waiting_now == 1; }));
  at.let_go();
  caller.join();
  CHECK(at.ran_before_caller() == half_done::held + 1);
  CHECK(at.all_ran(half_done::count + 1));
}

TEST_CASE("a paused function starts nothing of what was taken in advance", "[batch]") {
  half_done at;
  REQUIRE(at.host().pause(at.work()));
  at.let_go();
  REQUIRE(at.all_ran(half_done::held + 1));
  CHECK(eventually(10s, [&] { return at.work().stats().queued_now == half_done::count - half_done::held - 1; }));
  CHECK(at.ran() == half_done::held + 1);
  REQUIRE(at.host().resume(at.work()));
  CHECK(at.all_ran());
}

TEST_CASE("what was taken in advance and not started is refused by a runtime that closes", "[batch]") {
  std::optional<std::vector<unfinished>> left;
  half_done at;
  std::thread closing([&] { left = at.host().close(0s); });
  CHECK(eventually(10s, [&] { return at.work().stats().refusals >= half_done::count - half_done::held - 1; }));
  at.let_go();
  closing.join();
  std::size_t queued = 0;
  for (const unfinished& each : *left) queued += each.state == unfinished_state::queued ? 1 : 0;
  CHECK(queued == half_done::count - half_done::held - 1);
  CHECK(at.all_ran(half_done::held + 1));  // close() has not waited for the one that was running
}

TEST_CASE("a failure among events taken together is retried alone", "[batch]") {
  runtime host({.compute_workers_max = 1});
  std::atomic<int> ran{0};
  std::atomic<int> failures{3};
  auto work = host.define("work",
                          [&](int n) -> result<void> {
                            if (n == 7 && failures-- > 0) return failure{.code = errc::unavailable};
                            ++ran;
                            return {};
                          },
                          {.retry = {.attempts_max = 4, .delay_first = 1ms, .delay_max = 1ms}});
  REQUIRE(host.pause(work));
  for (int n = 0; n < 20; ++n) REQUIRE(work.post(n));
  REQUIRE(host.resume(work));
  CHECK(eventually(10s, [&] { return ran == 20; }));
  CHECK(eventually(10s, [&] { return work.stats().queued_now == 0; }));
  CHECK(work.stats().invocations == 23);
  CHECK(work.stats().retries == 3);
}

TEST_CASE("whoever takes events back, each runs once or was cancelled", "[batch]") {
#if defined(DORMOUSE_THREAD_SANITIZER) || defined(DORMOUSE_ADDRESS_SANITIZER)
  constexpr int count = 10'000;
#else
  constexpr int count = 100'000;
#endif
  std::vector<std::atomic<int>> runs(count);
  std::atomic<int> ended{0};
  std::atomic<int> cancelled{0};
  std::atomic<bool> done{false};
  runtime host({.compute_workers_max = 3});
  const auto handler = [&](int n) {
    ++runs[static_cast<std::size_t>(n)];
    ++ended;
  };
  auto work = host.define("work", handler, {.instances_max = 2, .queue_depth_max = 2'000});
  std::vector<std::thread> threads;
  for (int p = 0; p < 2; ++p) {
    threads.emplace_back([&, p] {
      for (int n = p; n < count; n += 2) {
        auto taken = work.post(n);
        for (; !taken; taken = work.post(n)) std::this_thread::yield();
        if (n % 7 != 0) continue;
        const auto was = host.cancel(taken->id);
        if (was && *was == invocation_state::queued) ++cancelled;
      }
    });
  }
  threads.emplace_back([&] {
    for (int i = 0; !done; ++i) {
      if (i % 3 == 0 && !host.replace(work, handler)) break;
      if (i % 3 == 1 && (!host.pause(work) || !host.resume(work))) break;
      if (i % 3 == 2) static_cast<void>(work.stats());
      std::this_thread::yield();
    }
  });
  CHECK(eventually(60s, [&] { return ended + cancelled == count; }));
  done = true;
  for (auto& each : threads) each.join();
  CHECK(ended + cancelled == count);
  int twice = 0;
  for (const auto& each : runs) twice += each > 1 ? 1 : 0;
  CHECK(twice == 0);
  CHECK(cancelled > 0);
}
