// SPDX-License-Identifier: MIT
#pragma once

// The hash and the comparison of short names, inline: a look-up by name is part of each call by name, and the general
// ones of the standard library are calls out of line that cost more than the rest of it. Whole words are read, the last
// one overlapping the one before. Good for a table in memory only: the values differ between machines.

#include <dormouse/detail/config.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

inline constexpr std::size_t word_bytes = sizeof(std::uint64_t);

[[nodiscard]] inline std::uint64_t word_at(const char* from) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, from, word_bytes);
  return word;
}

// All bytes of a text of fewer than eight, each at least once. Texts of one size have one word exactly when they are
// equal.
[[nodiscard]] inline std::uint64_t short_word(std::string_view text) noexcept {
  const std::size_t size = text.size();
  if (size >= 4) {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::memcpy(&first, text.data(), sizeof first);
    std::memcpy(&last, text.data() + size - sizeof last, sizeof last);
    return std::uint64_t{first} << 32U | last;
  }
  if (size == 0) return 0;
  const auto byte = [&](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(text[i])}; };
  return byte(0) << 16U | byte(size / 2) << 8U | byte(size - 1);
}

[[nodiscard]] inline std::uint32_t name_hash(std::string_view name) noexcept {
  constexpr std::uint64_t odd = 0x9E3779B97F4A7C15;  // 2^64 divided by the golden ratio: its bits look random
  std::uint64_t hash = name.size() * odd;
  const auto mix = [&](std::uint64_t word) {
    hash = (hash ^ word) * odd;
    hash ^= hash >> 32U;  // a product's high bits depend on all of the word, its low bits on few
  };
  if (name.size() < word_bytes) {
    mix(short_word(name));
  } else {
    for (std::size_t at = 0; at + word_bytes < name.size(); at += word_bytes) mix(word_at(name.data() + at));
    mix(word_at(name.data() + name.size() - word_bytes));
  }
  mix(0);
  return static_cast<std::uint32_t>(hash);
}

[[nodiscard]] inline bool same_name(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  if (a.size() < word_bytes) return short_word(a) == short_word(b);
  for (std::size_t at = 0; at + word_bytes < a.size(); at += word_bytes) {
    if (word_at(a.data() + at) != word_at(b.data() + at)) return false;
  }
  const std::size_t last = a.size() - word_bytes;
  return word_at(a.data() + last) == word_at(b.data() + last);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
