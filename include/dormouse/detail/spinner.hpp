// SPDX-License-Identifier: MIT
#pragma once

// Looking for work for a moment before sleeping: a wake costs the submitter 15 us and the event 50 us, so a worker that
// finds nothing waits awake for about as long as that. One at a time in a pool, for 20 us at most. On the processor
// that the submitter needs it goes to sleep, so that the next wake finds it another one; when there is none, since
// workers run on all the others, it lets everybody else go first and stays awake.

#include <dormouse/clock.hpp>
#include <dormouse/detail/platform/thread.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class spinner {
 public:
  static constexpr std::chrono::nanoseconds budget_max = std::chrono::microseconds{20};

  // Zero: never spins. A manual clock stands still, so it could not end a spin.
  spinner(const clock& time, std::chrono::nanoseconds budget) noexcept
      : time_(time), budget_(time.is_manual() ? 0 : time.to_ticks(std::min(budget, budget_max))) {}

  // The calling thread has submitted, and waits for its reply or computes on this processor.
  void submitted_here() noexcept {
    // relaxed: a hint; written only when it changes, so that the line stays shared.
    const int here = current_processor();
    if (submitter_.load(std::memory_order_relaxed) != here) submitter_.store(here, std::memory_order_relaxed);
  }

  // True when `ready()` came true; false at once when it cannot pay. `crowded()`: are all other processors in use?
  template <class Ready, class Crowded>
  [[nodiscard]] bool wait_for(const Ready& ready, const Crowded& crowded) noexcept {
    if (budget_ == 0 || taken_.exchange(true, std::memory_order_acquire)) return false;
    const std::uint64_t begun = time_.ticks();
    bool found = ready();
    while (!found && time_.ticks() - begun < budget_) {
      if (crowded()) {
        std::this_thread::yield();
      } else if (!is_apart()) {
        break;
      }
      for (int i = 0; i < polls_a_look && !found; ++i) {
        relax_processor();
        found = ready();
      }
    }
    taken_.store(false, std::memory_order_release);
    return found;
  }

 private:
  static constexpr int polls_a_look = 4;

  [[nodiscard]] bool is_apart() const noexcept {
    const int here = current_processor();
    return here != unknown_processor && here != submitter_.load(std::memory_order_relaxed);
  }

  const clock& time_;
  const std::uint64_t budget_;  // in ticks
  std::atomic<int> submitter_{unknown_processor};
  std::atomic<bool> taken_{false};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
