// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/codec.hpp>

#include <fmt/format.h>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

DORMOUSE_INLINE failure not_a(std::string_view wanted, std::string_view got) {
  return {.code = errc::invalid_argument,
          .effect = effect_kind::not_applied,
          .reason = failure_reason::payload_type,
          .detail = fmt::format("the data is not {}: \"{}\" ({} bytes)", wanted, printable(got, 40), got.size())};
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
