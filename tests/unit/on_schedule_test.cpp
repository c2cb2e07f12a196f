// SPDX-License-Identifier: MIT
// Schedules that run functions, on a clock that is moved, jumps, and is looked at late.

#include "support/catch.hpp"

#include <dormouse/detail/platform/wall_alarm.hpp>
#include <dormouse/runtime.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/triggers/on_schedule.hpp>

#include <fmt/format.h>
#include <poll.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::manual_clock;

namespace {

constexpr auto start = std::chrono::sys_days{std::chrono::year{2026} / 11 / 23};

// A host without threads, whose only function notes the nominal times it is given.
struct scene {
  manual_clock time{start};
  std::vector<schedule_event> runs{};
  std::function<result<void>()> then{};
  runtime host;
  handle<void(const schedule_event&)> work = host.define<void(const schedule_event&)>(
      "work",
      [this](const schedule_event& run) -> result<void> {
        runs.push_back(run);
        return then ? then() : result<void>{};
      },
      {.queue_depth_max = 3, .retry = {.attempts_max = 2, .delay_first = 90s, .jitter_percent = 0}});

  explicit scene(runtime_options options = {}) : host(mine(std::move(options))) {}
  runtime_options mine(runtime_options options) {
    options.time = &time;
    options.drive = drive_mode::host;
    return options;
  }
  binding attach(std::string_view text, on_schedule_options options = {}) {
    return host.attach(on_schedule(text, std::move(options)), work).value();
  }
  // To each deadline in turn, as somebody who is always awake.
  void pass(std::chrono::nanoseconds by) {
    const auto end = time.now() + by;
    host.poll();
    for (auto next = host.next_deadline(); next && *next <= end; next = host.next_deadline()) {
      if (*next > time.now()) time.advance(*next - time.now());
      host.poll();
    }
    time.advance(end - time.now());
    host.poll();
  }
  // Nobody is awake meanwhile.
  void sleep(std::chrono::nanoseconds by) {
    time.advance(by);
    host.poll();
  }
  std::vector<std::chrono::minutes> minutes() const {
    std::vector<std::chrono::minutes> since;
    for (const auto& each : runs) since.push_back(std::chrono::floor<std::chrono::minutes>(each.nominal - start));
    return since;
  }
};
using minutes = std::vector<std::chrono::minutes>;

}  // namespace

TEST_CASE("a schedule gives each nominal time once, in time", "[on_schedule]") {
  scene now;
  now.attach("*/5 * * * *");
  now.pass(14min);
  CHECK(now.minutes() == minutes{5min, 10min});
  REQUIRE(!now.runs.empty());
  CHECK(!now.runs[0].past_due);
  CHECK(now.runs[0].text == "*/5 * * * *");
  CHECK(now.host.stats().threads_started == 0);
}

TEST_CASE("runs that were missed: none, the latest, or each up to a bound", "[on_schedule]") {
  const auto after = [](missed_runs what, std::size_t most) {
    scene now;
    now.attach("0 * * * *", {.missed = what, .overlap = overlapping_runs::allow, .catch_up_max = most});
    now.sleep(5h + 30min);
    now.pass(1h);
    return now.minutes();
  };
  CHECK(after(missed_runs::skip, 100) == minutes{6h});
  CHECK(after(missed_runs::once, 100) == minutes{5h, 6h});
  CHECK(after(missed_runs::all, 3) == minutes{3h, 4h, 5h, 6h});
  scene late;
  late.attach("0 * * * *");
  late.sleep(1h + 9s);
  CHECK(late.minutes() == minutes{1h});
  CHECK(!late.runs.back().past_due);
  late.sleep(1h + 5s);
  CHECK(late.runs.back().past_due);
}

