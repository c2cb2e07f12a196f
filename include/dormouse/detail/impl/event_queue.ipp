// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/core.hpp>
#include <dormouse/detail/event_queue.hpp>
#include <dormouse/detail/invocation.hpp>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// ---- accepting ------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE result<void> event_queue::accept(work_item& fresh, bool inside) {
  if (fresh.origin.depth >= core_.options.depth_max) {
    return make_failure(errc::recursion_limit, effect_kind::not_applied, failure_reason::depth,
                        "the chain of calls that posts this event is as deep as depth_max allows");
  }
  fresh.id = core_.next_invocation();
  fresh.accepted_at = core_.time.ticks();
  fresh.add_owner();  // the queue's: a worker may end the event at any time from here on
  if (auto queued = enqueue(fresh, inside); !queued) {
    fresh.drop_owner();
    return queued;
  }
  if (core_.compute->notify()) return {};
  if (!claim(fresh)) return {};  // somebody has started it after all
  withdraw(fresh);
  return make_failure(errc::unavailable, effect_kind::not_applied, failure_reason::no_threads,
                      "no worker lives and no thread could be started, or the executor refused");
}

DORMOUSE_INLINE result<void> event_queue::enqueue(work_item& item, bool inside) {
  function_record& record = *item.record;
  const std::lock_guard lock(core_.lock_of(record));
  if (record.generation != item.generation) {
    return make_failure(errc::not_found, effect_kind::not_applied, failure_reason::undefined, record.name());
  }
  if (!core_.admits(inside)) return core::shutting_down();
  const function_options& options = record.settings->options;
  try {
    function_activity& activity = core_.instances.activity_of(record);
    const bool too_many = activity.accepted + activity.callers_waiting >= options.queue_depth_max;
    if (too_many || item.bytes > options.queue_bytes_max - activity.accepted_bytes) {
      ++record.totals->refusals;
      core_.instances.rest(record);
      return too_many ? make_failure(errc::throttled, effect_kind::not_applied, failure_reason::queue_depth,
                                     "the function has queue_depth_max accepted events")
                      : make_failure(errc::throttled, effect_kind::not_applied, failure_reason::queue_bytes,
                                     "the function's accepted events would exceed queue_bytes_max");
    }
    ++activity.accepted;
    activity.accepted_bytes += item.bytes;
    accepted_.fetch_add(1);
    activity.queue.push(item);
    make_ready(activity);
    return {};
  } catch (const std::bad_alloc&) {
    return make_failure(errc::out_of_memory, effect_kind::not_applied, failure_reason::none, {});
  }
}

// A claimed event whose acceptance is taken back: as if it had never been accepted.
DORMOUSE_INLINE void event_queue::withdraw(work_item& item) noexcept {
  {
    const std::lock_guard lock(core_.lock_of(*item.record));
    function_activity& activity = *item.record->activity;
    if (activity.queue.empty()) leave_ring(activity);  // nobody may come to take it out
  }
  end(item);
  item.drop_owner();
}

DORMOUSE_INLINE void event_queue::make_ready(function_activity& activity) noexcept {
  if (activity.in_ring) return;
  activity.in_ring = true;
  activity.next_ready = nullptr;
  const std::lock_guard lock(ring_mutex_);
  (ring_last_ != nullptr ? ring_last_->next_ready : ring_first_) = &activity;
  ring_last_ = &activity;
}

// Under the function's lock. Linear.
DORMOUSE_INLINE void event_queue::leave_ring(function_activity& activity) noexcept {
  const std::lock_guard lock(ring_mutex_);
  function_activity* before = nullptr;
  function_activity* at = ring_first_;
  for (; at != nullptr && at != &activity; at = at->next_ready) before = at;
  if (at == nullptr) return;  // somebody has just taken it out, and relies on in_ring until it has the function's lock
  activity.in_ring = false;
  (before != nullptr ? before->next_ready : ring_first_) = activity.next_ready;
  if (ring_last_ == &activity) ring_last_ = before;
}

// ---- starting -------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE bool event_queue::has_work() noexcept {
  const std::lock_guard lock(ring_mutex_);
  return ring_first_ != nullptr;
}

DORMOUSE_INLINE function_activity* event_queue::next_ready() noexcept {
  const std::lock_guard lock(ring_mutex_);
  function_activity* const next = ring_first_;
  if (next == nullptr) return nullptr;
  ring_first_ = next->next_ready;
  if (ring_first_ == nullptr) ring_last_ = nullptr;
  return next;
}

// Out of the queue, to run. Under the function's lock.
DORMOUSE_INLINE work_item* event_queue::pop(function_activity& activity) noexcept {
  work_item* const item = activity.queue.pop();
  item->state = item_state::running;
  item->started_at = core_.time.ticks();
  activity.record->totals->queued.add(core_.time.between(item->accepted_at, item->started_at));
  if (activity.queue.empty()) {
    activity.record->attention.fetch_and(~attention_bits::events_wait, std::memory_order_seq_cst);
  }
  return item;
}

