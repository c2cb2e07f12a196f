// SPDX-License-Identifier: MIT
#pragma once

// Durations and times as text, for messages, logs and events. fmt/chrono.h can do it, too, and far more, at a price: a
// second of compile time in the header-only flavour and 70 KB in every program.

#include <dormouse/detail/config.hpp>

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// In the largest unit that leaves a whole number: "90s", "250ms".
inline std::string to_text(std::chrono::nanoseconds duration) {
  using namespace std::chrono;
  constexpr std::pair<nanoseconds, std::string_view> units[]{{hours{1}, "h"},         {minutes{1}, "min"},
                                                             {seconds{1}, "s"},       {milliseconds{1}, "ms"},
                                                             {microseconds{1}, "us"}, {nanoseconds{1}, "ns"}};
  for (const auto& [length, name] : units) {
    if (duration.count() != 0 && duration % length == nanoseconds{0}) {
      return fmt::format("{}{}", duration / length, name);
    }
  }
  return "0s";
}

// For messages about options: a duration as above, anything else as it is.
template <class T>
auto shown(const T& value) {
  if constexpr (std::is_convertible_v<T, std::chrono::nanoseconds>) {
    return to_text(std::chrono::nanoseconds{value});
  } else {
    return value;
  }
}

// ISO 8601, in UTC, without the letter for it: "2026-11-23T10:00:00".
inline std::string to_text(std::chrono::sys_seconds when) {
  const auto day = std::chrono::floor<std::chrono::days>(when);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(when - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count());
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
