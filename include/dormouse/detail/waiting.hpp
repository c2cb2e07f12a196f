// SPDX-License-Identifier: MIT
#pragma once

// Waiting at a gate until a time of the injected clock, which a test may be moving by hand.

#include <dormouse/clock.hpp>
#include <dormouse/detail/platform/gate.hpp>

#include <cstdint>
#include <limits>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

inline constexpr std::uint64_t never_ticks = std::numeric_limits<std::uint64_t>::max();

// Looks at the gate and the clock again whenever the clock is moved.
class manual_wait : private clock::listener {
 public:
  manual_wait(const clock& time, gate& at) : time_(time), at_(at) { time_.subscribe(*this); }
  ~manual_wait() { time_.unsubscribe(*this); }
  manual_wait(const manual_wait&) = delete;
  manual_wait& operator=(const manual_wait&) = delete;

  [[nodiscard]] bool until(clock::time_point limit) {
    for (;;) {
      const std::uint32_t seen = at_.state();
      if ((seen & 1U) != 0) return true;
      if (time_.now() >= limit) return false;
      at_.wait_change(seen);
    }
  }

 private:
  void time_changed() noexcept override { at_.poke(); }
  const clock& time_;
  gate& at_;
};

// True when the gate is open, false when `limit` came first.
[[nodiscard]] inline bool wait_until(const clock& time, gate& at, clock::time_point limit) {
  if (!time.is_manual()) return at.wait_until(limit);
  return manual_wait(time, at).until(limit);
}

[[nodiscard]] inline bool wait_until_ticks(const clock& time, gate& at, std::uint64_t limit) {
  if (limit == never_ticks) {
    at.wait();
    return true;
  }
  return wait_until(time, at, time.now() + time.between(time.ticks(), limit));
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