TEST_CASE("after a long sleep the latest run is found in few steps", "[on_schedule]") {
  const auto begun = std::chrono::steady_clock::now();
  for (const auto* const text : {"@every 1us", "* * * * * *", "* * * 11 *", "@yearly"}) {
    CAPTURE(text);
    scene now;
    now.attach(text);
    now.sleep(24h * 365 + 500ms);
    REQUIRE(now.runs.size() == 1);
    CHECK(start + 24h * 365 + 500ms - now.runs[0].nominal < 24h * 365);
    now.sleep(1us);
    CHECK(now.runs.size() == (text[1] == 'e' ? 2 : 1));
  }
  scene all;
  all.attach("* * * * * *", {.missed = missed_runs::all, .catch_up_max = 10'000, .waiting_max = 5});
  all.sleep(24h * 365);
  CHECK(all.runs.size() == 1);  // the others are due while it is
  CHECK(std::chrono::steady_clock::now() - begun < 5s);
}

TEST_CASE("an earlier process's last run is where a schedule goes on", "[on_schedule]") {
  scene now;
  now.attach("0 * * * *", {.resume_after = start - 3h});
  now.pass(30min);
  CHECK(now.minutes() == minutes{0min});  // the latest of three
  CHECK(!now.runs.back().past_due);
  scene twice;
  twice.attach("0 * * * *", {.resume_after = start});
  twice.pass(30min);
  CHECK(twice.runs.empty());
  scene periods;
  periods.attach("@every 1h", {.resume_after = start - 150min});
  periods.pass(2h);
  CHECK(periods.minutes() == minutes{-30min, 30min, 90min});
  CHECK(periods.runs[0].past_due);
  scene ancient;
  ancient.attach("@hourly", {.resume_after = schedule::time_point::min()});
  ancient.pass(30min);
  CHECK(ancient.minutes() == minutes{0min});
  scene ahead;  // that process had another calendar
  ahead.attach("@hourly", {.resume_after = start + 3h});
  ahead.time.jump_wall(1s);
  ahead.pass(4h);
  CHECK(ahead.minutes() == minutes{4h});
}

TEST_CASE("a calendar that is put forward makes one run at most of what it skipped", "[on_schedule][clock]") {
  for (const auto jump : {1h, 24h}) {
    scene now;
    now.attach("*/10 * * * *");
    now.pass(15min);
    now.time.jump_wall(jump);
    now.host.poll();
    CHECK(now.runs.size() == 2);
    now.pass(10min);
    CHECK(now.minutes() == minutes{10min, jump + 10min, jump + 20min});
    CHECK(now.runs[1].past_due);
  }
}

TEST_CASE("a calendar that is put back repeats nothing that was given", "[on_schedule][clock]") {
  scene now;
  now.attach("*/10 * * * *");
  now.pass(35min);
  for (int i = 0; i < 3; ++i) {
    now.time.jump_wall(-30min);
    now.pass(30min);
    CHECK(now.minutes() == minutes{10min, 20min, 30min});
  }
  now.pass(10min);
  CHECK(now.minutes() == minutes{10min, 20min, 30min, 40min});
}

TEST_CASE("what a calendar put forward has skipped runs when it is put back", "[on_schedule][clock]") {
  scene now;
  now.attach("*/10 * * * *");
  now.pass(15min);
  now.time.jump_wall(1h);  // somebody's mistake
  now.host.poll();
  CHECK(now.minutes() == minutes{10min, 70min});
  now.time.jump_wall(-1h);
  now.pass(60min);
  CHECK(now.minutes() == minutes{10min, 70min, 20min, 30min, 40min, 50min, 60min});
  now.pass(4min);
  CHECK(now.runs.size() == 7);  // 70 min has been
}

TEST_CASE("a machine that began with a calendar far ahead keeps its schedules", "[on_schedule][clock]") {
  scene now;
  now.time.jump_wall(24h * 365 * 70);
  now.attach("0 * * * *");
  now.time.jump_wall(-24h * 365 * 70);
  now.pass(2h);
  CHECK(now.minutes() == minutes{60min, 120min});
}

TEST_CASE("a period does not move with the calendar", "[on_schedule][clock]") {
  scene now;
  now.attach("@every 7m");
  now.pass(8min);
  now.time.jump_wall(5h);
  now.pass(8min);
  now.time.jump_wall(-20h);
  now.pass(8min);
  CHECK(now.minutes() == minutes{7min, 14min, 21min});
}

TEST_CASE("a run that is due while one is unfinished is skipped, runs as well, or waits", "[on_schedule][overlap]") {
  const auto after = [](overlapping_runs what) {
    scene now;
    int attempts = 0;
    now.then = [&]() -> result<void> {  // the first run fails, and succeeds 90 s later
      if (++attempts == 1) return failure{.code = errc::unavailable};
      return {};
    };
    now.attach("* * * * *", {.overlap = what});
    now.pass(3min + 30s);
    return now.minutes();
  };
  CHECK(after(overlapping_runs::skip) == minutes{1min, 1min, 3min});
  CHECK(after(overlapping_runs::allow) == minutes{1min, 2min, 1min, 3min});
  CHECK(after(overlapping_runs::queue) == minutes{1min, 1min, 2min, 3min});
}

TEST_CASE("a dead letter is the end of its run", "[on_schedule][overlap]") {
  scene now;
  now.then = []() -> result<void> { return failure{.code = errc::unavailable}; };
  now.attach("* * * * *", {.overlap = overlapping_runs::queue});
  now.pass(10min);
  CHECK(now.host.stats().dead_letters >= 4);
}

TEST_CASE("a run that the function refuses is offered again, and not lost", "[on_schedule]") {
  scene now;
  CHECK(now.host.pause(now.work));
  now.attach("* * * * *", {.overlap = overlapping_runs::allow, .waiting_max = 2});
  now.pass(7min + 30s);  // three are queued, of the other four two wait
  CHECK(now.runs.empty());
  CHECK(now.host.resume(now.work));
  now.pass(20s);
  CHECK(now.minutes() == minutes{1min, 2min, 3min, 6min, 7min});
}

TEST_CASE("a run for which there is no room among the dead letters is offered again", "[on_schedule]") {
  scene now({.dead_letters_max = 1});
  now.then = []() -> result<void> { return failure{.code = errc::unavailable}; };
  now.attach("at(2026-11-23T00:01:00)");
  now.attach("at(2026-11-23T00:05:00)");
  now.pass(6min);
  CHECK(now.minutes() == minutes{1min, 1min});
  CHECK(now.host.discard_dead_letters() == 1);
  now.pass(2s);
  CHECK(now.minutes() == minutes{1min, 1min, 5min});
}

TEST_CASE("once is once, and nothing stays armed", "[on_schedule]") {
  scene now;
  now.attach("at(2026-11-23T01:00:00)");
  now.pass(2h);
  CHECK(now.minutes() == minutes{60min});
  CHECK(!now.host.next_deadline());
  now.time.jump_wall(-90min);  // and no clock revives it
  now.pass(2h);
  CHECK(now.runs.size() == 1);
  scene past;
  past.attach("at(2026-11-22T01:00:00)");
  past.pass(2h);
  CHECK(past.runs.empty());
  CHECK(!past.host.next_deadline());
  past.time.jump_wall(-26h);
  past.pass(2h);
  CHECK(past.runs.empty());
}

TEST_CASE("a detached schedule gives nothing", "[on_schedule]") {
  scene now;
  const auto bound = now.attach("* * * * *");
  now.pass(90s);
  CHECK(now.host.detach(bound));
  now.time.jump_wall(1h);
  now.pass(10min);
  CHECK(now.runs.size() == 1);
}

TEST_CASE("wiring says what is wrong with a schedule", "[on_schedule]") {
  CHECK_THROWS_WITH(on_schedule("61 * * * *"),
                    "dormouse: on_schedule(\"61 * * * *\"): column 1: 61 is no minute; give 0 .. 59");
  CHECK_THROWS_WITH(on_schedule("TZ=Europe/Berlin 0 3 * * *"),
                    "dormouse: the schedule 'TZ=Europe/Berlin 0 3 * * *' names the zone Europe/Berlin; give it as "
                    "on_schedule_options::zone (find_time_zone)");
  CHECK_NOTHROW(on_schedule("TZ=UTC 0 3 * * *"));
  CHECK_THROWS_AS(on_schedule("@hourly", {.missed_after = 0s}), std::invalid_argument);
  CHECK_THROWS_AS(on_schedule("@hourly", {.catch_up_max = 0}), std::invalid_argument);
  CHECK_THROWS_AS(on_schedule("@hourly", {.waiting_max = 20'000}), std::invalid_argument);
}

#if DORMOUSE_PLATFORM_LINUX
TEST_CASE("the alarm of the calendar clock can be read when its time has come, and not before", "[on_schedule]") {
  detail::wall_alarm alarm;
  REQUIRE(alarm.open());
  const auto readable = [&](int ms) {
    pollfd one{.fd = alarm.descriptor(), .events = POLLIN, .revents = 0};
    return ::poll(&one, 1, ms) == 1;
  };
  alarm.set(std::chrono::system_clock::now() + 1h);
  CHECK(!readable(0));
  alarm.set(std::chrono::system_clock::now() + 1ms);
  CHECK(readable(10'000));
  alarm.drain();
  CHECK(!readable(0));
  alarm.set(std::chrono::system_clock::time_point{} - 24h);  // long past
  CHECK(readable(10'000));
  // That it is cancelled when somebody sets the clock is the kernel's doing: what can be seen is that it was asked to.
  std::ifstream info(fmt::format("/proc/self/fdinfo/{}", alarm.descriptor()));
  const std::string told(std::istreambuf_iterator<char>(info), {});
  const int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
  INFO(told);
  CHECK(told.find(fmt::format("clockid: {}\n", CLOCK_REALTIME)) != std::string::npos);
  CHECK(told.find(fmt::format("settime flags: 0{}\n", flags)) != std::string::npos);
}
#endif
