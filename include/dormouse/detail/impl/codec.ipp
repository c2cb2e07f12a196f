// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/codec.hpp>

#include <fmt/format.h>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

DORMOUSE_INLINE failure not_a(std::string_view wanted, std::string_view got) {
  constexpr std::size_t shown_bytes_max = 40;
  std::string shown;
  for (const char c : got.substr(0, shown_bytes_max)) {
    const auto byte = static_cast<unsigned char>(c);
    shown.push_back(byte < 0x20 || byte >= 0x7f ? '.' : c);  // bytes of strangers do not reach a terminal
  }
  return {.code = errc::invalid_argument,
          .effect = effect_kind::not_applied,
          .reason = failure_reason::payload_type,
          .detail = fmt::format("the data is not {}: \"{}\" ({} bytes)", wanted, shown, got.size())};
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
