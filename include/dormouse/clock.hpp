// SPDX-License-Identifier: MIT
#pragma once

// The one source of time: every decision of the library (timeouts, idle times, timers, reports) reads an injected
// clock.
//   ticks()  a cheap monotonic stamp for the invocation path; its unit is the clock's own, see to_nanoseconds()
//   now()    the steady clock, for everything that sleeps
//   wall()   the calendar clock, for event attributes and logs
// The system clock counts processor cycles where the processor keeps them steady (x86-64 with an invariant counter),
// else nanoseconds of the steady clock. A manual clock (dormouse/testing/manual_clock.hpp) stands still until told.
// Threads: every member may be called from any thread. Errors: none; nothing throws.
// Limits:  cycles are scaled by a measured rate: intervals may be off by 0.1 %. Cycles may restart when the machine
//          sleeps; such an interval counts as zero, never as a huge one.

#include <dormouse/detail/config.hpp>
#include <dormouse/detail/platform/cycle_counter.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// A moment by the calendar, as clock::wall() tells it.
using calendar_time = std::chrono::system_clock::time_point;

class clock {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  // The system's clock. The first one in a process measures the cycle rate: about 100 us.
  clock() noexcept;
  clock(const clock&) = delete;
  clock& operator=(const clock&) = delete;

  [[nodiscard]] std::uint64_t ticks() const noexcept {
    if (counts_cycles_) [[likely]]
      return detail::read_cycles();
    if (manual_ == nullptr) return detail::steady_nanoseconds();
    // acquire: who reads the new time also sees what was done before it was set.
    return static_cast<std::uint64_t>(manual_->steady_ns.load(std::memory_order_acquire));
  }
  [[nodiscard]] time_point now() const noexcept;
  [[nodiscard]] std::chrono::system_clock::time_point wall() const noexcept;

  // Length of an interval; zero when `to` is not after `from`.
  [[nodiscard]] std::chrono::nanoseconds between(std::uint64_t from, std::uint64_t to) const noexcept {
    return std::chrono::nanoseconds{to > from ? static_cast<std::int64_t>(static_cast<double>(to - from) * ns_per_tick_)
                                              : 0};
  }
  // Ticks in an interval, 0 for a negative one, saturated at a century.
  [[nodiscard]] std::uint64_t to_ticks(std::chrono::nanoseconds interval) const noexcept;

  // Tells `listener` whenever a manual clock moves; nothing for the system clock. Unsubscribe before it dies.
  class listener {
   public:
    virtual void time_changed() noexcept = 0;  // called on the thread that moved the clock; must not block

   protected:
    ~listener() = default;
  };
  [[nodiscard]] bool is_manual() const noexcept { return manual_ != nullptr; }
  // True for a manual clock that jumps to the next time that something is due, once whoever waits on it, and thereby
  // drives a runtime without threads, has nothing else to do.
  [[nodiscard]] bool jumps_when_idle() const noexcept { return manual_ != nullptr && manual_->jumps_when_idle; }
  // For the library: such a jump. Nothing when `to` is past.
  void jump_to(time_point to) const noexcept;
  void subscribe(listener& who) const;
  void unsubscribe(listener& who) const noexcept;

 protected:
  // What a manual clock sets; both times in nanoseconds.
  struct manual_time {
    std::atomic<std::int64_t> steady_ns{0};
    std::atomic<std::int64_t> wall_ns{0};
    bool jumps_when_idle = false;
    std::mutex mutex{};
    std::vector<listener*> listeners{};
  };
  explicit clock(manual_time& source) noexcept : manual_(&source) {}
  static void advance(manual_time& source, std::chrono::nanoseconds by) noexcept;
  static void jump_wall(manual_time& source, std::chrono::nanoseconds by) noexcept;
  static void tell(manual_time& source) noexcept;

 private:
  manual_time* manual_ = nullptr;
  bool counts_cycles_ = false;
  double ns_per_tick_ = 1.0;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/clock.ipp>
#endif
