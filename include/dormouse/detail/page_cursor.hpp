// SPDX-License-Identifier: MIT
#pragma once

// Where a page of a listing ended, as text that a caller brings back. A cursor is "1", then its parts as hexadecimal
// digits with a dot before each, then a check sum: printable, and checked in full when it comes back. Without the sum,
// one cut short on its way would be another valid one, and the walk would go back. It is no signature: who forges a
// cursor gets what he could list anyway.

#include <dormouse/detail/config.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

inline constexpr std::size_t cursor_sum_digits = 16;

inline void append_hex(std::string& to, std::string_view bytes) {
  to.push_back('.');
  for (const char c : bytes) fmt::format_to(std::back_inserter(to), "{:02x}", static_cast<unsigned char>(c));
}

inline std::optional<std::string> take_hex(std::string_view& from) {
  if (from.empty() || from.front() != '.') return std::nullopt;
  from.remove_prefix(1);
  const std::string_view digits = from.substr(0, from.find('.'));
  if (digits.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    int value = 0;
    for (const char c : digits.substr(i, 2)) {
      const bool decimal = c >= '0' && c <= '9';
      if (!decimal && (c < 'a' || c > 'f')) return std::nullopt;
      value = value * 16 + (decimal ? c - '0' : c - 'a' + 10);
    }
    bytes.push_back(static_cast<char>(value));
  }
  from.remove_prefix(digits.size());
  return bytes;
}

// 64-bit FNV-1a: any single byte that is changed changes it.
inline std::string cursor_sum(std::string_view text) {
  std::uint64_t sum = 0xcbf29ce484222325U;
  for (const char c : text) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return fmt::format(".{:0{}x}", sum, cursor_sum_digits);
}

inline std::string make_cursor(std::initializer_list<std::string_view> parts) {
  std::string cursor{"1"};
  for (const auto& each : parts) append_hex(cursor, each);
  return cursor.append(cursor_sum(cursor));
}

// The `count` parts, of `bytes_max` bytes together; nothing for any text that make_cursor() has not given.
inline std::optional<std::vector<std::string>> read_cursor_parts(std::string_view cursor, std::size_t count,
                                                                 std::size_t bytes_max) {
  if (cursor.size() <= cursor_sum_digits || cursor.size() > 2 + count + 2 * bytes_max + cursor_sum_digits) return {};
  std::string_view text = cursor.substr(0, cursor.size() - cursor_sum_digits - 1);
  if (cursor.substr(text.size()) != cursor_sum(text) || !text.starts_with('1')) return {};
  text.remove_prefix(1);
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < count; ++i) {
    auto part = take_hex(text);
    if (!part) return {};
    parts.push_back(std::move(*part));
  }
  if (!text.empty()) return {};
  return parts;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
