// SPDX-License-Identifier: MIT
#pragma once

// Check sums of what is stored: CRC-32C of four interleaved lanes of 8-byte words, and of those four together. A lane
// does not wait for the others, so a core with the instruction makes them at more than twice the speed of one CRC.
// Within a word any change is found for sure, as is any that touches a single lane by up to 32 bits in a row; of all
// others, one in 2^32 is missed. It protects from bad disks, not from people.

#include <dormouse/detail/config.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::filesystem {

// The same on every machine; the second one without the instruction.
std::uint32_t check_sum(std::string_view bytes) noexcept;
std::uint32_t check_sum_portable(std::string_view bytes) noexcept;

// An object has a sum for each block, so that a range is checked without reading the rest. It is read and checked while
// the block is in the processor's cache.
constexpr std::size_t block_bytes = std::size_t{256} << 10U;

inline void append_sum(std::string& sums, std::string_view block) {
  const std::uint32_t sum = check_sum(block);
  for (unsigned shift = 0; shift < 32; shift += 8) sums.push_back(static_cast<char>((sum >> shift) & 0xffU));
}

// Is it block number `at` of those that the sums were made of?
inline bool has_sum(std::string_view sums, std::size_t at, std::string_view block) noexcept {
  if (sums.size() / 4 <= at) return false;
  std::uint32_t wanted = 0;
  for (unsigned i = 0; i < 4; ++i) wanted |= std::uint32_t{static_cast<unsigned char>(sums[4 * at + i])} << (8 * i);
  return check_sum(block) == wanted;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::filesystem
