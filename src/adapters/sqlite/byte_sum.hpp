// SPDX-License-Identifier: MIT
#pragma once

// A check sum for what lies on a disk: eight bytes a step, so that it costs little beside copying them. A change within
// the eight bytes of one step is always seen, every other one but for one time in 2^64. It is no signature.

#include <dormouse/detail/config.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

// The same on every machine.
[[nodiscard]] inline std::uint64_t little_endian(const char* from) noexcept {
  std::uint64_t word = 0;
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(&word, from, sizeof word);
  } else {
    for (unsigned i = 0; i < sizeof word; ++i) word |= std::uint64_t{static_cast<unsigned char>(from[i])} << (8 * i);
  }
  return word;
}

class byte_sum {
 public:
  // Each text is told from the next: "ab", "c" and "a", "bc" differ.
  byte_sum& add(std::string_view bytes) noexcept {
    step(value_, bytes.size());
    const char* at = bytes.data();
    std::size_t left = bytes.size();
    if (left >= 64) add_blocks(at, left);
    for (; left >= 8; at += 8, left -= 8) step(value_, little_endian(at));
    if (left != 0) {
      char last[8] = {};
      std::memcpy(last, at, left);
      step(value_, little_endian(last));
    }
    return *this;
  }
  byte_sum& add(std::uint64_t number) noexcept {
    step(value_, number);
    return *this;
  }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_; }

 private:
  // Both operations can be undone, so two different words, or two different sums before, never become the same.
  static void step(std::uint64_t& sum, std::uint64_t word) noexcept {
    sum = (sum ^ word) * 0x9e3779b97f4a7c15U;
    sum ^= sum >> 32U;
  }
  // Four sums beside each other: a processor multiplies for one while it waits for the others.
  void add_blocks(const char*& at, std::size_t& left) noexcept {
    std::uint64_t lanes[4] = {0, 1, 2, 3};
    for (; left >= 32; at += 32, left -= 32) {
      for (std::size_t i = 0; i < 4; ++i) step(lanes[i], little_endian(at + 8 * i));
    }
    for (const std::uint64_t each : lanes) step(value_, each);
  }

  std::uint64_t value_ = 0x243f6a8885a308d3U;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
