// SPDX-License-Identifier: MIT
#pragma once

// How every program of the suite takes the time and says what it found.

#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <vector>

namespace bench {

inline std::int64_t read_clock(clockid_t which) {
  timespec now{};
  ::clock_gettime(which, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}
inline std::int64_t now_ns() { return read_clock(CLOCK_MONOTONIC); }
inline std::int64_t process_cpu_ns() { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }
inline std::int64_t thread_cpu_ns() { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

inline void sleep_ns(std::int64_t length) {
  const timespec wanted{length / 1'000'000'000, length % 1'000'000'000};
  ::nanosleep(&wanted, nullptr);
}

// What reading the clock twice costs: to be taken off what was measured between two readings.
inline std::int64_t clock_cost() {
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (int i = 0; i < 1'000; ++i) {
    const auto begun = now_ns();
    least = std::min(least, now_ns() - begun);
  }
  return least;
}

// Wrong work ends the program, and with it the whole run.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "wrong: %s\n", what);
  std::_Exit(3);
}

constexpr double no_p99 = std::numeric_limits<double>::quiet_NaN();

// One figure a line: what the driver reads.
inline void report(std::string_view metric, std::string_view unit, double value, double p99 = no_p99) {
  std::printf("%.*s\t%.*s\t%.6g", int(metric.size()), metric.data(), int(unit.size()), unit.data(), value);
  if (!std::isnan(p99)) std::printf("\t%.6g", p99);
  std::printf("\n");
  std::fflush(stdout);
}

class samples {
 public:
  explicit samples(std::size_t expected) { values_.reserve(expected); }
  void add(std::int64_t value) { values_.push_back(value); }
  [[nodiscard]] std::size_t count() const { return values_.size(); }
  [[nodiscard]] double quantile(double q) {
    require(!values_.empty(), "nothing was measured");
    std::sort(values_.begin(), values_.end());
    return static_cast<double>(values_[static_cast<std::size_t>(q * static_cast<double>(values_.size() - 1))]);
  }
  void report_as(std::string_view metric, std::string_view unit, double scale = 1) {
    report(metric, unit, quantile(0.5) / scale, quantile(0.99) / scale);
  }

 private:
  std::vector<std::int64_t> values_;
};

// At least one, however small the effort.
inline std::size_t count_of(double full, double effort) {
  return std::max<std::size_t>(1, static_cast<std::size_t>(full * effort));
}

}  // namespace bench
