// SPDX-License-Identifier: MIT
#pragma once

// What is remembered of an attempt that failed.

#include <dormouse/failure.hpp>

#include <chrono>

namespace dormouse::inline DORMOUSE_FLAVOUR {

struct attempt_record {
  unsigned attempt = 1;
  std::chrono::system_clock::time_point ended{};
  std::chrono::nanoseconds run{0};
  failure why{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
