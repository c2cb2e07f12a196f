// SPDX-License-Identifier: MIT
#pragma once

// What a worker does with a function's events: one, then those behind it in batches, for a quantum.

#include <dormouse/detail/core.hpp>
#include <dormouse/detail/event_queue.hpp>
#include <dormouse/detail/invocation.hpp>

#include <algorithm>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// ---- starting -------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE bool event_queue::too_old(const work_item& item, std::uint64_t now) const noexcept {
  return item.posted && now > item.accepted_at && now - item.accepted_at > item.record->settings->age_ticks;
}

// Under the function's lock: the event has come to its end, or goes to its destination. See run_without_instance().
DORMOUSE_INLINE bool event_queue::needs_no_instance(const work_item& item, std::uint64_t now) const noexcept {
  return item.delivering || too_old(item, now) || !item.record->is_defined() ||
         item.cancelled.load(std::memory_order_relaxed);  // relaxed: set under the lock
}

DORMOUSE_INLINE work_item* event_queue::pop(function_activity& activity) noexcept {
  work_item* const item = activity.queue.first();
  take_out(*item);
  if (item->posted && item->attempt == 1) activity.budget.earn(item->record->settings->options.retry);
  emptied(activity);
  return item;
}

DORMOUSE_INLINE void event_queue::emptied(function_activity& activity) noexcept {
  if (!activity.queue.empty()) return;
  // relaxed: set and cleared under the lock. Looked at first, since submitters read this line.
  std::atomic<std::uint32_t>& attention = activity.record->attention;
  if ((attention.load(std::memory_order_relaxed) & attention_bits::events_wait) == 0) return;
  attention.fetch_and(~attention_bits::events_wait, std::memory_order_seq_cst);
}

// No instance for the first event. One that somebody waits for is told so while inits are spaced, as a call is; a
// posted one waits, which costs it no attempt, and so does one that nobody waits for.
DORMOUSE_INLINE work_item* event_queue::start_to_refuse(function_activity& activity) noexcept {
  work_item* const first = activity.queue.first();
  const bool spaced = activity.obstacle == start_obstacle::spaced && activity.living_instances() == 0;
  if (!spaced || first->posted || first->reports || activity.record->is_paused()) return nullptr;
  pop(activity)->with = {};
  first->refuse(core_.instances.spaced(*activity.record));
  if (!activity.queue.empty()) make_ready(activity);
  return first;
}

