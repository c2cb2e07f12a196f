// SPDX-License-Identifier: MIT
#pragma once

// Bytes and times as text: base64 (RFC 4648, section 4) and RFC 3339; which media types are JSON.

#include <dormouse/detail/time_text.hpp>
#include <dormouse/result.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
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
  std::string text = to_text(whole);
  if (const auto rest = std::chrono::nanoseconds{when - whole}.count(); rest != 0) {
    text += fmt::format(".{:09}", rest);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + 'Z';
}

// Has it that shape? In `shape`, d stands for a digit, T and Z for a letter in either case, the rest for itself.
inline bool is_shaped(std::string_view text, std::string_view shape) {
  return std::equal(text.begin(), text.end(), shape.begin(), shape.end(), [](char is, char wanted) {
    if (wanted == 'd') return is >= '0' && is <= '9';
    return is == wanted || (wanted >= 'A' && wanted <= 'Z' && is == wanted - 'A' + 'a');
  });
}

inline int digits_as_number(std::string_view digits) {
  int number = 0;
  for (const char each : digits) number = number * 10 + (each - '0');
  return number;
}

// ".5" in nanoseconds; digits beyond the ninth are cut off. Takes what it has read away from `text`.
inline std::chrono::nanoseconds take_fraction(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789", 1), text.size());
  std::string digits(text.substr(1, std::min<std::size_t>(end - 1, 9)));
  digits.resize(9, '0');
  text.remove_prefix(end);
  return std::chrono::nanoseconds{digits_as_number(digits)};
}

// RFC 3339, with any offset. A leap second is the second after it.
inline result<std::chrono::system_clock::time_point> from_time(std::string_view text) {
  const auto wrong = [] { return refuse_text("time: not as in 2026-11-23T10:00:00Z (RFC 3339)"); };
  if (!is_shaped(text.substr(0, 19), "dddd-dd-ddTdd:dd:dd")) return wrong();
  const auto number = [whole = text](std::size_t at, std::size_t count) {
    return digits_as_number(whole.substr(at, count));
  };
  const int year = number(0, 4), hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(number(5, 2))},
                                         std::chrono::day{static_cast<unsigned>(number(8, 2))}};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60 || year < 1700 || year > 2261) return wrong();
  text.remove_prefix(19);
  std::chrono::nanoseconds rest{0};
  if (text.size() > 1 && text[0] == '.' && is_shaped(text.substr(1, 1), "d")) rest = take_fraction(text);
  std::chrono::minutes offset{0};
  if (is_shaped(text, "+dd:dd") || is_shaped(text, "-dd:dd")) {
    const int hours = digits_as_number(text.substr(1, 2)), minutes = digits_as_number(text.substr(4, 2));
    if (hours > 23 || minutes > 59) return wrong();
    offset = (text[0] == '-' ? -1 : 1) * (std::chrono::hours{hours} + std::chrono::minutes{minutes});
  } else if (!is_shaped(text, "Z")) {
    return wrong();
  }
  return std::chrono::sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
         std::chrono::seconds{second} + rest - offset;
}

// Media types are the same in either case (RFC 2045, section 5.1).
inline bool is_json_type(std::string_view named) {
  std::string type(named.substr(0, named.find_first_of("; \t")));
  for (char& each : type) {
    if (each >= 'A' && each <= 'Z') each = static_cast<char>(each - 'A' + 'a');
  }
  return type == "application/json" || type == "text/json" || type.ends_with("+json");
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
