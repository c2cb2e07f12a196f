// SPDX-License-Identifier: MIT
// Threads that cannot be had: the first one, any later one, the timekeeper's, all of them for a while.

#include "support/catch.hpp"
#include "support/threads.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;

namespace {

// A spawn hook that refuses what it is told to, and counts.
struct threads {
  std::atomic<int> asked{0};
  std::atomic<int> refused{0};
  std::function<bool(int number, std::string_view name)> refuses{};

  spawn_hook hook() {
    return [this](const char* name, std::function<void()> body) {
      if (refuses(++asked, name)) {
        ++refused;
        throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
      }
      return std::thread(std::move(body));
    };
  }
};

void check_zero(const runtime& host) {
  CHECK(eventually(10s, [&] { return host.stats().threads == 0 && host.stats().instances == 0; }));
  CHECK(host.stats().queued == 0);
}

}  // namespace

TEST_CASE("whichever thread is refused, what was accepted is served and what was not says why", "[faults][threads]") {
  const int nth = GENERATE(1, 2, 3, 4, 5, 8);
  threads made;
  made.refuses = [&](int number, std::string_view) { return number == nth; };
  std::atomic<int> served{0};
  int accepted = 0;
  int untyped = 0;
  {
    runtime host({.spawn = made.hook(), .compute_workers_max = 4, .thread_idle_timeout = 1ms});
    auto work = host.define("work", [&](int) { ++served; }, {.idle_timeout = 1ms});
    auto wait = host.define("wait", [&](int) { ++served; }, {.kind = function_kind::blocking, .idle_timeout = 1ms});
    for (int round = 0; round < 20; ++round) {
      for (auto* each : {&work, &wait}) {
        for (int i = 0; i < 5; ++i) {
          const auto posted = each->post(i);
          if (posted) {
            ++accepted;
          } else if (posted.error().reason != failure_reason::no_threads) {
            ++untyped;
          }
        }
      }
      if (!work(round)) ++untyped;
      ++accepted;
      [[maybe_unused]] const bool idle = eventually(20ms, [&] { return host.stats().threads == 0; });
    }
    CHECK(eventually(10s, [&] { return served == accepted; }));
    check_zero(host);
    CHECK(host.stats().thread_failures == 1);
  }
  CHECK(untyped == 0);
  CHECK(made.refused == 1);
}

TEST_CASE("without any thread calls still work, and posts are refused with nothing left behind", "[faults][threads]") {
  threads made;
  made.refuses = [](int, std::string_view) { return true; };
  runtime host({.spawn = made.hook(), .thread_idle_timeout = 1ms});
  auto work = host.define("work", [n = 0](int) mutable { return ++n; }, {.idle_timeout = 1ms});
  CHECK(work(1).value() == 1);
  for (int i = 0; i < 10; ++i) {
    CHECK(work.post(i).error().reason == failure_reason::no_threads);
    CHECK(work.submit(i).error().reason == failure_reason::no_threads);
  }
  CHECK(host.stats().queued == 0);
  CHECK(host.attach(every(1s), work.name()).error().reason == failure_reason::no_threads);
  CHECK(made.refused > 20);
  made.refuses = [](int, std::string_view) { return false; };
  CHECK(work(1));  // tries the timekeeper again
  CHECK(work.submit(1)->get());
  check_zero(host);
}

TEST_CASE("a retry that falls due while no thread can be had is made when there is one", "[faults][threads]") {
  threads made;
  std::atomic<bool> none{false};
  made.refuses = [&](int, std::string_view name) { return none && name == std::string_view("dormouse"); };
  std::atomic<int> runs{0};
  runtime host({.spawn = made.hook(), .thread_idle_timeout = 0ns});
  auto work = host.define("work",
                          [&] {
                            if (++runs == 1) throw 1;
                          },
                          {.idle_timeout = 1ms, .retry = {.delay_first = 50ms, .jitter_percent = 0}});
  REQUIRE(work.post());
  REQUIRE(eventually(5s, [&] { return work.stats().function_failures == 1; }));
  none = true;
  REQUIRE(eventually(5s, [&] { return made.refused >= 2; }));
  CHECK(runs == 1);
  none = false;
  REQUIRE(eventually(5s, [&] { return runs == 2; }));
  check_zero(host);
}

TEST_CASE("events behind a caller's instance are not lost when no thread can be had as it comes free",
          "[faults][threads]") {
  threads made;
  std::atomic<bool> none{false};
  made.refuses = [&](int, std::string_view name) { return none && name == std::string_view("dormouse"); };
  std::atomic<bool> hold{true};
  std::atomic<int> runs{0};
  runtime host({.spawn = made.hook(), .thread_idle_timeout = 0ns});
  auto work = host.define("work",
                          [&] {
                            ++runs;
                            while (hold) std::this_thread::yield();
                          },
                          {.instances_max = 1, .idle_timeout = 1ms});
  std::thread caller([&] { [[maybe_unused]] const auto called = work(); });
  REQUIRE(eventually(5s, [&] { return runs == 1; }));
  REQUIRE(work.post());
  REQUIRE(eventually(5s, [&] { return host.stats().threads == 0; }));  // the worker found no instance, and went
  none = true;
  hold = false;
  caller.join();
  REQUIRE(eventually(5s, [&] { return made.refused >= 1; }));
  none = false;
  REQUIRE(eventually(5s, [&] { return runs == 2; }));
  check_zero(host);
}
