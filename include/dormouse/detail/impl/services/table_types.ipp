// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/services/table_types.hpp>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {
// With the sign bit turned, the smallest number is all zeros and the greatest all ones.
inline constexpr std::uint64_t sort_number_sign = std::uint64_t{1} << 63U;
inline constexpr std::size_t sort_number_bytes = 8;
}  // namespace detail

DORMOUSE_INLINE std::string sort_number(std::int64_t number) {
  const std::uint64_t bits = static_cast<std::uint64_t>(number) ^ detail::sort_number_sign;
  std::string bytes(detail::sort_number_bytes, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(bits >> (56U - 8U * i) & 0xffU);
  return bytes;
}

DORMOUSE_INLINE std::int64_t sort_number_of(std::string_view bytes) noexcept {
  if (bytes.size() != detail::sort_number_bytes) return 0;
  std::uint64_t bits = 0;
  for (const char each : bytes) bits = bits << 8U | static_cast<unsigned char>(each);
  return static_cast<std::int64_t>(bits ^ detail::sort_number_sign);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
