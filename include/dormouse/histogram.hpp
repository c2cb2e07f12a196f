// SPDX-License-Identifier: MIT
#pragma once

// Durations counted in log-linear buckets from 100 ns to 1 h: four buckets a doubling, so a percentile read from them
// is off by at most 12.5 %. Shorter and longer ones are counted in the first and last bucket.
// Threads: one writer at a time, any number of readers beside it (a reader sees a count late, never torn).

#include <dormouse/detail/config.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace dormouse::inline DORMOUSE_FLAVOUR {

class histogram {
 public:
  static constexpr std::chrono::nanoseconds shortest{100};
  static constexpr std::chrono::nanoseconds longest{std::chrono::hours{1}};
  // Bucket 0 is "below 128 ns"; 1 h lies in the doubling from 2^41 ns.
  static constexpr int octave_first = 7;
  static constexpr std::size_t bucket_count = 1 + (42 - octave_first) * 4;

  histogram() = default;
  histogram(const histogram& other) noexcept { add(other); }
  histogram& operator=(const histogram& other) noexcept {
    for (std::size_t i = 0; i < bucket_count; ++i) store(i, other.count_at(i));
    return *this;
  }

  void add(std::chrono::nanoseconds value) noexcept {
    const std::size_t i = bucket_of(value);
    store(i, count_at(i) + 1);
  }
  void add(const histogram& other) noexcept {
    for (std::size_t i = 0; i < bucket_count; ++i) store(i, count_at(i) + other.count_at(i));
  }

  [[nodiscard]] std::uint64_t count() const noexcept {
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < bucket_count; ++i) all += count_at(i);
    return all;
  }
  [[nodiscard]] std::uint64_t count_at(std::size_t bucket) const noexcept {
    // relaxed: counters order nothing; they are read for display.
    return counts_[bucket].load(std::memory_order_relaxed);
  }
  // Adds durations that somebody has sorted into that bucket.
  void add_to(std::size_t bucket, std::uint64_t count) noexcept { store(bucket, count_at(bucket) + count); }
  [[nodiscard]] static std::size_t bucket_of(std::chrono::nanoseconds value) noexcept {
    const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(value.count(), 0));
    if (ns < (1U << octave_first)) return 0;
    const int octave = static_cast<int>(std::bit_width(ns)) - 1;
    const auto quarter = static_cast<std::size_t>(ns >> (octave - 2)) & 3U;
    return std::min(1 + static_cast<std::size_t>(octave - octave_first) * 4 + quarter, bucket_count - 1);
  }
  // The bucket's upper bound.
  [[nodiscard]] static std::chrono::nanoseconds bound(std::size_t bucket) noexcept {
    if (bucket == 0) return std::chrono::nanoseconds{1 << octave_first};
    const std::size_t octave = (bucket - 1) / 4;
    const std::size_t quarter = (bucket - 1) % 4 + 1;
    const std::int64_t base = std::int64_t{1} << (octave + octave_first);
    return std::chrono::nanoseconds{base + base / 4 * static_cast<std::int64_t>(quarter)};
  }
  // The duration that `fraction` (0..1) of all are at or below; zero when nothing was counted.
  [[nodiscard]] std::chrono::nanoseconds percentile(double fraction) const noexcept {
    const std::uint64_t all = count();
    if (all == 0) return std::chrono::nanoseconds{0};
    const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(fraction * static_cast<double>(all) + 0.5));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < bucket_count; ++i) {
      seen += count_at(i);
      // The middle of the bucket: at most half its width away from any duration in it.
      if (seen >= rank) return i == 0 ? bound(0) : bound(i - 1) + (bound(i) - bound(i - 1)) / 2;
    }
    return longest;
  }

 private:
  void store(std::size_t i, std::uint64_t value) noexcept { counts_[i].store(value, std::memory_order_relaxed); }

  std::array<std::atomic<std::uint64_t>, bucket_count> counts_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