DORMOUSE_INLINE work_item* event_queue::start_one(function_activity& activity) {
  if (activity.queue.empty()) return nullptr;
  if (work_item* const first = activity.queue.first(); needs_no_instance(*first, core_.time.ticks())) {
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

// ---- batches --------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE bool event_queue::take_back(function_activity& activity) noexcept {
  std::uint32_t count = 0;
  for (event_batch* each = activity.batches; each != nullptr; each = each->next_of_function) {
    each->take_back([&](work_item& item) {
      item.state = item_state::queued;
      activity.queue.push_front(item);
      ++count;
    });
    ring_of(each->record).unlist(*each);
  }
  if (count == 0) return false;
  activity.record->totals->in_hand.fetch_sub(count, std::memory_order_relaxed);  // relaxed: under the lock
  make_ready(activity);
  return true;
}

DORMOUSE_INLINE void event_queue::account_ended(function_activity& activity) noexcept {
  for (event_batch* each = activity.batches; each != nullptr; each = each->next_of_function) {
    account_ended(activity, *each);
  }
}

DORMOUSE_INLINE void event_queue::account_ended(function_activity& activity, event_batch& batch) noexcept {
  std::uint64_t count = 0;
  std::size_t bytes = 0;
  function_totals& totals = *activity.record->totals;
  batch.account_ended([&](work_item& item) {
    item.state = item_state::ended;
    totals.add(function_totals::duration::queued, core_.time.between(item.queued_at, item.started_at));
    ++count;
    bytes += item.bytes;
  });
  release_places(activity, count, bytes);
}

// Under the function's lock: what may follow in the same instance. One event that does not go into a batch is given
// back, others are put there.
DORMOUSE_INLINE work_item* event_queue::take_more(function_activity& activity, lease& with, const quantum& left,
                                                  event_batch& batch) noexcept {
  work_item* const first = activity.queue.first();
  const bool may_go_on = activity.callers.empty() && with.version == activity.version && !activity.record->is_paused();
  if (first == nullptr || !may_go_on || left.is_over() || needs_no_instance(*first, left.now)) return nullptr;
  if (first->posted) {
    fill(batch, activity, left);
    return nullptr;
  }
  work_item* const next = pop(activity);
  next->with = grant{.taken = &with};
  return next;
}

DORMOUSE_INLINE void event_queue::fill(event_batch& batch, function_activity& activity, const quantum& left) noexcept {
  const retry_policy& retry = activity.record->settings->options.retry;
  const std::uint32_t most = std::min(left.events, event_batch::capacity);
  for (work_item* each = activity.queue.first(); each != nullptr && batch.size() < most;) {
    if (!each->posted || needs_no_instance(*each, left.now)) break;
    activity.queue.remove(*each);
    if (each->attempt == 1) activity.budget.earn(retry);
    batch.add(*each);
    each = activity.queue.first();
  }
  emptied(activity);
  activity.record->totals->in_hand.fetch_add(batch.size(), std::memory_order_relaxed);  // relaxed: as in take_out()
  batch.next_of_function = activity.batches;
  activity.batches = &batch;
  // Not for others when they would find no instance, nor when the only one starts at once.
  const bool instances_are_short = (activity.record->attention.load() & attention_bits::events_wait) != 0;
  batch.open(batch.size() > 1 && !instances_are_short);
  if (batch.listed_at_first) ring_of(*activity.record).list(batch);
}

// Runs what is in the batch, up to the end of the quantum. An event that is not simply over is given back.
DORMOUSE_INLINE work_item* event_queue::run_batch(event_batch& batch, lease& with, quantum& left) noexcept {
  const worker_pool::user_code handlers(core_.pool_of(batch.record));
  left.now = core_.time.ticks();
  while (!left.is_over()) {
    work_item* const item = batch.start_next();
    if (item == nullptr) break;
    if (batch.listed_at_first && batch.all_started()) ring_of(batch.record).unlist(batch);
    --left.events;
    started(*item);
    left.now = invocation::run_next(core_, *item, with, left.now);
    if (!is_over(*item) || !with.keep) return item;
    core_.ends.note(*item, invocation_state::succeeded);
    item->is_over();
    batch.ended_one();
  }
  return nullptr;
}

// Under the function's lock: the batch ends. What is over comes to `over`; the one that is not is running by itself.
DORMOUSE_INLINE void event_queue::settle(event_batch& batch, work_item* unlike, item_list& over) noexcept {
  function_activity& activity = *batch.record.activity;
  take_back(activity);
  account_ended(activity, batch);
  batch.for_each_ended([&](work_item& item) { over.push_back(item); });
  for (event_batch** at = &activity.batches; *at != nullptr; at = &(*at)->next_of_function) {
    if (*at != &batch) continue;
    *at = batch.next_of_function;
    break;
  }
  batch.clear();
  if (unlike == nullptr) return;
  unlike->state = item_state::running;
  activity.running.push_back(*unlike);
  activity.record->totals->add(function_totals::duration::queued,
                               core_.time.between(unlike->queued_at, unlike->started_at));
}

// ---- running --------------------------------------------------------------------------------------------------------

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

// A posted event that failed, or whose success somebody is told, is not over after its attempt.
DORMOUSE_INLINE bool event_queue::is_over(const work_item& item) noexcept {
  return !item.posted || (!item.failed && item.record->settings->options.on_success.empty());
}

// Ends `ended` and runs what follows it. The next event that has to be run by itself, if the lease goes to one.
DORMOUSE_INLINE work_item* event_queue::run_on(work_item& ended, lease& with, quantum& left) noexcept {
  function_record& record = *ended.record;
  event_batch batch(record);
  work_item* single = &ended;
  work_item* unlike = nullptr;
  do {
    item_list over;
    work_item* next = nullptr;
    {
      const std::lock_guard lock(core_.lock_of(record));
      if (single != nullptr) end_under_lock(*single);
      if (!batch.empty()) settle(batch, unlike, over);
      if (unlike == nullptr) next = take_more(*record.activity, with, left, batch);
    }
    if (single != nullptr && !single->posted && next == nullptr && batch.empty()) {
      left.to_tell = single;
    } else if (single != nullptr) {
      over.push_back(*single);
    }
    single = nullptr;
    let_all_go(record, over);
    if (next != nullptr) return next;
    if (!batch.empty()) {
      const std::uint64_t visited = left.now;
      unlike = run_batch(batch, with, left);
      if (unlike == nullptr) let_gather(record, visited, left);
    }
  } while (!batch.empty());
  core_.instances.release(with);
  if (unlike == nullptr) return nullptr;
  if (is_over(*unlike)) {
    core_.ends.finish(*unlike, invocation_state::succeeded);
  } else {
    core_.ends.conclude(*unlike);
  }
  return nullptr;
}

// A stream of short events: each look at their queue costs its submitters as much as several events, so there is some
// time between two of them. Nobody waits for the reply of a posted event.
DORMOUSE_INLINE void event_queue::let_gather(const function_record& record, std::uint64_t visited,
                                             quantum& left) noexcept {
  if (!core_.pool_of(record).may_stay() || core_.time.is_manual()) return;
  const std::uint64_t pause = core_.time.to_ticks(gather_time);
  while (left.now - visited < pause) {
    constexpr int relaxes_a_look = 8;
    for (int i = 0; i < relaxes_a_look; ++i) relax_processor();
    left.now = core_.time.ticks();
  }
  record.activity->recent.prefetch();  // kept by the lease
  if (left.is_over() && ring_of(record).has_only(record)) {
    left.until = left.now + core_.time.to_ticks(quantum_time);
    left.events = quantum_events;
  }
}

DORMOUSE_INLINE work_item* event_queue::run(work_item* item) noexcept {
  const std::uint64_t begun = core_.time.ticks();
  quantum left{.now = begun,
               .until = begun + core_.time.to_ticks(quantum_time),
               .events = core_.options.shuffle ? 1 : quantum_events};
  worker_pool& pool = core_.pool_of(*item->record);
  while (item != nullptr) {
    if (item->with.is_none()) {
      run_without_instance(*item);
      break;
    }
    --left.events;
    lease* with = nullptr;
    {
      const worker_pool::user_code handler(pool);
      with = invocation::run_item(core_, *item, left.events > 0);
    }
    left.now = core_.time.ticks();
    item = after(*item, with, left);
  }
  core_.settle();
  return left.to_tell;
}

// ---- ending ---------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE work_item* event_queue::after(work_item& item, lease* with, quantum& left) noexcept {
  if (!is_over(item)) {
    if (with != nullptr) core_.instances.release(*with);
    core_.ends.conclude(item);
    return nullptr;
  }
  if (item.posted) core_.ends.note(item, invocation_state::succeeded);
  if (with != nullptr) {
    if (item.reports) item.is_over();
    return run_on(item, *with, left);
  }
  end(item);
  let_go(item);
  return nullptr;
}

