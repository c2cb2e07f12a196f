// SPDX-License-Identifier: MIT
#pragma once

// Is text UTF-8?

#include <dormouse/detail/config.hpp>

#include <cstddef>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// Length of the well-formed UTF-8 sequence that `text` begins with (Unicode, table 3-7); 0 when there is none.
inline std::size_t utf8_length(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if ((first & 0xf0U) == 0xe0U) {
    const bool valid =
        follows(1) && follows(2) && (first != 0xe0 || byte(1) >= 0xa0) && (first != 0xed || byte(1) < 0xa0);
    return valid ? 3 : 0;
  }
  const bool valid = first >= 0xf0 && first <= 0xf4 && follows(1) && follows(2) && follows(3) &&
                     (first != 0xf0 || byte(1) >= 0x90) && (first != 0xf4 || byte(1) < 0x90);
  return valid ? 4 : 0;
}

inline bool is_well_formed_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
