#pragma once

// Random numbers that are the same on every machine and with every standard library, unlike std::shuffle and
// std::uniform_int_distribution: the demo repeats itself.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

namespace watch_folder {

// SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014).
class random_numbers {
 public:
  explicit random_numbers(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t mixed = state_ += 0x9E3779B97F4A7C15U;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
    return mixed ^ (mixed >> 31U);
  }
  // 0 <= x < 1
  double fraction() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(next() % bound); }
  // From `low` to `high`, each order of magnitude as likely as the next.
  std::uint64_t magnitude(std::uint64_t low, std::uint64_t high) {
    const double from = std::log(static_cast<double>(low));
    const double to = std::log(static_cast<double>(high));
    return static_cast<std::uint64_t>(std::lround(std::exp(from + (to - from) * fraction())));
  }
  void fill(std::span<char> bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
      const std::uint64_t eight = next();
      std::memcpy(bytes.data() + at, &eight, std::min(sizeof eight, bytes.size() - at));
    }
  }
  template <class Sequence>
  void shuffle(Sequence& items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  std::uint64_t state_;
};

}  // namespace watch_folder
