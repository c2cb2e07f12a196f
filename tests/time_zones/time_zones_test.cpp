// SPDX-License-Identifier: MIT
// Schedules in the zones of the IANA database: tables of the changes of daylight saving time, and recorded cases.

#include "support/catch.hpp"

#include <dormouse/triggers/on_schedule.hpp>
#include <dormouse/triggers/time_zones.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>
#if __has_include(<nlohmann/json.hpp>)
#include <nlohmann/json.hpp>
#endif

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using time_point = schedule::time_point;
using texts = std::vector<std::string>;

namespace {

const time_zone& zone(std::string_view name) {
  static std::map<std::string, std::shared_ptr<const time_zone>, std::less<>> known;
  auto& found = known[std::string(name)];
  if (found == nullptr) found = find_time_zone(name).value();
  return *found;
}

// 2012-03-11T03:00:00-0400: local time and offset.
std::string shown(time_point when, const time_zone& in) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(when);
  const auto offset = in.at(whole).offset;
  const auto minutes = std::chrono::abs(std::chrono::duration_cast<std::chrono::minutes>(offset)).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}{}{:02}{:02}", whole + offset, offset < 0s ? '-' : '+', minutes / 60,
                     minutes % 60);
}

// The reverse.
time_point read(const std::string& text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, offset = 0;
  if (std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%d%d", &year, &month, &day, &hour, &minute, &second, &offset) != 7) {
    throw std::invalid_argument(text);
  }
  return std::chrono::sys_days{std::chrono::year{year} / month / day} + std::chrono::hours{hour} +
         std::chrono::minutes{minute} + std::chrono::seconds{second} - std::chrono::hours{offset / 100} -
         std::chrono::minutes{offset % 100};
}

texts times(std::string_view text, std::string_view in, const std::string& after, std::size_t count) {
  const auto parsed = schedule::parse(text).value();
  texts found;
  for (auto next = parsed.next(read(after), zone(in)); next && found.size() < count;
       next = parsed.next(*next, zone(in))) {
    found.push_back(shown(*next, zone(in)));
  }
  return found;
}

// "Mon Jul 9 15:04:05 2012", seconds left out perhaps; the name of the day is not looked at.
time_point read_long(const std::string& text) {
  std::istringstream words(text);
  std::string weekday, month, clock_time;
  int day = 0, year = 0;
  words >> weekday >> month >> day >> clock_time >> year;
  static const texts months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto at = std::find(months.begin(), months.end(), month) - months.begin() + 1;
  int hour = 0, minute = 0, second = 0;
  std::sscanf(clock_time.c_str(), "%d:%d:%d", &hour, &minute, &second);
  return std::chrono::sys_days{std::chrono::year{year} / static_cast<int>(at) / day} + std::chrono::hours{hour} +
         std::chrono::minutes{minute} + std::chrono::seconds{second};
}
time_point read_any(const std::string& text) { return text[0] >= '0' && text[0] <= '9' ? read(text) : read_long(text); }

}  // namespace

TEST_CASE("New York: fixed hours run once where the clock is put forward, and the first time where it is put back",
          "[dst]") {
  constexpr auto in = "America/New_York";
  CHECK(times("30 2 * * *", in, "2026-03-07T00:00:00-0500", 3) ==
        texts{"2026-03-07T02:30:00-0500", "2026-03-08T03:00:00-0400", "2026-03-09T02:30:00-0400"});
  CHECK(times("0,15,30,45 2 * * *", in, "2026-03-08T00:00:00-0500", 2) ==
        texts{"2026-03-08T03:00:00-0400", "2026-03-09T02:00:00-0400"});  // four that were skipped are one
  CHECK(times("30 1 * * *", in, "2026-11-01T00:00:00-0400", 2) ==
        texts{"2026-11-01T01:30:00-0400", "2026-11-02T01:30:00-0500"});
  CHECK(times("30 1 * * *", in, "2026-11-01T01:10:00-0500", 1) == texts{"2026-11-02T01:30:00-0500"});
  CHECK(times("0 9-10 * * Sun", in, "2026-03-08T00:00:00-0500", 2) ==
        texts{"2026-03-08T09:00:00-0400", "2026-03-08T10:00:00-0400"});
}

