#pragma once

// Numbers for people.

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace watch_folder {

// 1234567 -> "1,234,567", whatever the locale.
inline std::string grouped(std::uint64_t number) {
  std::string digits = fmt::format("{}", number);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

// Three digits that matter: "812 ns", "12.3 us", "4.56 ms", "1.23 s".
inline std::string three_digits(double number, const char* unit) {
  return fmt::format("{:.{}f} {}", number, number < 9.995 ? 2 : number < 99.95 ? 1 : 0, unit);
}

inline std::string duration_text(std::chrono::nanoseconds duration) {
  const auto ns = static_cast<double>(duration.count());
  if (ns < 1e3) return fmt::format("{} ns", duration.count());
  if (ns < 1e6) return three_digits(ns / 1e3, "us");
  if (ns < 1e9) return three_digits(ns / 1e6, "ms");
  return three_digits(ns / 1e9, "s");
}

inline std::string bytes_text(std::uint64_t bytes) {
  const auto number = static_cast<double>(bytes);
  if (number < 1e3) return fmt::format("{} B", bytes);
  if (number < 1e6) return three_digits(number / 1e3, "kB");
  if (number < 1e9) return three_digits(number / 1e6, "MB");
  return three_digits(number / 1e9, "GB");
}

}  // namespace watch_folder
