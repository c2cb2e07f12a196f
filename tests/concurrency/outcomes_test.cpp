// SPDX-License-Identifier: MIT
// Where the outcomes of posted events go: destinations and dead letters; redrive and discard.

#include "support/catch.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>
#include <dormouse/testing/manual_clock.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;
using dormouse::testing::manual_clock;

namespace {
constexpr retry_policy once{.attempts_max = 1, .jitter_percent = 0};
}  // namespace

TEST_CASE("a destination function gets the reply of a success and the event of a failure", "[destination]") {
  std::mutex mutex;
  std::vector<event> told;
  runtime host;
  host.define("listen", [&](const event& what) {
    const std::lock_guard lock(mutex);
    told.push_back(what);
  });
  auto half = host.define(
      "half",
      [](int n) -> result<int> {
        if (n % 2 != 0) return failure{.code = errc::conflict, .detail = "odd"};
        return n / 2;
      },
      {.retry = once, .on_success = destination::function("listen"), .on_failure = destination::function("listen")});
  REQUIRE(half.post(8));
  REQUIRE(eventually(5s, [&] { return host.stats().queued == 0; }));
  REQUIRE(half.post(7));
  REQUIRE(eventually(5s, [&] { return host.stats().queued == 0; }));
  const std::lock_guard lock(mutex);
  REQUIRE(told.size() == 2);
  CHECK(told[0].type == "dormouse.invocation.succeeded");
  CHECK(told[0].subject == "half");
  CHECK(told[0].data == "4");
  CHECK(told[1].type == "dormouse.invocation.failed");
  CHECK(told[1].data == "7");
  CHECK(*find_extension(told[1], "errorcode") == "function_failed");
  CHECK(*find_extension(told[1], "errordetail") == "odd");
  CHECK(*find_extension(told[1], "attempts") == "1");
  CHECK(validate(told[1]));
  CHECK(host.stats().dead_letters == 0);
  CHECK(half.stats().deliveries == 2);
}

TEST_CASE("an event keeps its place until its destination has taken the outcome", "[destination]") {
  manual_clock time;
  std::atomic<int> asked{0};
  std::atomic<bool> open{false};
  runtime host({.time = &time});
  auto work = host.define("work", [] {},
                          {.queue_depth_max = 1,
                           .retry = {.delay_first = 1s, .jitter_percent = 0},
                           .on_success = destination::sink([&](const outcome& what) -> result<void> {
                             ++asked;
                             if (asked == 1) throw 1;
                             if (!open) return failure{.code = errc::unavailable};
                             return what.why == nullptr ? result<void>{} : failure{.code = errc::internal};
                           })});
  REQUIRE(work.post());
  REQUIRE(eventually(5s, [&] { return work.stats().delivery_failures == 1; }));
  CHECK(work.post().error().reason == failure_reason::queue_depth);
  open = true;
  REQUIRE(eventually(5s, [&] { return host.stats().threads >= 1; }));
  time.advance(1s);
  REQUIRE(eventually(5s, [&] { return host.stats().queued == 0; }));
  CHECK(asked == 2);
  CHECK(work.stats().invocations == 1);
  CHECK(work.post());
  // The clock outlives the runtime, but not a sink that close() has not waited for.
  REQUIRE(eventually(5s, [&] { return host.stats().queued == 0; }));
}

TEST_CASE("an outcome that nobody takes in time is a dead letter that says why", "[destination]") {
  SECTION("the destination does not exist") {
    runtime host;
    auto work = host.define("work", [] {}, {.on_success = destination::function("nowhere")});
    REQUIRE(work.post());
    REQUIRE(eventually(5s, [&] { return host.stats().dead_letters == 1; }));
    CHECK(host.dead_letters()[0].why.reason == failure_reason::undefined);
  }
  SECTION("functions that are each other's destination end at depth_max") {
    std::atomic<int> runs{0};
    runtime host({.depth_max = 5});
    for (const char* name : {"one", "two"}) {
      host.define(name, [&](const event&) { ++runs; },
                  {.on_success = destination::function(std::string_view(name) == "one" ? "two" : "one")});
    }
    REQUIRE(host.post("one", {.type = "t"}));
    REQUIRE(eventually(5s, [&] { return host.stats().dead_letters == 1; }));
    CHECK(runs == 5);
    CHECK(host.dead_letters()[0].why.code == errc::recursion_limit);
  }
}

