// SPDX-License-Identifier: MIT
#pragma once

// How many retries a function may start: a bucket that first attempts fill by their share, and time at a steady rate.
// It limits the rate of a retry storm without an end for any event. Guarded by the function's lock.

#include <dormouse/clock.hpp>
#include <dormouse/functions/retry_policy.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class retry_budget {
 public:
  static constexpr double first_fill = 10;  // so that a function with a few failures never waits
  static constexpr double fill_max = 1'000;

  void earn(const retry_policy& policy) noexcept {
    fill_ = std::min(fill_max, fill_ + static_cast<double>(policy.budget_percent) / 100);
  }

  // Zero when a retry may start now; else how long until one may.
  [[nodiscard]] std::chrono::nanoseconds spend(const retry_policy& policy, clock::time_point now) noexcept {
    const double per_second = policy.budget_per_second_min;
    if (now > filled_at_) {
      const double seconds =
          filled_at_ == clock::time_point{} ? 0 : std::chrono::duration<double>(now - filled_at_).count();
      fill_ = std::min(fill_max, fill_ + seconds * per_second);
      filled_at_ = now;
    }
    if (fill_ >= 1) {
      fill_ -= 1;
      return std::chrono::nanoseconds{0};
    }
    return std::chrono::nanoseconds{1 + static_cast<std::int64_t>((1 - fill_) / per_second * 1e9)};
  }

 private:
  double fill_ = first_fill;
  clock::time_point filled_at_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
