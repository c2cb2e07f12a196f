// SPDX-License-Identifier: MIT
#pragma once

// What a cron expression allows, and the first local time that it allows. Knows nothing of text and of time zones.

#include <dormouse/detail/config.hpp>

#include <array>
#include <bitset>
#include <chrono>
#include <cstdint>
#include <optional>
#include <variant>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

struct cron_fields {
  static constexpr int year_first = 1900;  // next() looks no further in either direction
  static constexpr int year_last = 2261;   // the system clock ends in 2262

  // Bit n: n is allowed.
  std::uint64_t seconds = 1;
  std::uint64_t minutes = 0;
  std::uint32_t hours = 0;
  std::uint32_t days = 0;      // 1..31
  std::uint32_t months = 0;    // 1..12
  std::uint32_t weekdays = 0;  // 0..6, Sunday first
  std::bitset<year_last - year_first + 1> years = ~std::bitset<year_last - year_first + 1>{};
  bool any_day = false;  // * or ?: says nothing
  bool any_weekday = false;
  bool follows_elapsed_time = false;  // hours are * or have a step

  std::uint32_t days_before_last = 0;  // bit n: the last of the month, less n (L, L-n)
  std::uint32_t nearest_weekdays = 0;  // bit n: the weekday nearest to the n-th, in its month (nW)
  bool last_weekday = false;           // the last Monday to Friday of the month (LW)
  std::uint32_t last_of_weekdays = 0;  // bit n: the last such day of the month (nL)
  std::array<std::uint8_t, 7> nth{};   // [weekday], bit n: its n-th in the month (d#n)

  [[nodiscard]] bool allows(std::chrono::year_month_day day) const noexcept;
  // The first allowed time at or after `from`.
  [[nodiscard]] std::optional<std::chrono::local_seconds> first_from(std::chrono::local_seconds from) const noexcept;

 private:
  [[nodiscard]] bool allows_day_of_month(std::chrono::year_month_day day, unsigned last) const noexcept;
  [[nodiscard]] bool allows_weekday(std::chrono::year_month_day day, unsigned last) const noexcept;
  [[nodiscard]] std::optional<std::chrono::seconds> time_of_day_from(std::chrono::seconds from) const noexcept;
};

// What a schedule is: times of the calendar, a period, one time, or one local time.
using schedule_rule = std::variant<cron_fields, std::chrono::nanoseconds, std::chrono::system_clock::time_point,
                                   std::chrono::local_seconds>;

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