// The first event of a function with what it needs to run, or null when there is none or no instance. Under the lock.
DORMOUSE_INLINE work_item* event_queue::start_one(function_activity& activity) {
  if (activity.queue.empty()) return nullptr;
  auto got = core_.instances.try_acquire(activity);
  if (!got) {
    // A release that came just before the bit was set is found by the second try; one that comes after it sees the bit.
    activity.record->attention.fetch_or(attention_bits::events_wait, std::memory_order_seq_cst);
    got = core_.instances.try_acquire(activity);
    if (!got) return nullptr;
  }
  work_item* const item = pop(activity);
  item->with = *got;
  if (!activity.queue.empty()) make_ready(activity);
  return item;
}

DORMOUSE_INLINE void* event_queue::take() {
  while (function_activity* const next = next_ready()) {
    function_record& record = *next->record;  // stays: being in the ring keeps the activity
    const std::lock_guard lock(core_.lock_of(record));
    next->in_ring = false;
    if (work_item* const item = start_one(*next)) return item;
    core_.instances.rest(record);
  }
  return nullptr;
}

// ---- running and ending ---------------------------------------------------------------------------------------------

// The event is terminal: its bounds are free again, and who waits for it is told.
DORMOUSE_INLINE void event_queue::end(work_item& item) noexcept {
  function_record& record = *item.record;
  {
    const std::lock_guard lock(core_.lock_of(record));
    item.state = item_state::ended;
    --record.activity->accepted;
    record.activity->accepted_bytes -= item.bytes;
    accepted_.fetch_sub(1);
    core_.instances.rest(record);
  }
  core_.progress();
  item.ended.open();
}

// Ends `item` and, when its lease is at hand, gives the function's next event, to run with the same one.
DORMOUSE_INLINE work_item* event_queue::end_and_continue(work_item& item, lease* with) noexcept {
  function_record& record = *item.record;
  end(item);
  item.drop_owner();
  if (with == nullptr) return nullptr;
  {
    const std::lock_guard lock(core_.lock_of(record));
    function_activity& activity = *record.activity;  // kept by the lease
    if (!activity.queue.empty() && activity.callers.empty()) {
      work_item* const next = pop(activity);
      next->with = grant{.taken = with};
      return next;
    }
  }
  core_.instances.release(*with);
  return nullptr;
}

DORMOUSE_INLINE void event_queue::run(void* piece) noexcept {
  const std::uint64_t begun = core_.time.ticks();
  const std::uint64_t quantum = core_.time.to_ticks(quantum_time);
  int events = 0;
  for (auto* item = static_cast<work_item*>(piece); item != nullptr;) {
    const bool within = ++events < quantum_events && core_.time.ticks() - begun < quantum;
    lease* with = nullptr;
    {
      const worker_pool::user_code handler(*core_.compute);
      with = invocation::run_item(core_, *item, within);
    }
    item = end_and_continue(*item, with);
  }
  core_.settle();
}

DORMOUSE_INLINE bool event_queue::claim(work_item& item) {
  function_record& record = *item.record;
  const std::lock_guard lock(core_.lock_of(record));
  if (item.state != item_state::queued || !record.activity->queue.remove(item)) return false;
  item.state = item_state::running;
  item.started_at = core_.time.ticks();
  record.totals->queued.add(core_.time.between(item.accepted_at, item.started_at));
  return true;
}

DORMOUSE_INLINE void event_queue::run_claimed(work_item& item) {
  invocation::run_for_waiter(core_, item);
  end(item);
  item.drop_owner();  // the queue's
}

DORMOUSE_INLINE void event_queue::refuse_all(std::vector<unfinished>& to) {
  const std::size_t count = core_.functions.size();
  for (std::size_t i = 0; i < count; ++i) {
    function_record& record = core_.functions.at(static_cast<std::uint32_t>(i));
    for (;;) {
      work_item* item = nullptr;
      {
        const std::lock_guard lock(core_.lock_of(record));
        if (record.activity == nullptr || record.activity->queue.empty()) break;
        item = pop(*record.activity);
        ++record.totals->refusals;
      }
      item->refuse(core::shutting_down());
      try {
        to.push_back({item->id, std::string(record.name()), unfinished_state::queued});
      } catch (...) {  // a list cut short by memory; the event itself has its outcome
      }
      end(*item);
      item->drop_owner();
    }
  }
  // Nothing waits any more: this takes every function out of the ring, for which no worker need come.
  [[maybe_unused]] const void* const none = take();
  DORMOUSE_ASSERT(none == nullptr);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
