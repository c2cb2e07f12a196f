// SPDX-License-Identifier: MIT
#pragma once

// A clock that stands still until it is told: hours of timeouts and schedules in no time, the same in every run.
// Threads: advance() from any one thread at a time; readers from any. It must outlive every runtime that reads it.
// Blocking: advance() wakes who sleeps on this clock and does not wait for what they do; use eventually() for that.

#include <dormouse/clock.hpp>
#include <dormouse/detail/config.hpp>

#include <atomic>
#include <chrono>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

class manual_clock : public clock {
 public:
  // Starts at `start` on the calendar and one hour after the steady clock's epoch. With `jumps_when_idle` a thread that
  // drives a host-driven runtime while it waits (for a pending result, for an instance, in close) moves the clock to
  // the next time that something is due: for programs in which nobody else could.
  explicit manual_clock(std::chrono::system_clock::time_point start =
                            std::chrono::system_clock::time_point{std::chrono::seconds{1'700'000'000}},
                        bool jumps_when_idle = false)
      : clock(state_) {
    state_.jumps_when_idle = jumps_when_idle;
    state_.steady_ns = std::chrono::nanoseconds{std::chrono::hours{1}}.count();
    state_.wall_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(start.time_since_epoch()).count();
  }

  // Moves both clocks forward; `by` must not be negative.
  void advance(std::chrono::nanoseconds by) {
    DORMOUSE_ASSERT(by.count() >= 0);
    clock::advance(state_, by);
  }
  // The calendar jumps, as when somebody sets the machine's clock; the steady clock does not move.
  void jump_wall(std::chrono::nanoseconds by) { clock::jump_wall(state_, by); }

 private:
  manual_time state_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing
