// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/core.hpp>
#include <dormouse/detail/event_queue.hpp>

#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

DORMOUSE_INLINE bool housekeeper::add(std::function<void()> chore) noexcept {
  try {
    auto kept = std::make_unique<std::function<void()>>(std::move(chore));
    const std::lock_guard lock(mutex_);
    chores_.push_back(std::move(kept));
  } catch (...) {
    return false;
  }
  return core_.housekeeping->notify();
}

DORMOUSE_INLINE void housekeeper::bury(dead_instances dead) noexcept {
  {
    const std::lock_guard lock(mutex_);
    while (dead.first != nullptr) {
      instance* const each = dead.first;
      dead.first = each->next;
      dead_.push(*each);
    }
    while (dead.versions != nullptr) {
      retired_version* const each = dead.versions;
      dead.versions = each->next;
      dead_.push(*each);
    }
  }
  [[maybe_unused]] const bool served = core_.housekeeping->notify();  // else the next chore's worker does it
}

DORMOUSE_INLINE dead_instances housekeeper::take_dead() noexcept {
  const std::lock_guard lock(mutex_);
  return std::exchange(dead_, {});
}

DORMOUSE_INLINE bool housekeeper::has_work() noexcept {
  const std::lock_guard lock(mutex_);
  return !chores_.empty() || !dead_.empty();
}

// A piece is a chore on the heap, or this object itself for "bury the dead".
DORMOUSE_INLINE void* housekeeper::take() {
  const std::lock_guard lock(mutex_);
  if (!dead_.empty()) return this;
  if (chores_.empty()) return nullptr;
  void* const chore = chores_.front().release();
  chores_.pop_front();
  return chore;
}

DORMOUSE_INLINE void* housekeeper::run(void* piece) noexcept {
  const worker_pool::user_code inside(*core_.housekeeping);
  if (piece == this) {
    destroy_objects(core_, take_dead());
    return nullptr;
  }
  const std::unique_ptr<std::function<void()>> chore(static_cast<std::function<void()>*>(piece));
  try {
    (*chore)();
  } catch (...) {
    core_.observer_failed();
  }
  return nullptr;
}

DORMOUSE_INLINE void housekeeper::finish() noexcept {
  destroy_objects(core_, take_dead());
  decltype(chores_) dropped;  // what they hold dies outside the lock
  const std::lock_guard lock(mutex_);
  dropped.swap(chores_);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
