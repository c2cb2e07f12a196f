// SPDX-License-Identifier: MIT
#pragma once

// A lock for sections of less than a microsecond that user code never runs in. Who finds it taken looks for a moment
// before sleeping: its holder is about to leave, and a sleep and a wake cost fifty times as much as the section.
// Linux: a futex word, 0 free, 1 taken, 2 taken and perhaps waited for (U. Drepper, "Futexes Are Tricky", 2011, the
// third mutex). Portable: std::mutex (and what ThreadSanitizer can follow).

#include <dormouse/detail/platform/gate.hpp>
#include <dormouse/detail/platform/thread.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

#if DORMOUSE_PLATFORM_LINUX

class short_mutex {
 public:
  short_mutex() = default;
  short_mutex(const short_mutex&) = delete;
  short_mutex& operator=(const short_mutex&) = delete;

  // acquire, release: as any lock.
  [[nodiscard]] bool try_lock() noexcept {
    std::uint32_t expected = free;
    return word_.compare_exchange_strong(expected, taken, std::memory_order_acquire, std::memory_order_relaxed);
  }
  void lock() noexcept {
    if (!try_lock()) [[unlikely]]
      lock_contended();
  }
  void unlock() noexcept {
    if (word_.exchange(free, std::memory_order_release) == waited_for) [[unlikely]]
      futex_wake_one(word_);  // only the address is used: *this may be gone
  }

 private:
  static constexpr std::uint32_t free = 0;
  static constexpr std::uint32_t taken = 1;
  static constexpr std::uint32_t waited_for = 2;
  static constexpr int looks_max = 200;  // about 5 us

  void lock_contended() noexcept {
    for (int looks = has_neighbours() ? looks_max : 0; looks > 0; --looks) {
      // relaxed: only a look. The line stays shared until the holder writes to it.
      if (word_.load(std::memory_order_relaxed) == free && try_lock()) return;
      relax_processor();
    }
    while (word_.exchange(waited_for, std::memory_order_acquire) != free) futex_wait(word_, waited_for, nullptr);
  }
  [[nodiscard]] static bool has_neighbours() noexcept {
    static const bool more_than_one = processors() > 1;
    return more_than_one;
  }

  std::atomic<std::uint32_t> word_{free};
};

#else

using short_mutex = std::mutex;

#endif

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
