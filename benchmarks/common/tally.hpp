// SPDX-License-Identifier: MIT
#pragma once

// The work of the throughput questions: each thread counts what it ran in a line of its own, so that counting costs
// all contenders the same two plain additions, and a wrong count is seen.

#include "common/measure.hpp"

#include <atomic>
#include <cstdint>
#include <memory>

namespace bench {

class tally {
 public:
  static constexpr std::size_t threads_max = 65'536;

  static void run(std::uint64_t argument) noexcept {
    if (mine == nullptr) [[unlikely]]
      mine = &lines_[used_.fetch_add(1)];
    // One writer a line; relaxed, since the reader only waits for the numbers.
    mine->count.store(mine->count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    mine->sum.store(mine->sum.load(std::memory_order_relaxed) + argument, std::memory_order_relaxed);
  }
  static void reset() noexcept {
    for (std::size_t i = 0; i < used_.load(); ++i) lines_[i].count = lines_[i].sum = 0;
  }
  // Waits until `count` have run; false after a minute.
  [[nodiscard]] static bool wait_for(std::uint64_t count) noexcept {
    const auto limit = now_ns() + 60'000'000'000;
    while (total(&line::count) < count) {
      if (now_ns() > limit) return false;
      sleep_ns(20'000);
    }
    return true;
  }
  static void require_exactly(std::uint64_t count, std::uint64_t sum) {
    require(total(&line::count) == count && total(&line::sum) == sum, "another number of events ran than were posted");
  }

 private:
  struct alignas(64) line {
    std::atomic<std::uint64_t> count{0};
    std::atomic<std::uint64_t> sum{0};
  };
  static std::uint64_t total(std::atomic<std::uint64_t> line::*which) noexcept {
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < used_.load(); ++i) all += (lines_[i].*which).load(std::memory_order_relaxed);
    return all;
  }
  static inline std::unique_ptr<line[]> lines_ = std::make_unique<line[]>(threads_max);
  static inline std::atomic<std::size_t> used_{0};
  static inline constinit thread_local line* mine = nullptr;
};

}  // namespace bench
