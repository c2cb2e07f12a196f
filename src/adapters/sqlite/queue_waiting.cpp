// SPDX-License-Identifier: MIT
#include "queue_waiting.hpp"

#include <algorithm>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

bool queue_waiting::may_find(std::int64_t now) const {
  const std::lock_guard lock(mutex_);
  return ready_ || next_due_ <= now || next_old_ <= now;
}

bool queue_waiting::is_due(std::int64_t now) const {
  const std::lock_guard lock(mutex_);
  return next_due_ <= now || next_old_ <= now;
}

std::int64_t queue_waiting::next_due() const {
  const std::lock_guard lock(mutex_);
  return next_due_;
}

std::int64_t queue_waiting::next_old() const {
  const std::lock_guard lock(mutex_);
  return next_old_;
}

void queue_waiting::found_ready(bool more) {
  const std::lock_guard lock(mutex_);
  ready_ = more;
}

void queue_waiting::found_due(std::int64_t next) {
  const std::lock_guard lock(mutex_);
  next_due_ = next;
}

void queue_waiting::found_old(std::int64_t next) {
  const std::lock_guard lock(mutex_);
  next_old_ = next;
}

// One message, one who is woken; an earlier time is everybody's.
void queue_waiting::note(std::size_t visible, std::int64_t due, std::int64_t old) noexcept {
  const std::lock_guard lock(mutex_);
  ready_ = ready_ || visible != 0;
  const bool earlier = due < next_due_;
  next_due_ = std::min(next_due_, due);
  next_old_ = std::min(next_old_, old);
  if (waiting_ == 0) return;
  if (earlier || visible >= waiting_) return arrived_.notify_all();
  for (; visible > 0; --visible) arrived_.notify_one();
}

void queue_waiting::forget() noexcept {
  const std::lock_guard lock(mutex_);
  ready_ = true;
  next_due_ = next_old_ = time_unknown;
  arrived_.notify_all();
}

void queue_waiting::await(clock::time_point end) {
  std::unique_lock lock(mutex_);
  const std::int64_t now = file_time_.now();
  if (ready_ || next_due_ <= now || next_old_ <= now || time_.now() >= end) return;
  const auto next = std::min(next_due_, next_old_);
  const auto until = next != time_never ? std::min(end, file_time_.moment_of(next)) : end;
  ++waiting_;
  // A manual clock tells when it moves.
  if (time_.is_manual()) {
    arrived_.wait(lock);
  } else {
    arrived_.wait_until(lock, until);
  }
  --waiting_;
}

void queue_waiting::time_changed() noexcept {
  const std::lock_guard lock(mutex_);
  arrived_.notify_all();
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
