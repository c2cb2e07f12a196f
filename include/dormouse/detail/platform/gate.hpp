// SPDX-License-Identifier: MIT
#pragma once

// Where one thread waits for one other to open: what workers, waiting callers and pending results sleep on.
// Linux: a futex word. Portable: a mutex and a condition variable (and what ThreadSanitizer can follow).
// open() may be the last use of a gate that its waiter then destroys: it touches nothing after the store that
// releases the waiter but the address of the word, which the kernel only compares.

#include <dormouse/detail/config.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

#if DORMOUSE_PLATFORM_LINUX
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#else
#include <condition_variable>
#include <mutex>
#endif

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

#if DORMOUSE_PLATFORM_LINUX

// Sleeps while *word == seen, until a wake or the absolute time of the steady clock. May return early.
inline void futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t seen,
                       const std::chrono::steady_clock::time_point* until) noexcept {
  timespec limit{};
  if (until != nullptr) {
    const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(until->time_since_epoch()).count();
    limit.tv_sec = static_cast<time_t>(ns / 1'000'000'000);
    limit.tv_nsec = static_cast<long>(ns % 1'000'000'000);
  }
  // FUTEX_WAIT_BITSET takes an absolute CLOCK_MONOTONIC time (futex(2)); libstdc++'s steady_clock is that clock.
  ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, seen, until != nullptr ? &limit : nullptr, nullptr,
            FUTEX_BITSET_MATCH_ANY);
}

inline void futex_wake_one(const std::atomic<std::uint32_t>& word) noexcept {
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

// Bit 0 says open, bit 1 that somebody waits; above them pokes are counted. Who opens a gate before anybody waits at it
// makes no system call: both bits are changed in the one word, so either the opener sees the waiter's bit, or the
// waiter, whose change comes second, finds the gate open.
class gate {
 public:
  static constexpr std::uint32_t open_state = 1;                        // in state()
  void close() noexcept { word_.store(0, std::memory_order_relaxed); }  // relaxed: only while nobody else knows it
  void open() noexcept {
    // release: what the opener wrote before is seen by who comes through.
    if ((word_.fetch_or(open_bit, std::memory_order_release) & waits_bit) != 0) futex_wake_one(word_);
  }
  // Makes the waiter look at its clock; opens nothing.
  void poke() noexcept {
    if ((word_.fetch_add(one_poke, std::memory_order_release) & waits_bit) != 0) futex_wake_one(word_);
  }
  [[nodiscard]] bool is_open() const noexcept { return (state() & open_bit) != 0; }
  void wait() noexcept {
    for (std::uint32_t seen = state(); (seen & open_bit) == 0; seen = state()) sleep(seen, nullptr);
  }
  // False when `until` came first.
  [[nodiscard]] bool wait_until(std::chrono::steady_clock::time_point until) noexcept {
    for (std::uint32_t seen = state(); (seen & open_bit) == 0; seen = state()) {
      if (std::chrono::steady_clock::now() >= until) return is_open();
      sleep(seen, &until);
    }
    return true;
  }
  // What wait_change() compares with; with open_state in it, it is open.
  [[nodiscard]] std::uint32_t state() const noexcept { return word_.load(std::memory_order_acquire) & ~waits_bit; }
  void wait_change(std::uint32_t seen) noexcept {
    while (state() == seen) sleep(seen, nullptr);
  }
  // Until `until` at most. May return early.
  void wait_change_until(std::uint32_t seen, std::chrono::steady_clock::time_point until) noexcept {
    if (state() == seen) sleep(seen, &until);
  }

 private:
  static constexpr std::uint32_t open_bit = 1;
  static constexpr std::uint32_t waits_bit = 2;
  static constexpr std::uint32_t one_poke = 4;

  // While the state is `seen`, until a wake or `until`. May return early.
  void sleep(std::uint32_t seen, const std::chrono::steady_clock::time_point* until) noexcept {
    std::uint32_t expected = seen;
    // relaxed: the bit orders nothing. Set already by an earlier sleep: as good.
    const bool said = word_.compare_exchange_strong(expected, seen | waits_bit, std::memory_order_relaxed);
    if (said || expected == (seen | waits_bit)) futex_wait(word_, seen | waits_bit, until);
  }

  std::atomic<std::uint32_t> word_{0};
};

#else

class gate {
 public:
  static constexpr std::uint32_t open_state = 1;  // in state()
  void close() noexcept {
    const std::lock_guard lock(mutex_);
    word_ = 0;
  }
  void open() noexcept {
    // Told under the lock: the waiter cannot leave, and destroy this, before the notification is done.
    const std::lock_guard lock(mutex_);
    word_ |= 1U;
    changed_.notify_all();
  }
  // Makes the waiter look at its clock; opens nothing.
  void poke() noexcept {
    const std::lock_guard lock(mutex_);
    word_ += 2;
    changed_.notify_all();
  }
  [[nodiscard]] bool is_open() const noexcept { return (state() & 1U) != 0; }
  void wait() noexcept {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return (word_ & 1U) != 0; });
  }
  // False when `until` came first.
  [[nodiscard]] bool wait_until(std::chrono::steady_clock::time_point until) noexcept {
    std::unique_lock lock(mutex_);
    // A time that has passed costs no system call: an idle timeout of zero is one.
    if (std::chrono::steady_clock::now() >= until) return (word_ & 1U) != 0;
    return changed_.wait_until(lock, until, [this] { return (word_ & 1U) != 0; });
  }
  // What wait_change() compares with; with open_state in it, it is open.
  [[nodiscard]] std::uint32_t state() const noexcept {
    const std::lock_guard lock(mutex_);
    return word_;
  }
  void wait_change(std::uint32_t seen) noexcept {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return word_ != seen; });
  }
  // Until `until` at most. May return early.
  void wait_change_until(std::uint32_t seen, std::chrono::steady_clock::time_point until) noexcept {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, until, [&] { return word_ != seen; });
  }

 private:
  mutable std::mutex mutex_{};
  std::condition_variable changed_{};
  std::uint32_t word_ = 0;
};

#endif

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
