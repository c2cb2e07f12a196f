// SPDX-License-Identifier: MIT
// Change under load: replace, undefine, pause, resume.

#include "support/catch.hpp"
#include "support/threads.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>
#include <dormouse/testing/manual_clock.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;

namespace {

// Counts how many of it exist.
struct counted {
  explicit counted(std::atomic<int>& all) : count(&all) { ++*count; }
  counted(const counted& other) : count(other.count) { ++*count; }
  counted& operator=(const counted&) = delete;
  ~counted() { --*count; }
  std::atomic<int>* count;
};

}  // namespace

TEST_CASE("replace gives every later call and every queued event the new handler", "[replace]") {
  std::atomic<bool> hold{true};
  std::atomic<int> old_runs{0};
  std::atomic<int> new_runs{0};
  runtime host;
  auto work = host.define("work",
                          [&](int n) {
                            ++old_runs;
                            while (hold) std::this_thread::yield();
                            return n;
                          },
                          {.instances_max = 1});
  auto running = work.submit(1);
  REQUIRE(running);
  REQUIRE(eventually(5s, [&] { return old_runs == 1; }));
  auto queued = work.submit(2);
  REQUIRE(queued);
  REQUIRE(host.replace(work, [&](int n) {
    ++new_runs;
    return n * 100;
  }));
  CHECK(work(3).value() == 300);  // although the only instance of the former handler is busy
  CHECK(queued->get().value() == 200);
  hold = false;
  CHECK(running->get().value() == 1);
  CHECK(work(4).value() == 400);
  CHECK(old_runs == 1);
  CHECK(work.name() == "work");
}

TEST_CASE("a worker does not go on with an instance of the former handler", "[replace]") {
  std::atomic<bool> hold{false};
  std::atomic<int> old_runs{0};
  testing::manual_clock time;  // on which no quantum ends
  runtime host({.time = &time, .compute_workers_max = 1});
  auto work = host.define("work", [&](int n) {
    ++old_runs;
    while (hold) std::this_thread::yield();
    return n;
  });
  CHECK(work.submit(0)->get());  // from here on the worker is warm
  hold = true;
  auto running = work.submit(1);
  REQUIRE(eventually(5s, [&] { return old_runs == 2; }));
  auto queued = work.submit(2);
  REQUIRE(host.replace(work, [](int n) { return n * 100; }));
  hold = false;
  CHECK(running->get().value() == 1);
  CHECK(queued->get().value() == 200);
  CHECK(old_runs == 2);
}

TEST_CASE("the former handler and its instances are destroyed as their last invocation ends", "[replace]") {
  std::atomic<int> alive{0};
  std::atomic<bool> hold{true};
  std::atomic<int> entered{0};
  runtime host;
  auto work = host.define("work", [&, state = counted(alive)] {
    ++entered;
    while (hold) std::this_thread::yield();
  });
  auto running = work.submit();
  REQUIRE(running);
  REQUIRE(eventually(5s, [&] { return entered == 1; }));
  CHECK(alive == 2);  // prototype and instance
  REQUIRE(host.replace(work, [] {}));
  CHECK(alive == 2);
  hold = false;
  REQUIRE(running->get());
  REQUIRE(eventually(5s, [&] { return alive == 0; }));

  REQUIRE(host.replace(work, [state = counted(alive)] {}));
  CHECK(alive == 1);
  REQUIRE(work());
  CHECK(alive == 2);
  REQUIRE(host.replace(work, [] {}));  // nothing runs: at once
  CHECK(alive == 0);
}