TEST_CASE("New York: hours that are * or have a step follow elapsed time", "[dst]") {
  constexpr auto in = "America/New_York";
  CHECK(times("30 * * * *", in, "2026-03-08T00:45:00-0500", 3) ==
        texts{"2026-03-08T01:30:00-0500", "2026-03-08T03:30:00-0400", "2026-03-08T04:30:00-0400"});
  CHECK(times("30 * * * *", in, "2026-11-01T00:45:00-0400", 3) ==
        texts{"2026-11-01T01:30:00-0400", "2026-11-01T01:30:00-0500", "2026-11-01T02:30:00-0500"});
  CHECK(times("0 */2 * * *", in, "2026-03-08T00:30:00-0500", 2) ==
        texts{"2026-03-08T04:00:00-0400", "2026-03-08T06:00:00-0400"});
  CHECK(times("*/30 * * * *", in, "2026-03-08T01:15:00-0500", 3) ==
        texts{"2026-03-08T01:30:00-0500", "2026-03-08T03:00:00-0400", "2026-03-08T03:30:00-0400"});
}

TEST_CASE("Berlin: the same at other times of the day and the year", "[dst]") {
  constexpr auto in = "Europe/Berlin";
  CHECK(times("0 2 * * *", in, "2026-03-28T12:00:00+0100", 2) ==
        texts{"2026-03-29T03:00:00+0200", "2026-03-30T02:00:00+0200"});
  CHECK(times("30 2 * * *", in, "2026-10-24T12:00:00+0200", 2) ==
        texts{"2026-10-25T02:30:00+0200", "2026-10-26T02:30:00+0100"});
  CHECK(times("30 */1 * * *", in, "2026-10-25T02:00:00+0200", 3) ==
        texts{"2026-10-25T02:30:00+0200", "2026-10-25T02:30:00+0100", "2026-10-25T03:30:00+0100"});
  for (int year = 2000; year <= 2036; ++year) {
    const auto parsed = schedule::parse("0 0 1 1 *").value();
    const auto next = parsed.next(read(fmt::format("{}-06-01T00:00:00+0200", year)), zone(in));
    CHECK(shown(*next, zone(in)) == fmt::format("{}-01-01T00:00:00+0100", year + 1));
  }
}

TEST_CASE("Lord Howe: half an hour is skipped and repeated", "[dst]") {
  constexpr auto in = "Australia/Lord_Howe";
  CHECK(times("15 2 * * *", in, "2026-10-03T12:00:00+1030", 2) ==
        texts{"2026-10-04T02:30:00+1100", "2026-10-05T02:15:00+1100"});
  CHECK(times("45 1 * * *", in, "2026-04-04T12:00:00+1100", 2) ==
        texts{"2026-04-05T01:45:00+1100", "2026-04-06T01:45:00+1030"});
  CHECK(times("*/15 * * * *", in, "2026-10-04T01:40:00+1030", 3) ==
        texts{"2026-10-04T01:45:00+1030", "2026-10-04T02:30:00+1100", "2026-10-04T02:45:00+1100"});
  CHECK(times("*/15 * * * *", in, "2026-04-05T01:25:00+1100", 6) ==
        texts{"2026-04-05T01:30:00+1100", "2026-04-05T01:45:00+1100", "2026-04-05T01:30:00+1030",
              "2026-04-05T01:45:00+1030", "2026-04-05T02:00:00+1030", "2026-04-05T02:15:00+1030"});
}

