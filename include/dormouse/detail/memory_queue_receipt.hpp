// SPDX-License-Identifier: MIT
#pragma once

// What a receipt of a memory_queue says: whose it is, of which message, and of which of all deliveries. As text, each
// number as hexadecimal digits, with dots between. It is no secret: who forges one could receive the message anyway.

#include <dormouse/detail/config.hpp>

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

struct memory_receipt {
  std::uint64_t queue = 0;
  std::uint64_t message = 0;
  std::uint64_t delivery = 0;

  [[nodiscard]] std::string text() const { return fmt::format("{:x}.{:x}.{:x}", queue, message, delivery); }
};

// A number as it is written here, and in no other way.
inline std::optional<std::uint64_t> read_hex_number(std::string_view text) noexcept {
  if (text.empty() || text.front() == '0') return std::nullopt;
  for (const char each : text) {
    if (each >= 'A' && each <= 'F') return std::nullopt;
  }
  std::uint64_t number = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (wrong != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

inline std::optional<memory_receipt> read_memory_receipt(std::string_view text) noexcept {
  std::array<std::uint64_t, 3> numbers{};
  for (std::size_t at = 0; at < numbers.size(); ++at) {
    const std::size_t end = at + 1 < numbers.size() ? text.find('.') : text.size();
    if (end == std::string_view::npos) return std::nullopt;
    const auto number = read_hex_number(text.substr(0, end));
    if (!number) return std::nullopt;
    numbers[at] = *number;
    text.remove_prefix(at + 1 < numbers.size() ? end + 1 : end);
  }
  return memory_receipt{numbers[0], numbers[1], numbers[2]};
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
