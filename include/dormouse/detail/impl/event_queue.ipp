// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/core.hpp>
#include <dormouse/detail/event_queue.hpp>
#include <dormouse/detail/invocation.hpp>

#include <array>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// ---- accepting ------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE result<acceptance> event_queue::accept(item_pointer& given, bool inside) {
  work_item& fresh = *given.get();
  if (fresh.origin.depth >= core_.options.depth_max) {
    return make_failure(errc::recursion_limit, effect_kind::not_applied, failure_reason::depth,
                        "the chain of calls that posts this event is as deep as depth_max allows");
  }
  if (fresh.posted && core_.ends.full()) {
    return make_failure(errc::limit_exceeded, effect_kind::not_applied, failure_reason::dead_letters,
                        "the dead letters are at their bound: redrive or discard some");
  }
  if (core_.ends.unarmed()) [[unlikely]]
    core_.ends.rearm();
  function_record& record = *fresh.record;
  fresh.accepted_at = fresh.queued_at = core_.time.ticks();
  acceptance taken{.id = {0, record.index}, .kept = durability::memory};
  // A worker may end the event, and a posted one's life with it, at any time once it is in the queue.
  const bool posted = fresh.posted;
  if (!posted) {
    fresh.awaited = core_.pool_of(record).is_watched();
    fresh.add_owner();
  }
  if (auto queued = enqueue(fresh, inside, taken.id.number); !queued) {
    if (!posted) fresh.drop_owner();
    return std::move(queued).error();
  }
  if (posted) given.release();
  ring_of(record).hint();
  if (core_.pool_of(record).notify() || !withdraw(record, taken.id.number)) return taken;
  return make_failure(errc::unavailable, effect_kind::not_applied, failure_reason::no_threads,
                      "no worker lives and no thread could be started, or the executor refused");
}

// Under the function's lock: counts the event against the function's bounds.
DORMOUSE_INLINE result<void> event_queue::admit(work_item& item, bool inside) {
  function_record& record = *item.record;
  if (!record.is_still(item.generation)) {
    return make_failure(errc::not_found, effect_kind::not_applied, failure_reason::undefined, record.name());
  }
  if (!core_.admits(inside)) return core::shutting_down();
  const function_options& options = record.settings->options;
  function_activity& activity = core_.instances.activity_of(record);
  if (activity.accepted + activity.callers_waiting >= options.queue_depth_max) [[unlikely]]
    account_ended(activity);
  const bool too_many = activity.accepted + activity.callers_waiting >= options.queue_depth_max;
  if (too_many || item.bytes > options.queue_bytes_max - activity.accepted_bytes) {
    ++record.totals->uncommon().refusals;
    core_.instances.rest(record);
    return too_many ? make_failure(errc::throttled, effect_kind::not_applied, failure_reason::queue_depth,
                                   "the function has queue_depth_max accepted events")
                    : make_failure(errc::throttled, effect_kind::not_applied, failure_reason::queue_bytes,
                                   "the function's accepted events would exceed queue_bytes_max");
  }
  ++activity.accepted;
  activity.accepted_bytes += item.bytes;
  accepted_.fetch_add(1);
  return {};
}

DORMOUSE_INLINE result<void> event_queue::enqueue(work_item& item, bool inside, std::uint64_t& id) {
  const std::lock_guard lock(core_.lock_of(*item.record));
  try {
    if (auto admitted = admit(item, inside); !admitted) return admitted;
  } catch (const std::bad_alloc&) {
    return make_failure(errc::out_of_memory, effect_kind::not_applied, failure_reason::none, {});
  }
  id = item.id = core_.next_event(*item.record->activity);
  if (item.posted) core_.ends.note(item, invocation_state::queued);
  item.record->activity->queue.push_back(item);
  item.record->activity->recent.add(item);
  ring_of(*item.record).add(*item.record->activity);
  return {};
}

// Takes an acceptance back, as if there had been none. False when somebody has started the event after all.
DORMOUSE_INLINE bool event_queue::withdraw(function_record& record, std::uint64_t id) noexcept {
  work_item* item = nullptr;
  {
    const std::lock_guard lock(core_.lock_of(record));
    if (record.activity == nullptr) return false;
    function_activity& activity = *record.activity;
    take_back(activity);
    for (item = activity.queue.first(); item != nullptr && item->id != id;) item = item->next;
    if (item == nullptr) return false;
    take_out(*item);
    if (activity.queue.empty()) ring_of(record).remove(activity);  // nobody may come to take it out
  }
  item->reports = false;  // it was never accepted
  end(*item);
  let_go(*item);
  return true;
}

DORMOUSE_INLINE void event_queue::take_back_from(function_record& record, const void* submitter) noexcept {
  std::array<work_item*, 64> taken{};
  while (const std::size_t count = take_some_from(record, submitter, taken)) {
    for (work_item* const each : std::span(taken).first(count)) {
      each->refuse(make_failure(errc::cancelled, effect_kind::not_applied, failure_reason::none, "taken back"));
      end(*each);
      let_go(*each);
    }
  }
}

