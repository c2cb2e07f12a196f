// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/core.hpp>
#include <dormouse/detail/event_queue.hpp>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

DORMOUSE_INLINE void work_ring::add(function_activity& activity) noexcept {
  if (activity.in_ring) return;
  activity.in_ring = true;
  activity.next_ready = nullptr;
  const std::lock_guard lock(mutex_);
  (last_ != nullptr ? last_->next_ready : first_) = &activity;
  last_ = &activity;
}

DORMOUSE_INLINE void work_ring::hint() noexcept {
  if (!filled_.load(std::memory_order_relaxed)) filled_.store(true, std::memory_order_relaxed);
}

// Under mutex_.
DORMOUSE_INLINE void work_ring::update_hint() noexcept {
  const bool filled = first_ != nullptr || batches_ != nullptr;
  if (filled_.load(std::memory_order_relaxed) != filled) filled_.store(filled, std::memory_order_relaxed);
}

DORMOUSE_INLINE void work_ring::list(event_batch& batch) noexcept {
  const std::lock_guard lock(mutex_);
  batch.is_listed = true;
  batch.previous_listed = nullptr;
  batch.next_listed = batches_;
  if (batches_ != nullptr) batches_->previous_listed = &batch;
  batches_ = &batch;
  update_hint();
}

DORMOUSE_INLINE void work_ring::unlist(event_batch& batch) noexcept {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(batch.is_listed, false)) return;
  (batch.previous_listed != nullptr ? batch.previous_listed->next_listed : batches_) = batch.next_listed;
  if (batch.next_listed != nullptr) batch.next_listed->previous_listed = batch.previous_listed;
  update_hint();
}

DORMOUSE_INLINE bool work_ring::has_only(const function_record& record) noexcept {
  const std::lock_guard lock(mutex_);
  return first_ == nullptr || (first_ == last_ && first_->record == &record);
}

DORMOUSE_INLINE function_record* work_ring::owner_of_batch() noexcept {
  const std::lock_guard lock(mutex_);
  return batches_ != nullptr ? &batches_->record : nullptr;
}

DORMOUSE_INLINE void work_ring::remove(function_activity& activity) noexcept {
  const std::lock_guard lock(mutex_);
  function_activity* before = nullptr;
  function_activity* at = first_;
  for (; at != nullptr && at != &activity; at = at->next_ready) before = at;
  if (at == nullptr) return;  // somebody has just taken it out, and relies on in_ring until it has the function's lock
  activity.in_ring = false;
  unlink(before, at);
}

// Under mutex_.
DORMOUSE_INLINE function_activity* work_ring::unlink(function_activity* before, function_activity* gone) noexcept {
  (before != nullptr ? before->next_ready : first_) = gone->next_ready;
  if (last_ == gone) last_ = before;
  update_hint();
  return gone;
}

DORMOUSE_INLINE void work_ring::clear() noexcept {
  while (function_activity* const each = next()) {
    function_record& record = *each->record;
    const std::lock_guard lock(core_.lock_of(record));
    each->in_ring = false;
    core_.instances.rest(record);
  }
}

DORMOUSE_INLINE bool work_ring::has_work() noexcept {
  const std::lock_guard lock(mutex_);
  return first_ != nullptr || batches_ != nullptr;
}

// Under mutex_: the one before the one to be next, null for the first.
DORMOUSE_INLINE function_activity* work_ring::choose() noexcept {
  std::size_t count = 0;
  for (const function_activity* each = first_; each != nullptr; each = each->next_ready) ++count;
  function_activity* before = nullptr;
  for (std::size_t at = core_.random.below(count); at != 0; --at) {
    before = before == nullptr ? first_ : before->next_ready;
  }
  return before;
}

DORMOUSE_INLINE function_activity* work_ring::next() noexcept {
  const std::lock_guard lock(mutex_);
  if (first_ == nullptr) {
    update_hint();
    return nullptr;
  }
  function_activity* const before = core_.options.shuffle ? choose() : nullptr;
  return unlink(before, before != nullptr ? before->next_ready : first_);
}

// The first event that may start of a function that has just been taken out of the ring.
DORMOUSE_INLINE work_item* work_ring::start_first(function_record& record) {
  bool crowded = false;
  {
    const std::lock_guard lock(core_.lock_of(record));
    function_activity& activity = *record.activity;  // stays: being in the ring has kept it
    activity.in_ring = false;
    if (work_item* const item = events_.start_one(activity)) return item;
    crowded = activity.starved;
    core_.instances.rest(record);
  }
  if (crowded) core_.instances.evict_idle(record);  // then the function is ready again
  return nullptr;
}

DORMOUSE_INLINE void* work_ring::take() {
  for (;;) {
    while (function_activity* const each = next()) {
      if (work_item* const item = start_first(*each->record)) return item;
    }
    // What another worker has taken in advance and not started: then its function is in the ring again.
    function_record* const record = owner_of_batch();
    if (record == nullptr) return nullptr;
    const std::lock_guard lock(core_.lock_of(*record));
    if (record->activity != nullptr) events_.take_back(*record->activity);
  }
}

DORMOUSE_INLINE void* work_ring::run(void* piece) noexcept {
  core_.items->keep();
  return events_.run(static_cast<work_item*>(piece));
}

DORMOUSE_INLINE void work_ring::tell(void* item) noexcept { static_cast<work_item*>(item)->ended.open(); }
DORMOUSE_INLINE void work_ring::let_go_of(void* item) noexcept { event_queue::let_go(*static_cast<work_item*>(item)); }

DORMOUSE_INLINE void work_ring::worker_ends() noexcept {
  this_thread_leases.end();
  core_.items->trim();
}

DORMOUSE_INLINE void work_ring::ran_dry() noexcept { core_.items->trim(); }

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
