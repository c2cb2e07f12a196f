// SPDX-License-Identifier: MIT
#pragma once

// Numbers and texts one after the other as bytes. Numbers are eight bytes, the low ones first; texts have their length
// before them.

#include <dormouse/detail/config.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class byte_writer {
 public:
  void number(std::uint64_t value) {
    for (unsigned shift = 0; shift < 64; shift += 8) bytes_ += static_cast<char>(value >> shift & 0xffU);
  }
  void text(std::string_view value) {
    number(value.size());
    bytes_ += value;
  }
  [[nodiscard]] std::string take() && { return std::move(bytes_); }

 private:
  std::string bytes_{};
};

// After a read that found too little, all that follows is nothing.
class byte_reader {
 public:
  explicit byte_reader(std::string_view bytes) : left_(bytes) {}
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] bool at_end() const noexcept { return left_.empty() && !failed_; }
  std::uint64_t number() {
    std::uint64_t value = 0;
    unsigned shift = 0;
    for (const char each : raw(8)) {
      value |= std::uint64_t{static_cast<unsigned char>(each)} << shift;
      shift += 8;
    }
    return value;
  }
  std::string_view text() { return raw(number()); }
  // Calls read_one() as often as the number that comes first says. An element is a byte at least, so that a count that
  // is made up ends soon.
  template <class F>
  void each(F&& read_one) {
    for (std::uint64_t left = number(); left > 0 && !failed_; --left) read_one();
  }

 private:
  std::string_view raw(std::uint64_t count) {
    failed_ = failed_ || count > left_.size();
    if (failed_) return {};
    const auto taken = left_.substr(0, static_cast<std::size_t>(count));
    left_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view left_;
  bool failed_ = false;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
