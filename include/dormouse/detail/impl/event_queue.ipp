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
  if (fresh.posted && core_.ends.full()) {
    return make_failure(errc::limit_exceeded, effect_kind::not_applied, failure_reason::dead_letters,
                        "the dead letters are at their bound: redrive or discard some");
  }
  if (core_.ends.unarmed()) [[unlikely]]
    core_.ends.rearm();
  fresh.id = core_.next_invocation();
  fresh.accepted_at = fresh.queued_at = core_.time.ticks();
  fresh.add_owner();  // the queue's: a worker may end the event at any time from here on
  if (auto queued = enqueue(fresh, inside); !queued) {
    fresh.drop_owner();
    return queued;
  }
  if (core_.pool_of(*fresh.record).notify()) return {};
  if (!claim(fresh)) return {};  // somebody has started it after all
  withdraw(fresh);
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
  return {};
}

DORMOUSE_INLINE result<void> event_queue::enqueue(work_item& item, bool inside) {
  const std::lock_guard lock(core_.lock_of(*item.record));
  try {
    if (auto admitted = admit(item, inside); !admitted) return admitted;
  } catch (const std::bad_alloc&) {
    return make_failure(errc::out_of_memory, effect_kind::not_applied, failure_reason::none, {});
  }
  if (item.posted) core_.ends.note(item, invocation_state::queued);
  item.record->activity->queue.push_back(item);
  make_ready(*item.record->activity);
  return {};
}

