// SPDX-License-Identifier: MIT

#include "support/catch.hpp"

#include <dormouse/clock.hpp>
#include <dormouse/testing/manual_clock.hpp>

#include <chrono>
#include <cstdint>
#include <limits>

using namespace std::chrono_literals;
using dormouse::testing::manual_clock;

namespace {
struct counting final : dormouse::clock::listener {
  void time_changed() noexcept override { ++calls; }
  int calls = 0;
};
}  // namespace

TEST_CASE("the system clock's ticks agree with the steady clock within 1 %", "[clock]") {
  const dormouse::clock system;
  CHECK_FALSE(system.is_manual());
  // Bracketed on either side, so that a pause of this thread widens the bracket and fails nothing.
  const auto begin_early = std::chrono::steady_clock::now();
  const std::uint64_t from = system.ticks();
  const auto begin_late = system.now();
  while (system.now() - begin_late < 50ms) {}
  const auto end_early = system.now();
  const std::uint64_t to = system.ticks();
  const auto end_late = std::chrono::steady_clock::now();
  const auto measured = system.between(from, to);
  CHECK(measured >= (end_early - begin_late) * 99 / 100);
  CHECK(measured <= (end_late - begin_early) * 101 / 100);
}

TEST_CASE("ticks never go back, and two system clocks count the same ones", "[clock]") {
  const dormouse::clock one;
  const dormouse::clock other;
  std::uint64_t last = one.ticks();
  bool forward = true;
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t next = (i % 2 == 0 ? other : one).ticks();
    forward = forward && next >= last;
    last = next;
  }
  CHECK(forward);
  CHECK(one.to_ticks(1s) == other.to_ticks(1s));
}

TEST_CASE("the system clock's calendar is the machine's", "[clock]") {
  const dormouse::clock system;
  const auto before = std::chrono::system_clock::now();
  const auto wall = system.wall();
  CHECK(wall >= before);
  CHECK(wall <= std::chrono::system_clock::now());
}

TEST_CASE("a duration turned into ticks comes back", "[clock]") {
  const dormouse::clock system;
  const manual_clock manual;
  for (const std::chrono::nanoseconds each : {0ns, 1'000ns, 123'456'789ns, std::chrono::nanoseconds(24h)}) {
    INFO(each.count());
    CHECK(manual.between(5, 5 + manual.to_ticks(each)) == each);
    const auto back = system.between(0, system.to_ticks(each));
    CHECK(back <= each);
    CHECK(back >= each - each / 1'000'000 - 2ns);  // a tick is below 2 ns on any machine that counts cycles
  }
}

TEST_CASE("an interval that goes backwards counts as zero, never as a huge one", "[clock]") {
  const manual_clock time;
  CHECK(time.between(10, 9) == 0ns);
  CHECK(time.between(10, 10) == 0ns);
  CHECK(time.between(std::numeric_limits<std::uint64_t>::max(), 0) == 0ns);
  CHECK(time.to_ticks(-1ns) == 0);
  CHECK(time.to_ticks(std::chrono::nanoseconds::min()) == 0);
}

TEST_CASE("a duration of centuries is cut at one, so that a deadline never wraps", "[clock]") {
  const dormouse::clock system;
  const std::uint64_t most = system.to_ticks(std::chrono::nanoseconds::max());
  CHECK(most == system.to_ticks(std::chrono::hours(24 * 365 * 200)));
  CHECK(system.between(0, most) >= std::chrono::hours(24 * 365 * 99));
  const std::uint64_t now = system.ticks();
  CHECK(now + most > now);
}

TEST_CASE("a manual clock stands still until it is told", "[clock]") {
  manual_clock time;
  CHECK(time.is_manual());
  const auto steady = time.now();
  const auto wall = time.wall();
  const auto ticks = time.ticks();
  const dormouse::clock real;
  for (const auto begun = real.now(); real.now() - begun < 2ms;) {}
  CHECK(time.now() == steady);
  CHECK(time.ticks() == ticks);
  time.advance(90min);
  time.advance(1ns);
  CHECK(time.now() - steady == 90min + 1ns);
  CHECK(time.wall() - wall == 90min + 1ns);
  CHECK(time.between(ticks, time.ticks()) == 90min + 1ns);
}

TEST_CASE("a manual clock's calendar jumps alone, either way", "[clock]") {
  const auto start = std::chrono::system_clock::time_point{1'234s};
  manual_clock time(start);
  CHECK(time.wall() == start);
  const auto steady = time.now();
  const auto ticks = time.ticks();
  time.jump_wall(-24h);
  CHECK(time.wall() == start - 24h);
  time.jump_wall(48h);
  CHECK(time.wall() == start + 24h);
  CHECK(time.now() == steady);
  CHECK(time.ticks() == ticks);
}

TEST_CASE("who listens to a manual clock hears every advance until unsubscribed", "[clock]") {
  manual_clock time;
  counting one;
  counting other;
  time.subscribe(one);
  time.subscribe(other);
  time.advance(1s);
  CHECK(one.calls == 1);
  time.unsubscribe(one);
  time.advance(1s);
  CHECK(one.calls == 1);
  CHECK(other.calls == 2);
  time.unsubscribe(other);
  const dormouse::clock system;
  system.subscribe(one);  // nothing ever moves it by hand
  system.unsubscribe(one);
  CHECK(one.calls == 1);
}
