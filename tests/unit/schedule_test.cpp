// SPDX-License-Identifier: MIT
// Expressions and the times they mean, in UTC; what is wrong with those that mean none.

#include "support/catch.hpp"

#include <dormouse/triggers/schedule.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using time_point = schedule::time_point;

namespace {

time_point utc(int year, unsigned month, unsigned day, int hour = 0, int minute = 0, int second = 0) {
  return std::chrono::sys_days{std::chrono::year{year} / static_cast<int>(month) / static_cast<int>(day)} +
         std::chrono::hours{hour} + std::chrono::minutes{minute} + std::chrono::seconds{second};
}

// The next times, as text.
std::vector<std::string> times(std::string_view text, time_point after, std::size_t count) {
  std::vector<std::string> found;
  auto parsed = schedule::parse(text);
  if (!parsed) return {parsed.error().detail};
  for (auto next = parsed->next(after); next && found.size() < count; next = parsed->next(*next)) {
    found.push_back(fmt::format("{:%Y-%m-%d %H:%M:%S}", std::chrono::floor<std::chrono::seconds>(*next)));
  }
  return found;
}

using texts = std::vector<std::string>;

}  // namespace

TEST_CASE("five fields, with names, lists, ranges and steps", "[schedule]") {
  const auto monday = utc(2026, 11, 23, 9, 30);
  CHECK(times("30 8 * * Mon-Fri", monday, 2) == texts{"2026-11-24 08:30:00", "2026-11-25 08:30:00"});
  CHECK(times("*/20 9-10,22 * * *", monday, 4) ==
        texts{"2026-11-23 09:40:00", "2026-11-23 10:00:00", "2026-11-23 10:20:00", "2026-11-23 10:40:00"});
  CHECK(times("0 0 1 JAN,jul *", monday, 2) == texts{"2027-01-01 00:00:00", "2027-07-01 00:00:00"});
  CHECK(times("5/25 3 * * *", monday, 3) == texts{"2026-11-24 03:05:00", "2026-11-24 03:30:00", "2026-11-24 03:55:00"});
  CHECK(times("0 12 * * 7", monday, 1) == texts{"2026-11-29 12:00:00"});
  CHECK(times("0 12 * * 0", monday, 1) == texts{"2026-11-29 12:00:00"});
  CHECK(times("0 12 * * 5-7", monday, 3) == texts{"2026-11-27 12:00:00", "2026-11-28 12:00:00", "2026-11-29 12:00:00"});
  CHECK(times("  0 12 13 * Fri ", monday, 2) == texts{"2026-11-27 12:00:00", "2026-12-04 12:00:00"});  // either
  CHECK(times("0 0 29 2 *", monday, 2) == texts{"2028-02-29 00:00:00", "2032-02-29 00:00:00"});
  CHECK(times("0 0 29 2 *", utc(2096, 3, 1), 1) == texts{"2104-02-29 00:00:00"});
}

TEST_CASE("six fields have seconds first", "[schedule]") {
  CHECK(times("*/30 59 23 31 12 *", utc(2026, 1, 1), 3) ==
        texts{"2026-12-31 23:59:00", "2026-12-31 23:59:30", "2027-12-31 23:59:00"});
  CHECK(schedule::parse("0 * * * * *")->next(utc(2026, 1, 1) + 1ms) == utc(2026, 1, 1, 0, 1));
}

TEST_CASE("names, periods and single times", "[schedule]") {
  const auto after = utc(2026, 11, 23, 9, 30);
  CHECK(times("@hourly", after, 1) == texts{"2026-11-23 10:00:00"});
  CHECK(times("@daily", after, 1) == texts{"2026-11-24 00:00:00"});
  CHECK(times("@midnight", after, 1) == texts{"2026-11-24 00:00:00"});
  CHECK(times("@weekly", after, 1) == texts{"2026-11-29 00:00:00"});
  CHECK(times("@monthly", after, 1) == texts{"2026-12-01 00:00:00"});
  CHECK(times("@yearly", after, 1) == texts{"2027-01-01 00:00:00"});
  CHECK(times("@annually", after, 1) == texts{"2027-01-01 00:00:00"});
  CHECK(schedule::parse("@every 250ms")->next(after) == after + 250ms);
  CHECK(schedule::parse("@every 1h30m")->period() == std::chrono::nanoseconds{90min});
  CHECK(schedule::parse("rate(5 minutes)")->period() == std::chrono::nanoseconds{5min});
  CHECK(schedule::parse("rate(1 day)")->period() == std::chrono::nanoseconds{24h});
  CHECK(times("at(2026-11-23T10:00:00)", after, 2) == texts{"2026-11-23 10:00:00"});
  CHECK(times("at(2026-11-23T09:00:00)", after, 2).empty());
  CHECK(times("at(2026-11-23T10:00:00Z)", after, 2) == texts{"2026-11-23 10:00:00"});
  CHECK(schedule::at(after).next(after - 1s) == after);
  CHECK(schedule::parse(schedule::at(after).text())->next(after - 1s) == after);
  CHECK(schedule::parse(schedule::every(1500us).text())->period() == 1500us);
  CHECK(!schedule::at(after).next(after));
  CHECK(schedule::every(2s).next(after) == after + 2s);
  CHECK_THROWS_AS(schedule::every(0s), std::invalid_argument);
}

