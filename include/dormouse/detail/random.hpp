// SPDX-License-Identifier: MIT
#pragma once

// Numbers for jitter and for the order of a simulation: the same seed, the same numbers.

#include <dormouse/detail/config.hpp>

#include <atomic>
#include <cstdint>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014): a counter, mixed.
// Any thread.
class random_source {
 public:
  explicit random_source(std::uint64_t seed) noexcept : counter_(seed) {}

  std::uint64_t next() noexcept {
    // relaxed: which thread gets which number is nobody's business.
    std::uint64_t mixed = counter_.fetch_add(0x9e3779b97f4a7c15U, std::memory_order_relaxed);
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31U);
  }
  // 0 .. 1, without 1.
  double fraction() noexcept { return static_cast<double>(next() >> 11U) / static_cast<double>(1ULL << 53U); }
  // 0 .. below - 1. The bias of the remainder is of no account for the few things that are chosen from.
  std::size_t below(std::size_t below) noexcept { return static_cast<std::size_t>(next() % below); }

 private:
  std::atomic<std::uint64_t> counter_;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
