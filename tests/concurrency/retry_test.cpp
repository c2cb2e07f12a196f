// SPDX-License-Identifier: MIT
// What post() promises: attempts, delays, budget, age; status and cancel.

#include "support/catch.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>
#include <dormouse/testing/manual_clock.hpp>

#include <atomic>
#include <chrono>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;
using dormouse::testing::manual_clock;

namespace {

constexpr retry_policy exact{.jitter_percent = 0};

// Moves the clock until `holds()`, in steps; the time that took, or nothing.
template <class Predicate>
std::optional<std::chrono::nanoseconds> advance_until(manual_clock& time, std::chrono::nanoseconds step,
                                                      std::chrono::nanoseconds most, Predicate holds) {
  for (std::chrono::nanoseconds passed{0}; passed <= most; passed += step) {
    if (eventually(20ms, holds)) return passed;
    time.advance(step);
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("a posted event that fails is tried again after 1 s and 10 s, then it is a dead letter", "[retry]") {
  manual_clock time;
  std::vector<unsigned> attempts;
  std::atomic<int> runs{0};
  runtime host({.time = &time});
  auto work = host.define("work",
                          [&](int, context& ctx) {
                            attempts.push_back(ctx.attempt());
                            ++runs;
                            throw std::runtime_error("no " + std::string(1, static_cast<char>('0' + ctx.attempt())));
                          },
                          {.instances_max = 1, .retry = exact});
  REQUIRE(work.post(7));
  REQUIRE(eventually(5s, [&] { return runs == 1; }));
  REQUIRE(eventually(5s, [&] { return host.stats().threads >= 1; }));
  const auto first = advance_until(time, 100ms, 5s, [&] { return runs == 2; });
  REQUIRE(first);
  CHECK(*first >= 1s);
  CHECK(*first <= 1200ms);
  const auto second = advance_until(time, 500ms, 20s, [&] { return runs == 3; });
  REQUIRE(second);
  CHECK(*second >= 9500ms);
  CHECK(*second <= 10500ms);
  REQUIRE(eventually(5s, [&] { return host.stats().dead_letters == 1; }));
  CHECK(attempts == std::vector<unsigned>{1, 2, 3});
  CHECK(work.stats().queued_now == 0);

  const auto letters = host.dead_letters();
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].function == "work");
  CHECK(letters[0].message.data.text() == "7");
  CHECK(letters[0].why.code == errc::function_failed);
  REQUIRE(letters[0].attempts.size() == 3);
  CHECK(letters[0].attempts[0].why.detail == "no 1");
  CHECK(letters[0].attempts[2].why.detail == "no 3");
  CHECK(letters[0].attempts[2].attempt == 3);
  CHECK(work.stats().retries == 2);
  CHECK(work.stats().dead_letters == 1);
}

TEST_CASE("an event that succeeds on its second attempt is over", "[retry]") {
  manual_clock time;
  std::atomic<int> runs{0};
  std::string second;
  runtime host({.time = &time});
  auto work = host.define("work",
                          [&](std::string text, context& ctx) {
                            ++runs;
                            if (ctx.attempt() == 1) throw 1;
                            second = text;
                          },
                          {.retry = exact});
  REQUIRE(work.post("kept"));
  REQUIRE(advance_until(time, 200ms, 5s, [&] { return runs == 2; }));
  REQUIRE(eventually(5s, [&] { return host.stats().queued == 0; }));
  CHECK(second == "kept");
  CHECK(host.stats().dead_letters == 0);
}

TEST_CASE("an event that the handler cannot take is not tried again", "[retry]") {
  std::atomic<int> runs{0};
  runtime host;
  host.define("number", [&](int) { ++runs; });
  REQUIRE(host.post("number", {.type = "t", .data = "no number"}));
  REQUIRE(eventually(5s, [&] { return host.stats().dead_letters == 1; }));
  CHECK(runs == 0);
  CHECK(host.dead_letters()[0].attempts.size() == 1);
  CHECK(host.dead_letters()[0].why.code == errc::invalid_argument);
}

TEST_CASE("what somebody waits for is never repeated", "[retry]") {
  std::atomic<int> runs{0};
  runtime host;
  auto work = host.define("work", [&] {
    ++runs;
    throw 1;
  });
  auto later = work.submit();
  REQUIRE(later);
  CHECK(later->get().error().code == errc::function_failed);
  CHECK(work().error().code == errc::function_failed);
  REQUIRE(eventually(5s, [&] { return host.stats().queued == 0; }));
  CHECK(runs == 2);
  CHECK(host.stats().dead_letters == 0);
}

TEST_CASE("a failure's retry_after is waited for when it is longer", "[retry]") {
  manual_clock time;
  std::atomic<int> runs{0};
  runtime host({.time = &time});
  auto work = host.define("work",
                          [&]() -> result<void> {
                            if (++runs == 1) return failure{.code = errc::unavailable, .retry_after = 30s};
                            return {};
                          },
                          {.retry = exact});
  REQUIRE(work.post());
  const auto waited = advance_until(time, 1s, 60s, [&] { return runs == 2; });
  REQUIRE(waited);
  CHECK(*waited >= 30s);
}

TEST_CASE("jitter moves each delay by up to its share, and the same seed moves it the same way", "[retry]") {
  const auto waited = [](std::uint64_t seed) {
    manual_clock time;
    std::atomic<int> runs{0};
    runtime host({.time = &time, .seed = seed});
    auto work = host.define("work",
                            [&] {
                              if (++runs == 1) throw 1;
                            },
                            {.retry = {.delay_first = 100s, .jitter_percent = 50}});
    REQUIRE(work.post());
    REQUIRE(eventually(5s, [&] { return runs == 1 && host.stats().threads >= 2; }));
    return *advance_until(time, 5s, 200s, [&] { return runs == 2; });
  };
  const auto one = waited(1);
  CHECK(one >= 50s);
  CHECK(one <= 155s);
  CHECK(one == waited(1));
  CHECK((one != waited(2) || one != waited(3)));
}

TEST_CASE(
    "an event that grows too old before its next attempt is a dead letter, and one that waits too long is not "
    "started",
    "[retry]") {
  manual_clock time;
  std::atomic<int> runs{0};
  std::atomic<bool> hold{true};
  runtime host({.time = &time});
  auto work =
      host.define("work",
                  [&] {
                    ++runs;
                    while (hold) std::this_thread::yield();
                    throw 1;
                  },
                  {.instances_max = 1, .retry = {.delay_first = 10s, .jitter_percent = 0, .event_age_max = 5s}});
  REQUIRE(work.post());
  REQUIRE(eventually(5s, [&] { return runs == 1; }));
  REQUIRE(work.post());  // waits for the instance
  time.advance(6s);
  hold = false;
  REQUIRE(eventually(5s, [&] { return host.stats().dead_letters == 2; }));
  CHECK(runs == 1);
  for (const auto& letter : host.dead_letters()) CHECK(letter.why.code == errc::event_age_exceeded);
}

TEST_CASE("the retry budget limits the rate of retries and ends no event", "[retry]") {
  manual_clock time;
  std::atomic<int> retries{0};
  runtime host({.time = &time});
  auto work =
      host.define("work",
                  [&](context& ctx) {
                    if (ctx.attempt() == 1) throw 1;
                    ++retries;
                  },
                  {.retry = {.attempts_max = 2, .jitter_percent = 0, .budget_percent = 0, .budget_per_second_min = 1}});
  constexpr int events = 30;
  for (int i = 0; i < events; ++i) REQUIRE(work.post());
  REQUIRE(eventually(5s, [&] { return work.stats().function_failures == events; }));
  time.advance(1s);
  REQUIRE(eventually(5s, [&] { return retries >= 10; }));
  REQUIRE(eventually(5s, [&] { return work.stats().retries_held_back > 0; }));
  CHECK(retries <= 12);  // the ten it starts with, and what the first second gave
  const auto rest = advance_until(time, 500ms, 60s, [&] { return retries == events; });
  REQUIRE(rest);
  CHECK(*rest >= 15s);  // 18 more at one a second
  CHECK(host.stats().dead_letters == 0);
}

TEST_CASE("status knows where an event stands, for as many ended ones as asked", "[retry][status]") {
  manual_clock time;
  std::atomic<bool> hold{true};
  runtime host({.time = &time, .status_count_max = 2});
  auto work = host.define("work",
                          [&](int n) {
                            while (hold) std::this_thread::yield();
                            if (n == 0) throw 1;
                          },
                          {.instances_max = 1, .retry = {.attempts_max = 2, .jitter_percent = 0}});
  const auto failing = work.post(0).value().id;
  const auto queued = work.post(1).value().id;
  REQUIRE(eventually(5s, [&] { return host.status(failing)->state == invocation_state::running; }));
  CHECK(host.status(queued)->state == invocation_state::queued);
  hold = false;
  REQUIRE(eventually(5s, [&] { return host.status(queued)->state == invocation_state::succeeded; }));
  REQUIRE(eventually(5s, [&] { return host.status(failing)->state == invocation_state::waiting; }));
  CHECK(host.status(failing)->last_error == errc::function_failed);
  time.advance(1s);
  REQUIRE(eventually(5s, [&] { return host.status(failing)->state == invocation_state::dead; }));
  CHECK(host.status(failing)->attempts == 2);
  for (int n = 2; n < 4; ++n) {
    const auto next = work.post(n).value().id;
    REQUIRE(eventually(5s, [&] { return host.status(next)->state == invocation_state::succeeded; }));
  }
  CHECK(!host.status(failing));
  CHECK(!host.status(queued));
  CHECK(!runtime{}.status(failing));
}

TEST_CASE("cancel ends what is queued or waiting, and asks what is running to stop", "[retry][cancel]") {
  manual_clock time;
  std::atomic<int> runs{0};
  std::atomic<bool> told{false};
  std::atomic<bool> called_back{false};
  runtime host({.time = &time, .status_count_max = 100});
  auto work = host.define("work",
                          [&](bool wait, context& ctx) {
                            ++runs;
                            const std::stop_callback also(ctx.stop_token(), [&] { called_back = true; });
                            while (wait && !(ctx.stop_requested() && called_back)) std::this_thread::yield();
                            told = ctx.stop_requested();
                            throw 1;
                          },
                          {.instances_max = 1, .retry = exact});
  const auto running = work.post(true).value().id;
  const auto queued = work.post(false).value().id;
  REQUIRE(eventually(5s, [&] { return runs == 1; }));

  CHECK(host.cancel(queued).value() == invocation_state::queued);
  CHECK(host.cancel(queued).error().code == errc::not_found);
  CHECK(host.cancel(running).value() == invocation_state::running);
  REQUIRE(eventually(5s, [&] { return host.status(running)->state == invocation_state::cancelled; }));
  CHECK(told);
  CHECK(host.status(queued)->state == invocation_state::cancelled);

  const auto waiting = work.post(false).value().id;
  REQUIRE(eventually(5s, [&] { return host.status(waiting)->state == invocation_state::waiting; }));
  CHECK(host.cancel(waiting).value() == invocation_state::waiting);
  CHECK(host.stats().queued == 0);  // at once, not when its time comes
  time.advance(1min);
  REQUIRE(eventually(5s, [&] { return host.stats().queued == 0; }));
  CHECK(runs == 2);
  CHECK(host.stats().dead_letters == 0);
  CHECK(host.cancel({.number = 123'456, .function = 99}).error().code == errc::not_found);
}

TEST_CASE("close does not wait for retries and lists them", "[retry][close]") {
  std::atomic<int> runs{0};
  runtime host;
  auto work = host.define("work", [&] {
    ++runs;
    throw 1;
  });
  const auto id = work.post().value().id;
  REQUIRE(eventually(5s, [&] { return work.stats().function_failures == 1; }));
  const auto begun = std::chrono::steady_clock::now();
  const auto left = host.close(10s);
  CHECK(std::chrono::steady_clock::now() - begun < 5s);
  REQUIRE(left.size() == 1);
  CHECK(left[0].invocation == id.number);
  CHECK(left[0].state == unfinished_state::waiting);
  CHECK(runs == 1);
}