TEST_CASE("AWS expressions: ? L W and #, and the year", "[schedule]") {
  const auto after = utc(2026, 11, 23, 9, 30);
  CHECK(times("cron(0 10 * * ? *)", after, 2) == texts{"2026-11-23 10:00:00", "2026-11-24 10:00:00"});
  CHECK(times("cron(15 12 ? * MON-FRI 2026)", utc(2026, 12, 31, 13), 1).empty());
  CHECK(times("cron(0 18 L * ? *)", after, 2) == texts{"2026-11-30 18:00:00", "2026-12-31 18:00:00"});
  CHECK(times("cron(0 18 L-2 2 ? *)", after, 2) == texts{"2027-02-26 18:00:00", "2028-02-27 18:00:00"});
  CHECK(times("cron(0 8 15W * ? 2026-2027)", utc(2026, 8, 1), 3) ==
        texts{"2026-08-14 08:00:00", "2026-09-15 08:00:00", "2026-10-15 08:00:00"});
  CHECK(times("cron(0 8 1W 8 ? *)", utc(2026, 1, 1), 1) == texts{"2026-08-03 08:00:00"});  // not into July
  CHECK(times("cron(0 8 LW * ? *)", utc(2026, 1, 1), 2) == texts{"2026-01-30 08:00:00", "2026-02-27 08:00:00"});
  CHECK(times("cron(0 8 ? * 6L *)", utc(2026, 11, 1), 2) == texts{"2026-11-27 08:00:00", "2026-12-25 08:00:00"});
  CHECK(times("cron(0 8 ? * 2#1 *)", utc(2026, 11, 3), 1) == texts{"2026-12-07 08:00:00"});
  CHECK(times("cron(0 8 ? * 1 *)", after, 1) == texts{"2026-11-29 08:00:00"});  // 1 is Sunday
  CHECK(times("cron(0 8 ? * L *)", after, 1) == texts{"2026-11-28 08:00:00"});
}

TEST_CASE("what is wrong with an expression is said, with its column", "[schedule]") {
  const auto wrong = [](std::string_view text) { return schedule::parse(text).error().detail; };
  CHECK(wrong("60 0 * * *") == "column 1: 60 is no minute; give 0 .. 59");
  CHECK(wrong("0 0 * * XYZ") == "column 9: no day of the week of that name; names have three letters, as sun");
  CHECK(wrong("0 24 * * *") == "column 3: 24 is no hour; give 0 .. 23");
  CHECK(wrong("0 0 0 * *") == "column 5: 0 is no day of the month; give 1 .. 31");
  CHECK(wrong("1-5,9-7 0 * * *") == "column 5: the range ends before it begins; give two of them, 9-59 and 0-7");
  CHECK(wrong("*/0 0 * * *") == "column 4: a step of 0 goes nowhere");
  CHECK(wrong("0 0 * *") ==
        "column 1: 4 fields; give five (minute hour day-of-month month day-of-week), or six with seconds first");
  CHECK(wrong("0 0 30 2 *") == "column 1: it never fires: none of its months has such a day");
  CHECK(wrong("0 0 31 4,6,9,11 *") == "column 1: it never fires: none of its months has such a day");
  CHECK(wrong("") == "column 1: nothing is scheduled; give five fields, as in 30 8 * * Mon-Fri");
  CHECK(wrong("0 0 1x * *") == "column 6: 'x' does not belong into the day of the month");
  CHECK(wrong("@fortnightly").starts_with("column 1: the names are @hourly"));
  CHECK(wrong("@every 5") == "column 9: the unit must be ns, us, ms, s, m, h or d");
  CHECK(wrong("@every 5ns") == "column 8: give a period of 1 us .. 365 days");
  CHECK(wrong("@every 999999999999h").starts_with("column"));
  CHECK(wrong("rate(1 minutes)") == "column 8: 1 minute, but 2 minutes");
  CHECK(wrong("rate(5 weeks)") == "column 8: the unit must be minute(s), hour(s) or day(s)");
  CHECK(wrong("at(2026-13-01T00:00:00)") == "column 4: no such day");
  CHECK(wrong("at(9999-12-01T00:00:00)") == "column 4: give a year of 1900 .. 2261");
  CHECK(wrong("at(2026-12-01T00:00:00+01)") == "column 23: only Z may follow the time");
  CHECK(wrong("at(2026-12-01)").starts_with("column 14: a time is expected"));
  CHECK(wrong("cron(0 8 1 * MON *)") == "column 14: one of day-of-month and day-of-week, and only one, must be ?");
  CHECK(wrong("cron(0 8 ? * 8#1 *)") == "column 14: 8 is no day of the week; give 1 .. 7");
  CHECK(wrong("cron(0 8 ? * 2#6 *)").starts_with("column 17: a month has up to five"));
  CHECK(wrong("cron(0 8 ? * MON *") == "column 19: the closing ) is missing");
  CHECK(wrong("TZ= 0 0 * * *") == "column 4: a time zone is expected, as in TZ=Europe/Berlin");
  CHECK(wrong("TZ=UTC\t60 0 * * *") == "column 8: 60 is no minute; give 0 .. 59");
  CHECK(wrong("TZ=UTC") == "column 7: nothing is scheduled; give five fields, as in 30 8 * * Mon-Fri");
  CHECK(wrong(std::string(2'000, '*')) == "column 1: a schedule has at most 1,024 bytes");
  CHECK(schedule::parse("x").error().code == errc::invalid_argument);
}

TEST_CASE("next is bounded for rare and for exhausted schedules", "[schedule]") {
  const auto begun = std::chrono::steady_clock::now();
  CHECK(!schedule::parse("cron(0 0 1 1 ? 1999)")->next(utc(2026, 1, 1)));
  CHECK(!schedule::parse("0 0 1 1 *")->next(utc(2261, 6, 1)));
  CHECK(!schedule::parse("* * * * *")->next(time_point::max()));
  CHECK(!schedule::parse("@every 1h")->next(time_point::max()));
  CHECK(!schedule::parse("* * * * *")->next(time_point::min()));
  CHECK(std::chrono::steady_clock::now() - begun < 1s);
}
