// SPDX-License-Identifier: MIT
#pragma once

// Those who wait for messages of a queue, and what is known in memory of when there may be some: who asks in vain, or
// waits, does not look into the file. It may say that there are messages when there are none, never the other way
// round.

#include <dormouse/clock.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <limits>
#include <mutex>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

// Time as the file keeps it: the steady clock from the opening on, which was then at this time of the calendar.
class file_clock {
 public:
  file_clock(const clock& time, std::int64_t at_opening) noexcept
      : time_(time), opened_(time.now()), at_opening_(at_opening) {}
  [[nodiscard]] std::int64_t now() const noexcept {
    return at_opening_ + std::chrono::nanoseconds(time_.now() - opened_).count();
  }
  [[nodiscard]] clock::time_point moment_of(std::int64_t when) const noexcept {
    return opened_ +
           std::chrono::duration_cast<clock::time_point::duration>(std::chrono::nanoseconds(when - at_opening_));
  }

 private:
  const clock& time_;
  const clock::time_point opened_;
  const std::int64_t at_opening_;
};

inline constexpr std::int64_t time_unknown = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t time_never = std::numeric_limits<std::int64_t>::max();

class queue_waiting final : private clock::listener {
 public:
  queue_waiting(const clock& time, const file_clock& file_time) : time_(time), file_time_(file_time) {
    time_.subscribe(*this);
  }
  ~queue_waiting() { time_.unsubscribe(*this); }
  queue_waiting(const queue_waiting&) = delete;
  queue_waiting& operator=(const queue_waiting&) = delete;

  // May there be something to receive, or to be put in order first?
  [[nodiscard]] bool may_find(std::int64_t now) const;
  // Is there something that time has brought about?
  [[nodiscard]] bool is_due(std::int64_t now) const;
  [[nodiscard]] std::int64_t next_due() const;
  [[nodiscard]] std::int64_t next_old() const;

  // For whose turn it is to write: what it has seen.
  void found_ready(bool more);
  void found_due(std::int64_t next);
  void found_old(std::int64_t next);

  // When it has been committed: so many have become visible, and one becomes so at `due`, one too old at `old`.
  void note(std::size_t visible, std::int64_t due, std::int64_t old) noexcept;
  // What was seen may not be so.
  void forget() noexcept;

  // Until there may be something, at most until `end`.
  void await(clock::time_point end);

 private:
  void time_changed() noexcept override;

  const clock& time_;
  const file_clock& file_time_;
  mutable std::mutex mutex_{};  // guards the rest
  std::condition_variable arrived_{};
  std::size_t waiting_ = 0;
  bool ready_ = true;
  std::int64_t next_due_ = time_unknown;
  std::int64_t next_old_ = time_unknown;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
