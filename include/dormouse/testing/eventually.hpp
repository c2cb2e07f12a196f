// SPDX-License-Identifier: MIT
#pragma once

// Waits for another thread's effect: asks again and again, and gives up at an upper bound. Not a delay.

#include <dormouse/detail/config.hpp>

#include <chrono>
#include <thread>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

// True as soon as `holds()` is; false when `limit` (real time) has passed without.
template <class Predicate>
[[nodiscard]] bool eventually(std::chrono::milliseconds limit, Predicate&& holds) {
  const auto end = std::chrono::steady_clock::now() + limit;
  for (int round = 0; !std::forward<Predicate>(holds)(); ++round) {
    if (std::chrono::steady_clock::now() > end) return false;
    if (round < 100) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(std::chrono::microseconds{200});
    }
  }
  return true;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing
