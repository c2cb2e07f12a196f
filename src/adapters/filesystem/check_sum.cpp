// SPDX-License-Identifier: MIT

#include "check_sum.hpp"

#include <array>
#include <bit>
#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__)
#include <nmmintrin.h>
#define DORMOUSE_CRC_INSTRUCTION 1
#endif

namespace dormouse::inline DORMOUSE_FLAVOUR::filesystem {

namespace {

using lanes = std::array<std::uint32_t, 4>;
constexpr std::size_t word = 8;
constexpr std::size_t stride = 4 * word;
constexpr std::uint32_t polynomial = 0x82f63b78U;  // CRC-32C (Castagnoli), bits reversed

// Row k: the effect of a byte that k more bytes follow.
constexpr auto tables = [] {
  std::array<std::array<std::uint32_t, 256>, word> all{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t sum = byte;
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1U) ^ ((sum & 1U) != 0 ? polynomial : 0U);
    all[0][byte] = sum;
  }
  for (std::size_t row = 1; row < word; ++row) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = all[row - 1][byte];
      all[row][byte] = (before >> 8U) ^ all[0][before & 0xffU];
    }
  }
  return all;
}();

std::uint64_t little_endian(const char* from) noexcept {
  std::uint64_t bits = 0;
  std::memcpy(&bits, from, word);
  if constexpr (std::endian::native == std::endian::big) bits = __builtin_bswap64(bits);
  return bits;
}

std::uint32_t add_word(std::uint32_t sum, std::uint64_t bits) noexcept {
  bits ^= sum;
  std::uint32_t next = 0;
  for (std::size_t i = 0; i < word; ++i) next ^= tables[word - 1 - i][(bits >> (8 * i)) & 0xffU];
  return next;
}

std::uint32_t add_byte(std::uint32_t sum, char byte) noexcept {
  return (sum >> 8U) ^ tables[0][(sum ^ static_cast<unsigned char>(byte)) & 0xffU];
}

// All whole strides of `bytes`.
void add_strides(lanes& sums, std::string_view bytes) noexcept {
  for (std::size_t at = 0; at + stride <= bytes.size(); at += stride) {
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] = add_word(sums[i], little_endian(&bytes[at + i * word]));
  }
}

#if defined(DORMOUSE_CRC_INSTRUCTION)
__attribute__((target("sse4.2"))) void add_strides_quickly(lanes& sums, std::string_view bytes) noexcept {
  std::uint64_t a = sums[0];
  std::uint64_t b = sums[1];
  std::uint64_t c = sums[2];
  std::uint64_t d = sums[3];
  for (std::size_t at = 0; at + stride <= bytes.size(); at += stride) {
    a = _mm_crc32_u64(a, little_endian(&bytes[at]));
    b = _mm_crc32_u64(b, little_endian(&bytes[at + word]));
    c = _mm_crc32_u64(c, little_endian(&bytes[at + 2 * word]));
    d = _mm_crc32_u64(d, little_endian(&bytes[at + 3 * word]));
  }
  sums = {static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(b), static_cast<std::uint32_t>(c),
          static_cast<std::uint32_t>(d)};
}
const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
#endif

// The last bytes go into the first lane; then the lanes and the length are summed in their turn.
std::uint32_t finish(lanes sums, std::string_view bytes) noexcept {
  for (const char each : bytes.substr(bytes.size() - bytes.size() % stride)) sums[0] = add_byte(sums[0], each);
  std::uint32_t all = add_word(~0U, bytes.size());
  all = add_word(all, sums[0] | std::uint64_t{sums[1]} << 32U);
  return ~add_word(all, sums[2] | std::uint64_t{sums[3]} << 32U);
}

constexpr lanes fresh{~0U, ~0U, ~0U, ~0U};

}  // namespace

std::uint32_t check_sum_portable(std::string_view bytes) noexcept {
  lanes sums = fresh;
  add_strides(sums, bytes);
  return finish(sums, bytes);
}

std::uint32_t check_sum(std::string_view bytes) noexcept {
#if defined(DORMOUSE_CRC_INSTRUCTION)
  if (has_instruction) {
    lanes sums = fresh;
    add_strides_quickly(sums, bytes);
    return finish(sums, bytes);
  }
#endif
  return check_sum_portable(bytes);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::filesystem