namespace {

// One kind of expression, and which local times it names, said once more without the library.
struct sweep_case {
  const char* text;
  bool follows_elapsed_time;
  bool (*names)(int hour, int minute);
};
constexpr sweep_case sweep_cases[] = {
    {"30 2 * * *", false, [](int h, int m) { return h == 2 && m == 30; }},
    {"15 2 * * *", false, [](int h, int m) { return h == 2 && m == 15; }},
    {"*/15 2 * * *", false, [](int h, int m) { return h == 2 && m % 15 == 0; }},
    {"0,45 1 * * *", false, [](int h, int m) { return h == 1 && (m == 0 || m == 45); }},
    {"45 1-3 * * *", false, [](int h, int m) { return h >= 1 && h <= 3 && m == 45; }},
    {"0 0,3 * * *", false, [](int h, int m) { return (h == 0 || h == 3) && m == 0; }},
    {"*/15 * * * *", true, [](int, int m) { return m % 15 == 0; }},
    {"30 * * * *", true, [](int, int m) { return m == 30; }},
    {"10 */2 * * *", true, [](int h, int m) { return h % 2 == 0 && m == 10; }},
    {"40 1/24 * * *", true, [](int h, int m) { return h == 1 && m == 40; }},
};

// Minute by minute: what a person with a clock on the wall would do. A fixed time is done when the clock reaches it, or
// is past it, for the first time.
std::vector<std::chrono::sys_seconds> by_the_wall(const sweep_case& what, const time_zone& in,
                                                  std::chrono::sys_seconds begin, std::chrono::sys_seconds end) {
  const auto named = [&](std::chrono::seconds local) {
    const auto of_day = (local % 24h + 24h) % 24h;
    return what.names(static_cast<int>(of_day / 1h), static_cast<int>(of_day % 1h / 1min));
  };
  std::vector<std::chrono::sys_seconds> done;
  auto period = in.at(begin - 1min);
  auto furthest = (begin - 1min).time_since_epoch() + period.offset;
  for (auto now = begin; now <= end; now += 1min) {
    if (now >= period.end) period = in.at(now);
    const auto local = now.time_since_epoch() + period.offset;
    bool due = what.follows_elapsed_time && named(local);
    for (; !what.follows_elapsed_time && furthest < local; furthest += 1min) due = due || named(furthest + 1min);
    if (due) done.push_back(now);
  }
  return done;
}

}  // namespace

TEST_CASE("around every change from 1985 to 2037 schedules run as by the clock on the wall", "[dst]") {
  const std::chrono::sys_seconds last = std::chrono::sys_days{std::chrono::year{2038} / 1 / 1};
  for (const char* const name : {"America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo",
                                 "Africa/Casablanca", "Asia/Tehran", "Pacific/Apia", "Antarctica/Troll"}) {
    const time_zone& in = zone(name);
    std::size_t changes = 0;
    for (auto period = in.at(std::chrono::sys_days{std::chrono::year{1985} / 1 / 1}); period.end < last; ++changes) {
      const auto begin = period.end - 50h;
      const auto end = period.end + 50h;
      for (const sweep_case& what : sweep_cases) {
        const auto parsed = schedule::parse(what.text).value();
        std::vector<std::chrono::sys_seconds> found;
        for (auto next = parsed.next(begin - 1s, in); next && *next <= end; next = parsed.next(*next, in)) {
          found.push_back(std::chrono::floor<std::chrono::seconds>(*next));
        }
        CAPTURE(name, what.text, shown(period.end, in));
        REQUIRE(found == by_the_wall(what, in, begin, end));
      }
      period = in.at(period.end);
    }
    CHECK(changes >= 2);
  }
}

TEST_CASE("a single time is local: right after the gap, and the first of two", "[dst]") {
  CHECK(times("at(2026-07-01T10:00:00)", "Europe/Berlin", "2026-01-01T00:00:00+0100", 2) ==
        texts{"2026-07-01T10:00:00+0200"});
  CHECK(times("at(2026-03-29T02:30:00)", "Europe/Berlin", "2026-01-01T00:00:00+0100", 2) ==
        texts{"2026-03-29T03:00:00+0200"});
  CHECK(times("at(2026-10-25T02:30:00)", "Europe/Berlin", "2026-01-01T00:00:00+0100", 2) ==
        texts{"2026-10-25T02:30:00+0200"});
  CHECK(times("at(2026-07-01T10:00:00Z)", "Europe/Berlin", "2026-01-01T00:00:00+0100", 2) ==
        texts{"2026-07-01T12:00:00+0200"});
}