DORMOUSE_INLINE void event_queue::release_places(function_activity& activity, std::uint64_t count,
                                                 std::size_t bytes) noexcept {
  if (count == 0) return;
  activity.accepted -= count;
  activity.accepted_bytes -= bytes;
  accepted_.fetch_sub(count);
}

DORMOUSE_INLINE void event_queue::end_under_lock(work_item& item) noexcept {
  function_record& record = *item.record;
  function_activity& activity = *record.activity;
  if (item.state == item_state::running) activity.running.remove(item);
  if (item.state == item_state::waiting) activity.waiting.remove(item);
  item.state = item_state::ended;
  release_places(activity, 1, item.bytes);
  core_.instances.rest(record);
}

DORMOUSE_INLINE void event_queue::end(work_item& item) noexcept {
  if (item.reports) item.is_over();
  {
    const std::lock_guard lock(core_.lock_of(*item.record));
    end_under_lock(item);
  }
  core_.progress();
  if (!item.posted) item.ended.open();
}

DORMOUSE_INLINE void event_queue::let_go(work_item& item) noexcept {
  function_totals& totals = *item.record->totals;
  core& owner = *item.owner;
  item.drop_owner();
  // release: who sees it gone sees its destructor done.
  totals.in_hand.fetch_sub(1, std::memory_order_release);
  owner.progress();
}

// Not under a lock: these have ended, and nobody else has the queue's owner of them.
DORMOUSE_INLINE void event_queue::let_all_go(function_record& record, item_list& over) noexcept {
  std::uint32_t count = 0;
  while (work_item* const each = over.pop_front()) {
    if (!each->posted) each->ended.open();
    each->drop_owner();
    ++count;
  }
  if (count == 0) return;
  // release: as in let_go().
  record.totals->in_hand.fetch_sub(count, std::memory_order_release);
  core_.progress();
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
