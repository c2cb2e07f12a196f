// SPDX-License-Identifier: MIT
#pragma once

// What every call of every service takes.

#include <dormouse/clock.hpp>

#include <optional>

namespace dormouse::inline DORMOUSE_FLAVOUR {

struct call_options {
  // By the service's clock; a call that begins then or later does nothing. Empty: none.
  std::optional<clock::time_point> deadline{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