TEST_CASE("replace 1,000 times under four producers serves each event by exactly one version", "[replace][stress]") {
  constexpr int replaces = 1'000;
  constexpr int producers = 4;
  std::atomic<int> alive{0};
  std::atomic<std::uint64_t> served{0};
  std::atomic<std::uint64_t> foreign{0};
  std::array<std::atomic<std::uint64_t>, replaces + 1> by_version{};
  runtime host({.compute_workers_max = 4, .thread_idle_timeout = 1ms});
  const auto version = [&](int number) {
    return [&, number, state = counted(alive), mine = number](int) {
      if (mine != number || *state.count < 1) ++foreign;
      ++by_version[static_cast<std::size_t>(number)];
      ++served;
    };
  };
  auto work = host.define("work", version(0), {.instances_max = 4, .idle_timeout = 1ms, .queue_depth_max = 1'000});
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> accepted{0};
  std::vector<std::thread> threads;
  for (int p = 0; p < producers; ++p) {
    threads.emplace_back([&, p] {
      while (!stop) {
        const bool posted = p % 2 == 0 ? work.post(p).has_value() : work(p).has_value();
        if (posted) {
          ++accepted;
        } else {
          std::this_thread::yield();
        }
      }
    });
  }
  int refused = 0;
  for (int i = 1; i <= replaces; ++i) {
    if (!host.replace(work, version(i))) ++refused;
    const std::uint64_t seen = served;
    if (i % 10 == 0 && !eventually(5s, [&] { return served > seen; })) ++refused;
  }
  stop = true;
  for (auto& each : threads) each.join();
  CHECK(refused == 0);
  REQUIRE(eventually(20s, [&] { return host.stats().queued == 0; }));
  CHECK(served == accepted);
  CHECK(foreign == 0);
  std::uint64_t sum = 0;
  int versions_used = 0;
  for (const auto& each : by_version) {
    sum += each;
    versions_used += each > 0 ? 1 : 0;
  }
  CHECK(sum == accepted);
  CHECK(versions_used > 50);
  REQUIRE(host.replace(work, [](int) {}));
  REQUIRE(eventually(5s, [&] { return alive == 0; }));  // every former version's destructor ran
}

TEST_CASE("a handler may replace and undefine itself", "[replace][undefine]") {
  std::atomic<int> alive{0};
  runtime host;
  std::optional<handle<int()>> self;
  self = host.define("self", [&, state = counted(alive)] {
    if (!host.replace(*self, [] { return 2; })) return -1;
    return alive > 0 ? 1 : -2;  // still stands on its own state
  });
  CHECK((*self)().value() == 1);
  CHECK((*self)().value() == 2);
  CHECK(alive == 0);

  std::optional<handle<int()>> last;
  last = host.define("last", [&, state = counted(alive)] {
    const auto left = host.undefine(*last, 10s);  // does not wait for itself
    return left && *left > 0 && alive > 0 ? 1 : -1;
  });
  CHECK((*last)().value() == 1);
  CHECK((*last)().error().code == errc::not_found);
  CHECK(alive == 0);
}

TEST_CASE("undefine ends queued and waiting events as dead letters and waits for what runs", "[undefine]") {
  std::atomic<int> alive{0};
  std::atomic<bool> hold{true};
  std::atomic<int> entered{0};
  runtime host;
  auto work = host.define("work",
                          [&, state = counted(alive)](int n) {
                            if (n == 0) throw 1;
                            ++entered;
                            while (hold) std::this_thread::yield();
                          },
                          {.instances_max = 1});
  REQUIRE(work.post(0));
  REQUIRE(eventually(5s, [&] { return work.stats().function_failures == 1; }));  // waits for its second attempt
  REQUIRE(work.post(1));
  REQUIRE(eventually(5s, [&] { return entered == 1; }));
  REQUIRE(work.post(2));
  auto submitted = work.submit(3);
  REQUIRE(submitted);
  std::optional<result<void>> caller;
  std::thread waiting([&] { caller = work(4); });
  REQUIRE(eventually(5s, [&] { return work.stats().waiting_now == 1; }));

  CHECK(host.undefine(work).value() >= 1);
  waiting.join();
  CHECK(caller->error().code == errc::not_found);
  CHECK(submitted->get().error().reason == failure_reason::undefined);
  CHECK(work.post(5).error().code == errc::not_found);
  CHECK(work(5).error().code == errc::not_found);
  CHECK(host.post("work", {.type = "t"}).error().code == errc::not_found);
  CHECK(host.undefine(work).error().code == errc::not_found);
  REQUIRE(eventually(5s, [&] { return host.stats().dead_letters == 2; }));
  for (const auto& letter : host.dead_letters()) {
    CHECK(letter.why.reason == failure_reason::undefined);
    CHECK(letter.function == "work");
    CHECK((letter.message.data == "0" || letter.message.data == "2"));
  }
  CHECK(host.stats().functions == 0);
  CHECK(alive == 2);
  hold = false;
  REQUIRE(eventually(5s, [&] { return alive == 0; }));

  SECTION("the name is free, and what died goes to who has it now") {
    std::atomic<int> sum{0};
    auto fresh = host.define("work", [&](int n) { sum += n + 1; });
    CHECK(work(1).error().code == errc::not_found);
    CHECK(host.redrive() == 2);
    REQUIRE(eventually(5s, [&] { return host.stats().queued == 0; }));
    CHECK(sum == 1 + 3);
    CHECK(fresh.stats().invocations == 2);
  }
}

TEST_CASE("undefine counts an event whose outcome is being delivered", "[undefine]") {
  std::atomic<bool> inside{false};
  std::atomic<bool> hold{true};
  runtime host;
  auto work = host.define("work", [](int) { throw 1; },
                          {.retry = {.attempts_max = 1}, .on_failure = destination::sink([&](const outcome&) {
                                                           inside = true;
                                                           while (hold) std::this_thread::yield();
                                                           return result<void>{};
                                                         })});
  REQUIRE(work.post(1));
  REQUIRE(eventually(5s, [&] { return inside.load(); }));
  CHECK(host.undefine(work, 0s).value() == 1);
  hold = false;
  REQUIRE(eventually(5s, [&] { return host.stats().queued == 0; }));
}

TEST_CASE("undefine returns 0 once its last invocation is over", "[undefine]") {
  std::atomic<int> alive{0};
  std::atomic<bool> hold{true};
  std::atomic<int> entered{0};
  runtime host;
  auto work = host.define("work", [&, state = counted(alive)] {
    ++entered;
    while (hold) std::this_thread::yield();
  });
  for (int i = 0; i < 3; ++i) REQUIRE(work.post());
  REQUIRE(eventually(5s, [&] { return entered >= 2; }));
  std::thread release([&] { hold = false; });
  const auto left = host.undefine(work, 10s);
  const int seen = alive;
  release.join();
  CHECK(left.value() == 0);
  CHECK(seen == 0);
}

TEST_CASE("many functions defined and undefined while they are called", "[undefine][stress]") {
  std::atomic<int> alive{0};
  std::atomic<bool> stop{false};
  runtime host({.thread_idle_timeout = 1ms});
  std::thread caller([&] {
    while (!stop) {
      [[maybe_unused]] const auto called = host.invoke("work", {.type = "t"});
      [[maybe_unused]] const auto posted = host.post("work", {.type = "t"});
    }
  });
  int bad = 0;
  for (int round = 0; round < 300; ++round) {
    auto work = host.define("work", [state = counted(alive)] {}, {.idle_timeout = 1ms});
    for (int i = 0; i < 20; ++i) bad += work() ? 0 : 1;
    bad += host.undefine(work, 10s).value() == 0 ? 0 : 1;
  }
  stop = true;
  caller.join();
  CHECK(bad == 0);
  CHECK(alive == 0);
  REQUIRE(eventually(5s, [&] { return host.stats().queued == 0; }));
}

TEST_CASE("a function that is undefined just as its name is looked up is not found", "[undefine][stress]") {
  std::atomic<bool> stop{false};
  std::atomic<int> found{0};
  std::atomic<int> wrong{0};
  runtime host;
  std::vector<std::thread> callers;
  for (int i = 0; i < 2; ++i) {
    callers.emplace_back([&] {
      while (!stop) {
        const auto called = host.invoke("work", {.type = "t"});
        if (called) {
          ++found;
        } else if (called.error().code != errc::not_found) {
          ++wrong;
        }
      }
    });
  }
  for (int round = 0; round < 10'000 || (found == 0 && round < 100'000); ++round) {
    [[maybe_unused]] const auto gone = host.undefine(host.define("work", [] {}), 0s);
  }
  stop = true;
  for (auto& each : callers) each.join();
  CHECK(found > 0);
  CHECK(wrong == 0);
}

TEST_CASE("a paused function starts nothing, and resumes with what waited", "[pause]") {
  std::atomic<int> runs{0};
  std::atomic<bool> hold{false};
  runtime host;
  auto work = host.define("work", [&] {
    ++runs;
    while (hold) std::this_thread::yield();
  });
  REQUIRE(work());  // warm, in this thread's slot
  hold = true;
  auto running = work.submit();
  REQUIRE(eventually(5s, [&] { return runs == 2; }));
  REQUIRE(host.pause(work));
  REQUIRE(host.pause(work));
  const auto refused = work();
  REQUIRE(!refused);
  CHECK(refused.error().code == errc::throttled);
  CHECK(refused.error().reason == failure_reason::paused);
  REQUIRE(work.post());
  auto waits = work.submit();
  hold = false;
  REQUIRE(running->get());  // what ran goes on, and its worker takes no more
  CHECK(host.invoke("work", {.type = "t"}).error().reason == failure_reason::paused);
  CHECK(runs == 2);
  CHECK(!waits->ready());
  REQUIRE(host.resume(work));
  REQUIRE(waits->get());
  REQUIRE(eventually(5s, [&] { return runs == 4; }));
  CHECK(work());
  REQUIRE(host.undefine(work));
  CHECK(host.pause(work).error().code == errc::not_found);
  CHECK(host.resume(work).error().code == errc::not_found);
}