TEST_CASE("full dead letters stop new posts and drop nothing", "[dead_letters]") {
  std::atomic<bool> hold{true};
  runtime host({.dead_letters_max = 3});
  auto work = host.define("work",
                          [&](int) {
                            while (hold) std::this_thread::yield();
                            throw 1;
                          },
                          {.retry = once});
  auto other = host.define("other", [] {});
  for (int i = 0; i < 8; ++i) REQUIRE(work.post(i));
  hold = false;
  REQUIRE(eventually(5s, [&] { return work.stats().function_failures == 8; }));
  REQUIRE(eventually(5s, [&] { return host.dead_letters().size() == 8; }));
  CHECK(host.stats().dead_letters == 3);
  CHECK(work.stats().queued_now == 5);  // they keep their places
  const auto refused = other.post();
  REQUIRE(!refused);
  CHECK(refused.error().code == errc::limit_exceeded);
  CHECK(refused.error().reason == failure_reason::dead_letters);
  CHECK(other());  // calls are not posts
  CHECK(other.submit()->get());

  CHECK(host.discard_dead_letters({.count_max = 6}) == 6);
  CHECK(host.dead_letters().size() == 2);
  CHECK(work.stats().queued_now == 0);
  CHECK(host.stats().dead_letters == 2);
  CHECK(other.post());
}

TEST_CASE("redrive gives dead letters all their attempts again, at the rate asked for", "[dead_letters]") {
  manual_clock time;
  std::atomic<bool> broken{true};
  std::atomic<int> good{0};
  runtime host({.time = &time});
  auto work = host.define("work",
                          [&](std::string_view) {
                            if (broken) throw 1;
                            ++good;
                          },
                          {.retry = once});
  auto odd = host.define("odd", [] { throw 1; }, {.retry = once});
  for (int i = 0; i < 5; ++i) REQUIRE(work.post(std::string(1, static_cast<char>('a' + i))));
  REQUIRE(odd.post());
  REQUIRE(eventually(5s, [&] { return host.stats().dead_letters == 6; }));
  const auto ids = host.dead_letters({.function = "work"});
  REQUIRE(ids.size() == 5);
  CHECK(host.dead_letters({.code = errc::init_failed}).empty());
  CHECK(host.dead_letters({.id = ids[2].id})[0].message.data == ids[2].message.data);

  CHECK_THROWS_AS(host.redrive({}, {.per_second_max = 0}), std::invalid_argument);
  CHECK(host.redrive({.function = "nothing"}) == 0);
  broken = false;
  CHECK(host.redrive({.function = "work"}, {.per_second_max = 1}) == 5);
  REQUIRE(eventually(5s, [&] { return good == 1; }));
  CHECK(host.stats().dead_letters == 1);
  time.advance(1500ms);
  REQUIRE(eventually(5s, [&] { return good == 2; }));
  time.advance(10s);
  REQUIRE(eventually(5s, [&] { return good == 5; }));
  REQUIRE(eventually(5s, [&] { return host.stats().queued == 0; }));

  CHECK(host.redrive() == 1);  // fails again, and is back
  REQUIRE(eventually(5s, [&] { return odd.stats().dead_letters == 2 && host.stats().dead_letters == 1; }));
}

TEST_CASE("a dead letter that finds no room in its queue stays one", "[dead_letters]") {
  std::atomic<bool> hold{false};
  std::atomic<bool> broken{true};
  runtime host;
  auto work = host.define("work",
                          [&](int) {
                            while (hold) std::this_thread::yield();
                            if (broken) throw 1;
                          },
                          {.queue_depth_max = 2, .retry = once});
  for (int i = 0; i < 3; ++i) {
    REQUIRE(work.post(i));
    REQUIRE(eventually(5s, [&] { return host.stats().queued == 0; }));
  }
  REQUIRE(host.stats().dead_letters == 3);
  broken = false;
  hold = true;
  CHECK(host.redrive() == 2);
  CHECK(host.stats().dead_letters == 1);
  CHECK(host.dead_letters()[0].why.code == errc::function_failed);
  hold = false;
  REQUIRE(eventually(5s, [&] { return host.stats().queued == 0; }));
  CHECK(host.redrive() == 1);
}

TEST_CASE("dead letters that have kept their places go with their runtime", "[dead_letters]") {
  runtime host({.dead_letters_max = 1});
  auto work = host.define("work", [](int) { throw 1; }, {.retry = once});
  REQUIRE(host.pause(work));
  for (int i = 0; i < 4; ++i) REQUIRE(work.post(i));
  REQUIRE(host.resume(work));
  REQUIRE(eventually(5s, [&] { return host.dead_letters().size() == 4; }));
  CHECK(work.stats().queued_now == 3);
  const auto left = host.close(10s);  // they do not hold it up
  CHECK(left.empty());
  CHECK(host.dead_letters().size() == 4);
}
