// SPDX-License-Identifier: MIT
#pragma once

// When something is due, again and again: a value parsed from text, and the pure function that says when next.
//
//   auto weekdays = schedule::parse("30 8 * * Mon-Fri").value();
//   auto first = weekdays.next(std::chrono::system_clock::now());
//
// Text                                  Meaning
//   30 8 * * Mon-Fri                    five fields: minute hour day-of-month month day-of-week
//   15 30 8 * * Mon-Fri                 six: with seconds first
//   @hourly @daily @midnight @weekly @monthly @yearly @annually
//   @every 250ms                        a period: ns us ms s m h d, also together (1h30m); 1 us .. 365 days
//   TZ=Europe/Berlin 0 3 * * *          in a time zone (CRON_TZ= is the same)
//   cron(0 10 ? * 6L 2026-2030)         AWS: the year comes last; ? L W LW L-3 #, days of the week 1-7 = SUN-SAT
//   rate(5 minutes)                     AWS
//   at(2026-11-23T10:00:00)             AWS: once, in local time; with Z behind it (10:00:00Z) in UTC
// A field is * or a list of numbers, names (Jan, mon), ranges (9-17) and steps (*/15, 9-17/2, 5/15: from 5 on). 0 and 7
// are Sunday. ? is *. When day-of-month and day-of-week are both given, either is enough.
//
// Time zones (reliability over surprise): schedules run in UTC unless they name a zone or on_schedule is given one.
// A schedule whose hours are fixed (9, 9-17, 8,20) runs once at each of its local times: a time that the clock skips
// runs when the clock has been put forward, several such together once; a time that comes twice runs the first time.
// One whose hours are * or have a step follows elapsed time: times that are skipped do not run, repeated ones do twice.
// Threads: const members from any thread. Nothing blocks.

#include <dormouse/detail/cron_fields.hpp>
#include <dormouse/result.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// Offsets from UTC. UTC itself is here; the zones of the IANA database come with the component dormouse::time_zones.
class time_zone {
 public:
  // A time without changes: from `begin` on, before `end`, local time is UTC plus `offset`.
  struct period {
    std::chrono::sys_seconds begin{};
    std::chrono::sys_seconds end{};
    std::chrono::seconds offset{0};
  };
  time_zone() = default;
  time_zone(const time_zone&) = delete;
  time_zone& operator=(const time_zone&) = delete;
  virtual ~time_zone() = default;

  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  // Called on library threads, too: must neither block for long nor throw.
  [[nodiscard]] virtual period at(std::chrono::sys_seconds when) const = 0;

  [[nodiscard]] static const time_zone& utc() noexcept;
};

class schedule {
 public:
  using time_point = std::chrono::system_clock::time_point;

  // Fails: invalid_argument, with column, reason and mend in `detail`, for text that is malformed, has a value out of
  // its range, or never fires (30 Feb). At most 1,024 bytes.
  static result<schedule> parse(std::string_view text);
  // Every `period`. Throws std::invalid_argument outside 1 us .. 365 days.
  static schedule every(std::chrono::nanoseconds period);
  // Once.
  static schedule at(time_point when);

  // The first time after `after`; empty when there is none any more. For a period: `after` plus the period. Times are
  // whole seconds but for periods and at(). Years 1900 .. 2261; computed in bounded time (well under 1 us; rare
  // ones like "0 0 29 2 *" some us, none more than a few ms).
  [[nodiscard]] std::optional<time_point> next(time_point after, const time_zone& zone = time_zone::utc()) const;

  // As it was parsed, or in the words above.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  // What TZ= named; empty: nothing.
  [[nodiscard]] const std::string& zone_name() const noexcept { return zone_name_; }
  // The period of a schedule that has one: it is counted from when it began, on the steady clock.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> period() const noexcept;

 private:
  schedule(std::string text, std::string zone_name, detail::schedule_rule what)
      : text_(std::move(text)), zone_name_(std::move(zone_name)), rule_(what) {}

  std::string text_;
  std::string zone_name_;
  detail::schedule_rule rule_;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/triggers/schedule.ipp>
#endif
