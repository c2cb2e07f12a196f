// SPDX-License-Identifier: MIT
// run, stop, close and the destructor: what is refused, what is waited for, what is told.

#include "support/catch.hpp"
#include "support/thread_checks.hpp"
#include "support/threads.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>
#include <dormouse/testing/manual_clock.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;

TEST_CASE("close refuses calls from outside and runs what was accepted", "[lifecycle]") {
  runtime host;
  std::atomic<int> served{0};
  auto work = host.define("work", [&] { ++served; });
  for (int i = 0; i < 1'000; ++i) REQUIRE(work.post());
  const auto left = host.close(20s);
  CHECK(left.empty());
  CHECK(served == 1'000);
  CHECK(host.stats().threads == 0);
  CHECK(host.stats().instances == 0);
  CHECK(work().error().code == errc::shutting_down);
  CHECK(work.post().error().code == errc::shutting_down);
  CHECK(work.submit().error().code == errc::shutting_down);
  CHECK(host.attach(every(1s), work).error().code == errc::shutting_down);
  CHECK(host.close(1s).empty());
}

TEST_CASE("close ends what it cannot wait for, and says what it was", "[lifecycle]") {
  std::atomic<bool> release{false};
  std::atomic<bool> entered{false};
  const std::size_t own = support::threads_of_process();
  auto host = std::make_unique<runtime>(runtime_options{.compute_workers_max = 1});
  std::atomic<bool> left_handler{false};
  auto hold = host->define("hold", [&] {
    entered = true;
    while (!release) std::this_thread::yield();
    left_handler = true;
  });
  REQUIRE(hold.post());
  REQUIRE(eventually(5s, [&] { return entered.load(); }));
  auto waiting = hold.submit();
  REQUIRE(waiting);
  const auto left = host->close(1ms);
  REQUIRE(left.size() == 2);
  CHECK(left[0].state == unfinished_state::queued);
  CHECK(left[0].function == "hold");
  CHECK(left[1].state == unfinished_state::running);
  CHECK(left[0].invocation != left[1].invocation);
  CHECK(waiting->get().error().code == errc::shutting_down);
  host.reset();  // the stuck handler still stands on live state
  release = true;
  REQUIRE(eventually(5s, [&] { return left_handler.load(); }));
  REQUIRE(eventually(5s, [&] { return support::threads_of_process() <= own; }));
}

TEST_CASE("a handler that is stuck on a caller's thread outlives its runtime", "[lifecycle]") {
  support::thread_checks held;
  std::atomic<bool> release{false};
  std::atomic<bool> entered{false};
  std::atomic<int> destroyed{0};
  struct counted {
    std::atomic<int>& destroyed;
    std::atomic<bool>& entered;
    std::atomic<bool>& release;
    ~counted() { ++destroyed; }
    int operator()(context& ctx) const {
      entered = true;
      while (!release) std::this_thread::yield();
      return static_cast<int>(ctx.depth());
    }
  };
  auto host = std::make_unique<runtime>();
  auto hold = host->define("hold", per_instance([&] { return counted{destroyed, entered, release}; }));
  std::thread caller([&, hold] { held(hold().value_or(0) == 1); });
  REQUIRE(eventually(5s, [&] { return entered.load(); }));
  host.reset();
  CHECK(destroyed == 0);
  release = true;
  caller.join();
  CHECK(destroyed == 1);
}

TEST_CASE("running handlers may still call while the runtime drains", "[lifecycle]") {
  support::thread_checks held;
  runtime host;
  std::atomic<bool> closing{false};
  std::atomic<bool> entered{false};
  auto inner = host.define("inner", [] { return 7; });
  std::atomic<int> got{0};
  auto outer = host.define("outer", [&] {
    entered = true;
    while (!closing) std::this_thread::yield();
    // From outside it is refused by now; from here it is not.
    got = inner().value_or(-1);
  });
  REQUIRE(outer.post());
  REQUIRE(eventually(5s, [&] { return entered.load(); }));
  std::thread closer([&] { held(host.close(20s).empty()); });
  REQUIRE(eventually(5s, [&] { return !inner(); }));
  closing = true;
  closer.join();
  CHECK(got == 7);
}

TEST_CASE("close called by a handler begins and returns", "[lifecycle]") {
  support::thread_checks held;
  runtime host;
  std::atomic<bool> returned{false};
  auto closer = host.define("closer", [&] {
    held(host.close(10s).empty());
    returned = true;
  });
  REQUIRE(closer.post());
  REQUIRE(eventually(5s, [&] { return returned.load(); }));
  CHECK(closer().error().code == errc::shutting_down);
}

TEST_CASE("run returns after stop, from another thread, a handler, or before it began", "[lifecycle]") {
  runtime host;
  SECTION("another thread") {
    std::thread other([&] { host.stop(); });
    CHECK(host.run());
    other.join();
  }
  SECTION("a handler") {
    auto last = host.define("last", [&] { host.stop(); });
    REQUIRE(last.post());
    CHECK(host.run());
  }
  SECTION("before") {
    host.stop();
    CHECK(host.run());
  }
}

TEST_CASE("run stops on a signal only when asked, and puts the disposition back", "[lifecycle]") {
  support::thread_checks held;
  struct sigaction before {};
  REQUIRE(sigaction(SIGUSR1, nullptr, &before) == 0);
  runtime host;
  std::thread sender([&] {
    held(eventually(5s, [&] {
      struct sigaction now {};
      sigaction(SIGUSR1, nullptr, &now);
      return now.sa_handler != before.sa_handler;
    }));
    std::raise(SIGUSR1);
  });
  CHECK(host.run({.stop_on = {SIGUSR1}}));
  sender.join();
  struct sigaction after {};
  REQUIRE(sigaction(SIGUSR1, nullptr, &after) == 0);
  CHECK(after.sa_handler == before.sa_handler);
}

TEST_CASE("every pending reply is completed exactly once, with shutting_down at the latest", "[lifecycle]") {
  std::vector<pending<int>> replies;
  {
    runtime host({.compute_workers_max = 2});
    auto work = host.define("work", [](int n) { return n; });
    for (int i = 0; i < 500; ++i) {
      auto later = work.submit(i);
      REQUIRE(later);
      replies.push_back(std::move(*later));
    }
  }
  int served = 0;
  for (auto& each : replies) {
    const auto got = each.get();
    if (got) {
      ++served;
    } else {
      CHECK(got.error().code == errc::shutting_down);
    }
  }
  CHECK(served <= 500);
}

TEST_CASE("when the destructor has returned, no thread is left that is not inside a handler", "[lifecycle]") {
  const std::size_t own = support::threads_of_process();
  for (int round = 0; round < 300; ++round) {
    {
      testing::manual_clock time;  // gone right after the runtime: whoever still read it would be caught
      runtime host({.time = &time});
      auto work = host.define("work", [n = round]() mutable { return ++n; });
      auto later = work.submit();
      REQUIRE(later);
      REQUIRE(later->get());
    }
  }
  // The kernel lists a joined thread for a moment longer.
  CHECK(eventually(2s, [&] { return support::threads_of_process() <= own; }));
}

namespace {

// A clock that moves by hand, and knows who is told of it.
class watched_clock final : public dormouse::clock {
 public:
  watched_clock() noexcept : clock(source()) {}
  std::size_t listeners() {
    const std::lock_guard lock(source().mutex);
    return source().listeners.size();
  }

 private:
  static manual_time& source() {
    static manual_time only;
    return only;
  }
};

}  // namespace

// A worker that ends late may keep what the runtime was made of: that must not use a clock which is gone by then.
TEST_CASE("a runtime that is closed is not told of its clock any more", "[lifecycle]") {
  watched_clock time;
  runtime host({.time = &time});
  auto work = host.define("work", [] {});
  REQUIRE(work.post());
  REQUIRE(host.attach(every(1h), work));
  CHECK(time.listeners() > 0);
  host.close(0ms);
  CHECK(time.listeners() == 0);
}