// A claimed event whose acceptance is taken back: as if it had never been accepted.
DORMOUSE_INLINE void event_queue::withdraw(work_item& item) noexcept {
  {
    const std::lock_guard lock(core_.lock_of(*item.record));
    function_activity& activity = *item.record->activity;
    if (activity.queue.empty()) ring_of(*item.record).remove(activity);  // nobody may come to take it out
  }
  end(item);
  let_go(item);
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

DORMOUSE_INLINE work_item* event_queue::pop(function_activity& activity) noexcept {
  work_item* const item = activity.queue.first();
  take_out(*item);
  if (activity.queue.empty()) {
    activity.record->attention.fetch_and(~attention_bits::events_wait, std::memory_order_seq_cst);
  }
  return item;
}

DORMOUSE_INLINE bool event_queue::too_old(const work_item& item) const noexcept {
  const std::uint64_t now = core_.time.ticks();
  const std::uint64_t age_max = item.record->settings->age_ticks;
  return item.posted && now > item.accepted_at && now - item.accepted_at > age_max;
}

// Under the function's lock: the event has come to its end, or goes to its destination. See run_without_instance().
DORMOUSE_INLINE bool event_queue::needs_no_instance(const work_item& item) const noexcept {
  return item.delivering || too_old(item) || !item.record->is_defined() ||
         item.cancelled.load(std::memory_order_relaxed);  // relaxed: set under the lock
}

// No instance for the first event. One that somebody waits for is told so while inits are spaced, as a call is; a
// posted one waits, which costs it no attempt.
DORMOUSE_INLINE work_item* event_queue::start_to_refuse(function_activity& activity) noexcept {
  work_item* const first = activity.queue.first();
  const bool spaced = activity.obstacle == start_obstacle::spaced && activity.living_instances() == 0;
  if (!spaced || first->posted || activity.record->is_paused()) return nullptr;
  pop(activity)->with = {};
  first->refuse(core_.instances.spaced(*activity.record));
  if (!activity.queue.empty()) make_ready(activity);
  return first;
}

DORMOUSE_INLINE work_item* event_queue::start_one(function_activity& activity) {
  if (activity.queue.empty()) return nullptr;
  if (work_item* const first = activity.queue.first(); needs_no_instance(*first)) {
    pop(activity)->with = {};  // it needs no instance
    if (!activity.queue.empty()) make_ready(activity);
    return first;
  }
  auto got = core_.instances.try_acquire(activity);
  if (!got) {
    // A release that came just before the bit was set is found by the second try; one that comes after it sees the bit.
    activity.record->attention.fetch_or(attention_bits::events_wait, std::memory_order_seq_cst);
    got = core_.instances.try_acquire(activity);
    if (!got) return start_to_refuse(activity);
  }
  work_item* const item = pop(activity);
  item->with = *got;
  if (!activity.queue.empty()) make_ready(activity);
  return item;
}

// ---- running and ending ---------------------------------------------------------------------------------------------

DORMOUSE_INLINE void event_queue::release_place(function_activity& activity, std::size_t bytes) noexcept {
  --activity.accepted;
  activity.accepted_bytes -= bytes;
  accepted_.fetch_sub(1);
}

DORMOUSE_INLINE void event_queue::end(work_item& item) noexcept {
  function_record& record = *item.record;
  {
    const std::lock_guard lock(core_.lock_of(record));
    function_activity& activity = *record.activity;
    if (item.state == item_state::running) activity.running.remove(item);
    if (item.state == item_state::waiting) activity.waiting.remove(item);
    item.state = item_state::ended;
    release_place(activity, item.bytes);
    core_.instances.rest(record);
  }
  core_.progress();
  item.ended.open();
}

// Ends `item` and, when its lease is at hand, gives the function's next event, to run with the same one.
DORMOUSE_INLINE work_item* event_queue::end_and_continue(work_item& item, lease* with) noexcept {
  function_record& record = *item.record;
  end(item);
  let_go(item);
  if (with == nullptr) return nullptr;
  {
    const std::lock_guard lock(core_.lock_of(record));
    function_activity& activity = *record.activity;  // kept by the lease
    work_item* const first = activity.queue.first();
    const bool may_go_on = activity.callers.empty() && with->version == activity.version && !record.is_paused();
    if (first != nullptr && may_go_on && !needs_no_instance(*first)) {
      work_item* const next = pop(activity);
      next->with = grant{.taken = with};
      return next;
    }
  }
  core_.instances.release(*with);
  return nullptr;
}

// A posted event that failed, or whose success somebody is told, is not over yet.
DORMOUSE_INLINE work_item* event_queue::after(work_item& item, lease* with) noexcept {
  if (!item.posted || (!item.failed && item.record->settings->options.on_success.empty())) {
    if (item.posted) core_.ends.note(item, invocation_state::succeeded);
    return end_and_continue(item, with);
  }
  if (with != nullptr) core_.instances.release(*with);
  core_.ends.conclude(item);
  return nullptr;
}

DORMOUSE_INLINE void event_queue::run_without_instance(work_item& item) noexcept {
  if (!item.posted && item.failed) {  // refused already
    end(item);
    return let_go(item);
  }
  if (item.delivering) return core_.ends.deliver(item);
  if (!item.record->is_defined()) return core_.ends.bury_undefined(item);
  if (item.cancelled.load(std::memory_order_relaxed)) return core_.ends.finish(item, invocation_state::cancelled);
  item.refuse(make_failure(errc::event_age_exceeded, effect_kind::not_applied, failure_reason::none,
                           "it has waited for longer than event_age_max"));
  core_.ends.conclude(item);
}

DORMOUSE_INLINE void event_queue::run(work_item* item) noexcept {
  const std::uint64_t begun = core_.time.ticks();
  const std::uint64_t quantum = core_.time.to_ticks(quantum_time);
  const int events_max = core_.options.shuffle ? 1 : quantum_events;
  int events = 0;
  worker_pool& pool = core_.pool_of(*item->record);
  while (item != nullptr) {
    if (item->with.is_none()) {
      run_without_instance(*item);
      break;
    }
    const bool within = ++events < events_max && core_.time.ticks() - begun < quantum;
    lease* with = nullptr;
    {
      const worker_pool::user_code handler(pool);
      with = invocation::run_item(core_, *item, within);
    }
    item = after(*item, with);
  }
  core_.settle();
}

// Out of the queue: running, for whoever asked. Under the function's lock.
DORMOUSE_INLINE void event_queue::take_out(work_item& item) noexcept {
  function_activity& activity = *item.record->activity;
  activity.queue.remove(item);
  activity.running.push_back(item);
  item.state = item_state::running;
  item.failed = item.failed && item.delivering;
  // relaxed: the lock, which undefine() takes as well, orders it.
  item.record->totals->in_hand.fetch_add(1, std::memory_order_relaxed);
  item.started_at = core_.time.ticks();
  item.record->totals->queued.add(core_.time.between(item.queued_at, item.started_at));
  if (item.posted && item.attempt == 1) activity.budget.earn(item.record->settings->options.retry);
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

DORMOUSE_INLINE work_item* event_queue::find(const function_record& record, std::uint64_t id) noexcept {
  if (record.activity == nullptr) return nullptr;
  for (const item_list* list : {&record.activity->queue, &record.activity->running, &record.activity->waiting}) {
    for (work_item* each = list->first(); each != nullptr; each = each->next) {
      if (each->id == id && each->posted) return each;
    }
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

DORMOUSE_INLINE void event_queue::let_go(work_item& item) noexcept {
  function_totals& totals = *item.record->totals;
  core& owner = *item.owner;
  item.drop_owner();
  // release: who sees it gone sees its destructor done.
  totals.in_hand.fetch_sub(1, std::memory_order_release);
  owner.progress();
}

DORMOUSE_INLINE void event_queue::leave(function_record& record, std::size_t bytes) noexcept {
  {
    const std::lock_guard lock(core_.lock_of(record));
    release_place(*record.activity, bytes);
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
        if (record.activity == nullptr || record.activity->queue.empty()) break;
        item = pop(*record.activity);
        ++record.totals->refusals;
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
