// SPDX-License-Identifier: MIT
#pragma once

// A handler tells the thread that posted its event that it has been entered, and when.

#include "common/measure.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace bench {

inline void futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t seen) {
  ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, seen, nullptr, nullptr, 0);
}
inline void futex_wake(const std::atomic<std::uint32_t>& word) {
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

class arrival {
 public:
  static void reset() noexcept { word_.store(0); }
  // The handler.
  static void tell(std::uint64_t /*argument*/) noexcept {
    at_ = now_ns();
    word_.store(1);
    futex_wake(word_);
  }
  // Both return when the handler was entered.
  static std::int64_t wait_blocking() noexcept {
    while (word_.load() == 0) futex_wait(word_, 0);
    return at_;
  }
  static std::int64_t wait_busy() noexcept {
    while (word_.load() == 0) {}
    return at_;
  }

 private:
  static inline std::atomic<std::uint32_t> word_{0};
  static inline std::int64_t at_ = 0;
};

}  // namespace bench
