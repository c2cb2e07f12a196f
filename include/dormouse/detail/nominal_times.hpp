// SPDX-License-Identifier: MIT
#pragma once

// Which times of a schedule have been given and which are due, whatever the calendar clock does: each is given at most
// once. Times that a calendar put forward has skipped, and that were not given then, are given after all when it is put
// back and shows them. Knows nothing of expressions, zones and triggers. One thread at a time.

#include <dormouse/detail/config.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class nominal_times {
 public:
  using time_point = std::chrono::system_clock::time_point;
  using next_time = std::function<std::optional<time_point>(time_point)>;  // the first one after; the same for ever

  // Begins after `begun`. `resumed`: all that is not later has been given.
  nominal_times(next_time next, time_point begun, bool resumed);

  struct look {
    std::vector<time_point> due{};  // in order
    bool left_out = false;          // earlier ones are not among them
  };
  // The calendar shows `now`: what has become due since it was looked at last and is later than `after`; of more than
  // `most` (not 0) the latest.
  [[nodiscard]] look look_at(time_point now, time_point after, std::size_t most) const;
  // What that found is given; what it left out is not.
  void take(time_point now, const look& found) noexcept;
  // The first that a later look will find, unless the calendar jumps; empty when there is none.
  [[nodiscard]] std::optional<time_point> next() const { return open_after(seen_); }

 private:
  static constexpr std::size_t spans_max = 16;  // then the gap between the two earliest counts as given
  struct span {                                 // after `from`, up to `to`
    time_point from;
    time_point to;
  };

  [[nodiscard]] std::optional<time_point> open_after(time_point after) const;
  [[nodiscard]] std::vector<time_point> list(time_point from, time_point to, std::size_t most) const;
  [[nodiscard]] time_point start_of_latest(time_point from, time_point to, std::size_t most) const;
  void give(span fresh) noexcept;

  const next_time next_;
  std::vector<span> given_{};  // in order, none touches another
  time_point seen_;            // what the calendar showed last
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
