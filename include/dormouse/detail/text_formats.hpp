// SPDX-License-Identifier: MIT
#pragma once

// Bytes and times as text: base64 (RFC 4648, section 4) and RFC 3339.

#include <dormouse/result.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

inline failure refuse_text(std::string why) {
  return {.code = errc::invalid_argument,
          .effect = effect_kind::not_applied,
          .reason = failure_reason::payload_type,
          .detail = std::move(why)};
}

inline constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

inline std::string to_base64(std::string_view bytes) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8U | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) text += i <= count ? base64_digits[group >> (18 - 6 * i) & 63U] : '=';
  }
  return text;
}

inline result<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return refuse_text("data_base64: its length is no multiple of 4");
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); at += 4) {
    std::uint32_t group = 0;
    std::size_t count = 0;
    for (; count < 4 && text[at + count] != '='; ++count) {
      const auto digit = base64_digits.find(text[at + count]);
      if (digit == std::string_view::npos) return refuse_text("data_base64: a character that is no digit of it");
      group = group << 6U | static_cast<std::uint32_t>(digit);
    }
    const bool padded =
        count < 4 && (count < 2 || at + 4 != text.size() || text.substr(at + count) != std::string(4 - count, '='));
    if (padded) return refuse_text("data_base64: padding in its midst");
    group <<= 6 * (4 - count);
    for (std::size_t i = 0; i + 1 < count; ++i) bytes += static_cast<char>(group >> (16 - 8 * i) & 255U);
  }
  return bytes;
}

// RFC 3339, in UTC, with as many decimals as it takes.
inline std::string to_time(std::chrono::system_clock::time_point when) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(when);
  std::string text = fmt::format("{:%Y-%m-%dT%H:%M:%S}", whole);
  if (const auto rest = std::chrono::nanoseconds{when - whole}.count(); rest != 0) {
    text += fmt::format(".{:09}", rest);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + 'Z';
}

inline result<std::chrono::system_clock::time_point> from_time(const std::string& text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, used = 0;
  const auto wrong = [] { return refuse_text("time: not as in 2026-11-23T10:00:00Z (RFC 3339)"); };
  if (std::sscanf(text.c_str(), "%4d-%2d-%2d%*1[Tt]%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute, &second,
                  &used) != 6 ||
      used != 19) {
    return wrong();
  }
  std::size_t at = 19;
  std::int64_t rest = 0;
  if (text[at] == '.') {
    std::int64_t unit = 100'000'000;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10)
      rest += unit * (text[at] - '0');
  }
  int offset_hours = 0, offset_minutes = 0;
  const bool utc = at + 1 == text.size() && (text[at] == 'Z' || text[at] == 'z');
  char sign = '+';
  if (!utc && (std::sscanf(text.c_str() + at, "%c%2d:%2d%n", &sign, &offset_hours, &offset_minutes, &used) != 3 ||
               at + static_cast<std::size_t>(used) != text.size() || (sign != '+' && sign != '-'))) {
    return wrong();
  }
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60 || year < 1700 || year > 2261) return wrong();
  const auto offset = std::chrono::hours{offset_hours} + std::chrono::minutes{offset_minutes};
  return std::chrono::sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
         std::chrono::seconds{second} + std::chrono::nanoseconds{rest} - (sign == '-' ? -offset : offset);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
