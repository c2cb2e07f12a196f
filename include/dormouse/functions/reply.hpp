// SPDX-License-Identifier: MIT
#pragma once

// What a function called by name answers: bytes, and what they are.

#include <dormouse/payload.hpp>

#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR {

struct reply {
  payload data{};
  // Media type from the codec of the handler's return type; static storage. Empty when the handler returns nothing.
  std::string_view content_type{};
  [[nodiscard]] std::string_view text() const noexcept { return data.text(); }
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
