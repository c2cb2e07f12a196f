// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/cron_fields.hpp>

#include <algorithm>
#include <bit>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

DORMOUSE_INLINE unsigned weekday_of(std::chrono::year_month_day day) noexcept {
  return std::chrono::weekday{std::chrono::sys_days{day}}.c_encoding();
}

// The Monday to Friday nearest to the n-th, without leaving the month.
DORMOUSE_INLINE unsigned nearest_weekday(std::chrono::year_month_day in, unsigned n, unsigned last) noexcept {
  n = std::min(n, last);
  const unsigned weekday = weekday_of(in.year() / in.month() / std::chrono::day{n});
  if (weekday == 6) return n > 1 ? n - 1 : n + 2;
  if (weekday == 0) return n < last ? n + 1 : n - 2;
  return n;
}

DORMOUSE_INLINE bool cron_fields::allows_day_of_month(std::chrono::year_month_day day, unsigned last) const noexcept {
  const unsigned n = static_cast<unsigned>(day.day());
  if ((days >> n & 1U) != 0 || (days_before_last >> (last - n) & 1U) != 0) return true;
  if (last_weekday && n == nearest_weekday(day, last, last)) return true;
  for (unsigned wanted = 1; wanted <= 31 && nearest_weekdays != 0; ++wanted) {
    if ((nearest_weekdays >> wanted & 1U) != 0 && wanted <= last && n == nearest_weekday(day, wanted, last))
      return true;
  }
  return false;
}

DORMOUSE_INLINE bool cron_fields::allows_weekday(std::chrono::year_month_day day, unsigned last) const noexcept {
  const unsigned n = static_cast<unsigned>(day.day());
  const unsigned weekday = weekday_of(day);
  if ((weekdays >> weekday & 1U) != 0) return true;
  if ((last_of_weekdays >> weekday & 1U) != 0 && n + 7 > last) return true;
  return (nth[weekday] >> ((n - 1) / 7 + 1) & 1U) != 0;
}

DORMOUSE_INLINE bool cron_fields::allows(std::chrono::year_month_day day) const noexcept {
  const auto end = std::chrono::year_month_day_last{day.year() / day.month() / std::chrono::last};
  const unsigned last = static_cast<unsigned>(end.day());
  if (any_day && any_weekday) return true;
  if (any_day) return allows_weekday(day, last);
  if (any_weekday) return allows_day_of_month(day, last);
  return allows_day_of_month(day, last) || allows_weekday(day, last);
}

// The lowest bit that is not below `from`; 64 when there is none.
DORMOUSE_INLINE unsigned bit_from(std::uint64_t bits, unsigned from) noexcept {
  if (from >= 64) return 64;
  const std::uint64_t left = bits >> from << from;
  return left == 0 ? 64 : static_cast<unsigned>(std::countr_zero(left));
}

DORMOUSE_INLINE std::optional<std::chrono::seconds> cron_fields::time_of_day_from(
    std::chrono::seconds from) const noexcept {
  auto hour = static_cast<unsigned>(from.count() / 3'600);
  auto minute = static_cast<unsigned>(from.count() / 60 % 60);
  auto second = static_cast<unsigned>(from.count() % 60);
  for (unsigned h = bit_from(hours, hour); h < 24; h = bit_from(hours, h + 1)) {
    if (h != hour) minute = second = 0;
    for (unsigned m = bit_from(minutes, minute); m < 60; m = bit_from(minutes, m + 1)) {
      if (h != hour || m != minute) second = 0;
      const unsigned s = bit_from(seconds, second);
      if (s < 60) return std::chrono::hours{h} + std::chrono::minutes{m} + std::chrono::seconds{s};
    }
  }
  return std::nullopt;
}

DORMOUSE_INLINE std::optional<std::chrono::local_seconds> cron_fields::first_from(
    std::chrono::local_seconds from) const noexcept {
  using namespace std::chrono;
  local_days day = floor<std::chrono::days>(from);
  auto time_of_day = duration_cast<std::chrono::seconds>(from - day);
  for (;;) {
    const year_month_day date{day};
    const int year = static_cast<int>(date.year());
    if (year > year_last || year < year_first) return std::nullopt;
    if (!years[static_cast<std::size_t>(year - year_first)]) {
      day = local_days{(date.year() + std::chrono::years{1}) / January / 1};
    } else if ((months >> static_cast<unsigned>(date.month()) & 1U) == 0) {
      day = local_days{(date.year() / date.month() + std::chrono::months{1}) / 1};
    } else {
      if (allows(date)) {
        if (const auto found = time_of_day_from(time_of_day)) return day + *found;
      }
      day += std::chrono::days{1};
    }
    time_of_day = std::chrono::seconds{0};
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