DORMOUSE_INLINE std::size_t event_queue::take_some_from(function_record& record, const void* submitter,
                                                        std::span<work_item*> taken) noexcept {
  const std::lock_guard lock(core_.lock_of(record));
  if (record.activity == nullptr) return 0;
  function_activity& activity = *record.activity;
  std::size_t count = 0;
  for (work_item* each = activity.queue.first(); each != nullptr && count < taken.size();) {
    work_item* const next = each->next;
    if (each->reports && each->submitter() == submitter) {
      take_out(*each);
      taken[count++] = each;
    }
    each = next;
  }
  if (count != 0 && activity.queue.empty()) ring_of(record).remove(activity);  // as in withdraw()
  return count;
}

DORMOUSE_INLINE void event_queue::ring_under_lock(const function_record& record) noexcept {
  if (!core_.pool_of(record).notify_under_lock()) ring_later(record);
}

// Nobody lives to take it, and no thread can be had: neither, perhaps, for the timer; then the next submitter helps.
DORMOUSE_INLINE void event_queue::ring_later(const function_record& record) noexcept {
  [[maybe_unused]] const auto later = core_.timers.arm(core_.time.now() + ring_again, [this, &record] {
    if (!core_.pool_of(record).notify()) ring_later(record);
  });
}

// Out of the queue: running, for whoever asked. Under the function's lock.
DORMOUSE_INLINE void event_queue::take_out(work_item& item) noexcept {
  function_activity& activity = *item.record->activity;
  activity.queue.remove(item);
  activity.running.push_back(item);
  item.state = item_state::running;
  // relaxed: the lock, which undefine() takes as well, orders it.
  item.record->totals->in_hand.fetch_add(1, std::memory_order_relaxed);
  item.started_at = core_.time.ticks();
  started(item);
  item.record->totals->add(function_totals::duration::queued, core_.time.between(item.queued_at, item.started_at));
}

// It is about to run. By its runner, or by who takes it out.
DORMOUSE_INLINE void event_queue::started(work_item& item) noexcept {
  item.failed = item.failed && item.delivering;
  if (item.posted && !item.delivering) core_.ends.note(item, invocation_state::running);
}

DORMOUSE_INLINE bool event_queue::claim(work_item& item) {
  const std::lock_guard lock(core_.lock_of(*item.record));
  if (item.state != item_state::queued) return false;
  take_out(item);
  return true;
}

DORMOUSE_INLINE void event_queue::run_claimed(work_item& item) {
  invocation::run_for_waiter(core_, item);
  end(item);
  let_go(item);
}

// ---- what outcomes needs --------------------------------------------------------------------------------------------

DORMOUSE_INLINE work_item* event_queue::find(function_record& record, std::uint64_t id) noexcept {
  if (record.activity == nullptr) return nullptr;
  function_activity& activity = *record.activity;
  if (take_back(activity)) ring_under_lock(record);
  for (const item_list* list : {&activity.queue, &activity.running, &activity.waiting}) {
    for (work_item* each = list->first(); each != nullptr; each = each->next) {
      if (each->id == id && each->posted) return each;
    }
  }
  for (event_batch* each = activity.batches; each != nullptr; each = each->next_of_function) {
    if (work_item* const item = each->running(); item != nullptr && item->id == id) return item;
  }
  return nullptr;
}

DORMOUSE_INLINE void event_queue::set_aside(work_item& item, item_state state) noexcept {
  function_activity& activity = *item.record->activity;
  if (item.state == item_state::running) {
    activity.running.remove(item);
    item.record->totals->in_hand.fetch_sub(1, std::memory_order_release);
  }
  item.state = state;
  if (state == item_state::waiting) activity.waiting.push_back(item);
}

DORMOUSE_INLINE void event_queue::queue_again(work_item& item) noexcept {
  function_activity& activity = *item.record->activity;
  activity.waiting.remove(item);
  item.state = item_state::queued;
  item.queued_at = core_.time.ticks();
  if (item.attempt == 1) item.accepted_at = item.queued_at;  // a dead letter that starts anew
  core_.ends.note(item, invocation_state::queued);
  activity.queue.push_back(item);
  make_ready(activity);
  ring_under_lock(*activity.record);
}

DORMOUSE_INLINE void event_queue::leave(function_record& record, std::size_t bytes) noexcept {
  {
    const std::lock_guard lock(core_.lock_of(record));
    release_places(*record.activity, 1, bytes);
    core_.instances.rest(record);
  }
  core_.progress();
}

DORMOUSE_INLINE bool event_queue::readmit(work_item& item) noexcept {
  const std::lock_guard lock(core_.lock_of(*item.record));
  try {
    return admit(item, false).has_value();
  } catch (...) {
    return false;
  }
}

DORMOUSE_INLINE void event_queue::refuse_all(std::vector<unfinished>& to) {
  const std::size_t count = core_.functions.size();
  for (std::size_t i = 0; i < count; ++i) {
    function_record& record = core_.functions.at(static_cast<std::uint32_t>(i));
    for (;;) {
      work_item* item = nullptr;
      {
        const std::lock_guard lock(core_.lock_of(record));
        if (record.activity == nullptr) break;
        take_back(*record.activity);
        if (record.activity->queue.empty()) break;
        item = pop(*record.activity);
        ++record.totals->uncommon().refusals;
      }
      if (!item->delivering) item->refuse(core::shutting_down());
      try {
        to.push_back({item->id, std::string(record.name()), unfinished_state::queued});
      } catch (...) {  // a list cut short by memory; the event itself has its outcome
      }
      end(*item);
      let_go(*item);
    }
  }
  compute.clear();  // no worker need come for it
  blocking.clear();
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