TEST_CASE("a day that is missing altogether, and midnights that are", "[dst]") {
  CHECK(times("0 12 * * *", "Pacific/Apia", "2011-12-29T00:00:00-1000", 3) ==
        texts{"2011-12-29T12:00:00-1000", "2011-12-31T00:00:00+1400", "2011-12-31T12:00:00+1400"});
  CHECK(times("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00-0300", 2) ==
        texts{"2018-11-04T01:00:00-0200", "2018-11-05T00:00:00-0200"});
}

TEST_CASE("names are looked up", "[zone]") {
  CHECK(find_time_zone("Europe/Berlin").value()->name() == "Europe/Berlin");
  CHECK(find_time_zone("Europe/Atlantis").error().code == errc::not_found);
  CHECK(find_time_zone("../../etc/passwd").error().code == errc::not_found);
  CHECK(find_time_zone("").error().code == errc::not_found);
  CHECK_NOTHROW(on_schedule("TZ=Europe/Berlin 0 3 * * *", {.zone = find_time_zone("Europe/Berlin").value()}));
  CHECK_THROWS_AS(on_schedule("TZ=Europe/Berlin 0 3 * * *", {.zone = find_time_zone("Asia/Tokyo").value()}),
                  std::invalid_argument);
}

#if __has_include(<nlohmann/json.hpp>)
TEST_CASE("recorded cases", "[cases]") {
  const auto file = std::filesystem::path(DORMOUSE_CASES_DIR) / "cron" / "robfig-cron.json";
  if (!exists(file)) {
    WARN("SKIPPED: no recorded cases at " << file.string());
    return;
  }
  const auto all = nlohmann::json::parse(std::ifstream(file));
  // Where those cases run what was skipped not at all, and what is repeated twice (see schedule.hpp).
  const std::map<std::pair<std::string, std::string>, std::string> otherwise{
      {{"0 30 2 11 Mar ?", "2012-03-11T00:00:00-0500"}, "2012-03-11T03:00:00-0400"},
      {{"0 0 2 * * ?", "2012-03-11T00:00:00-0500"}, "2012-03-11T03:00:00-0400"},
      {{"0 30 1 04 Nov ?", "2012-11-04T01:45:00-0400"}, "2013-11-04T01:30:00-0500"},
      {{"0 0 1 * * ?", "2012-11-04T01:00:00-0400"}, "2012-11-05T01:00:00-0500"}};
  std::size_t ran = 0;
  std::size_t differing = 0;
  for (const auto& each : all.at("activation")) {
    const auto when = read_long(each.at("time"));
    const auto parsed = schedule::parse(each.at("spec").get<std::string>());
    INFO(each.dump());
    REQUIRE(parsed);
    CHECK((parsed->next(when - 1s) == when) == each.at("expected").get<bool>());
    ++ran;
  }
  for (const auto& each : all.at("next")) {
    std::string spec = each.at("spec");
    std::string from = each.at("time");
    std::string name = "UTC";
    for (std::string* const text : {&spec, &from}) {
      if (const auto at = text->find("TZ="); at != std::string::npos) {
        name = text->substr(at + 3, text->find(' ') - at - 3);
        *text = text->substr(text->find(' ') + 1);
      }
    }
    INFO(each.dump());
    const auto parsed = schedule::parse(spec);
    ++ran;
    if (each.at("next").get<std::string>().empty()) {
      CHECK(!parsed);
      continue;
    }
    REQUIRE(parsed);
    const auto next = parsed->next(read_any(from), zone(name));
    REQUIRE(next);
    std::string wanted = each.at("next");
    if (const auto ours = otherwise.find({spec, from}); name != "UTC" && ours != otherwise.end()) {
      wanted = ours->second;
      ++differing;
    }
    CHECK(shown(*next, zone("UTC")) == shown(read_any(wanted), zone("UTC")));
  }
  for (const auto& each : all.at("errors")) {
    INFO(each.dump());
    CHECK(!schedule::parse(each.get<std::string>()));
    ++ran;
  }
  const std::size_t there = all.at("activation").size() + all.at("next").size() + all.at("errors").size();
  WARN(ran << " of " << there << " recorded cases, " << differing << " of them with our own answer");
  CHECK(ran == there);
  CHECK(differing == 5);
}
#else
TEST_CASE("recorded cases", "[cases]") { DORMOUSE_SKIP("nlohmann-json is not installed"); }
#endif
