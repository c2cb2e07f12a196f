// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/runtime/executor.hpp>

namespace dormouse::inline DORMOUSE_FLAVOUR {

DORMOUSE_INLINE bool host_driven_executor::post(task work) {
  {
    const std::lock_guard lock(mutex_);
    const bool was_empty = tasks_.empty();
    tasks_.push_back(std::move(work));
    if (!was_empty || !options_.on_work) return true;
  }
  try {
    options_.on_work();
  } catch (...) {
    // The loop does not know of it: nothing may stay here that would make the next task come to a queue not empty.
    std::deque<task> dropped;
    const std::lock_guard lock(mutex_);
    dropped.swap(tasks_);
    throw;
  }
  return true;
}

DORMOUSE_INLINE bool host_driven_executor::run_one() {
  task next;
  {
    const std::lock_guard lock(mutex_);
    if (tasks_.empty()) return false;
    next = std::move(tasks_.front());
    tasks_.pop_front();
  }
  next();
  return true;
}

// To be called without the lock: on_work is the host's.
DORMOUSE_INLINE void host_driven_executor::tell_if_left() {
  if (options_.on_work && ready() != 0) options_.on_work();
}

DORMOUSE_INLINE std::size_t host_driven_executor::run_ready(std::size_t tasks_max) {
  std::size_t ran = 0;
  while (ran < tasks_max && run_one()) ++ran;
  tell_if_left();
  return ran;
}

DORMOUSE_INLINE std::size_t host_driven_executor::run_for(std::chrono::nanoseconds budget) {
  const auto begun = std::chrono::steady_clock::now();
  std::size_t ran = 0;
  while (run_one()) {
    ++ran;
    if (std::chrono::steady_clock::now() - begun >= budget) break;
  }
  tell_if_left();
  return ran;
}

DORMOUSE_INLINE std::size_t host_driven_executor::ready() const {
  const std::lock_guard lock(mutex_);
  return tasks_.size();
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
