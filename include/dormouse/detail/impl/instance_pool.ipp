// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/core.hpp>
#include <dormouse/detail/instance_pool.hpp>
#include <dormouse/detail/waiting.hpp>

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// ---- under the function's lock --------------------------------------------------------------------------------------

DORMOUSE_INLINE function_activity& instance_pool::activity_of(function_record& record) {
  if (record.activity == nullptr) {
    totals_of(record);
    record.activity = new_in<function_activity>(core_.memory, record);
    if (core_.phase() != core_phase::open)
      record.attention.fetch_or(attention_bits::closing, std::memory_order_seq_cst);
  }
  return *record.activity;
}

DORMOUSE_INLINE function_totals& instance_pool::totals_of(function_record& record) {
  if (record.totals == nullptr) record.totals = new_in<function_totals>(core_.memory, core_.memory);
  return *record.totals;
}

DORMOUSE_INLINE void instance_pool::rest(function_record& record) noexcept {
  function_activity* const activity = record.activity;
  if (activity == nullptr || !activity->at_rest()) return;
  record.activity = nullptr;
  delete_in(core_.memory, activity);
}

DORMOUSE_INLINE void instance_pool::share(function_activity& activity, lease& each) noexcept {
  each.home = nullptr;
  activity.move_to(each, lease_place::shared);
  shared_.fetch_add(1);
}

DORMOUSE_INLINE void instance_pool::unshare(function_activity& activity, lease& each) noexcept {
  activity.move_to(each, lease_place::loose);
  shared_.fetch_sub(1);
}

// The most recently used idle lease, taken over from its thread if need be; null when all are in use.
DORMOUSE_INLINE lease* instance_pool::take_idle(function_activity& activity) noexcept {
  for (;;) {
    lease* best = activity.shared.front();
    for (lease* each = activity.homed.front(); each != nullptr; each = each->next) {
      // seq_cst: after a change of `attention` this read is half of the pair in lease.hpp.
      if (each->home->idle.load(std::memory_order_seq_cst) != each) continue;
      if (each->version != activity.version) continue;  // just given back, about to be dropped by its thread
      if (best == nullptr ||
          each->last_used.load(std::memory_order_relaxed) > best->last_used.load(std::memory_order_relaxed)) {
        best = each;
      }
    }
    if (best == nullptr) return nullptr;
    if (best->place == lease_place::shared) {
      unshare(activity, *best);
      return best;
    }
    if (take_over(*best)) {
      best->home = nullptr;
      activity.move_to(*best, lease_place::loose);
      return best;
    }
  }
}

DORMOUSE_INLINE std::optional<grant> instance_pool::try_acquire(function_activity& activity) noexcept {
  function_record& record = *activity.record;
  const function_settings& settings = *record.settings;
  if (record.is_paused()) return std::nullopt;
  grant got;
  got.counted = has_policy(record);
  got.taken = take_idle(activity);
  if (got.taken != nullptr) {
    got.taken->counted = got.counted;
    got.taken->prewarmed = false;
    if (got.counted) [[unlikely]]
      started_using(record);
    return got;
  }
  if (record.ops->state == handler_state::per_instance) {
    if (instance* const open = activity.open; open != nullptr) {
      if (++open->leases == settings.options.instance_concurrency) activity.open = open->next;
      got.joins = open;
    } else if (may_start(activity)) {
      ++activity.instances;
      instances_.fetch_add(1);
      got.constructs = true;
      if (settings.options.instances_provisioned > 0) ++record.totals->uncommon().spillovers;
    } else {
      return std::nullopt;
    }
  } else if (activity.fresh_leases() >= (record.ops->state == handler_state::single ? 1 : settings.leases_max)) {
    return std::nullopt;
  }
  if (got.counted) [[unlikely]]
    started_using(record);
  got.makes = true;
  got.ops = record.ops;
  got.prototype = record.prototype;
  got.version = activity.version;
  ++activity.leases;
  leases_.fetch_add(1);
  return got;
}

// Something came free: whoever waits longest gets it, callers before events.
DORMOUSE_INLINE void instance_pool::offer_room(function_activity& activity) noexcept {
  while (!activity.callers.empty()) {
    const auto got = try_acquire(activity);
    if (!got) return;
    answer(activity, *activity.callers.first, got);
  }
  if (activity.queue.empty()) return;
  core_.events.make_ready(activity);
  core_.events.ring_under_lock(*activity.record);
}

DORMOUSE_INLINE void instance_pool::answer(function_activity& activity, waiting_caller& caller,
                                           const std::optional<grant>& got) noexcept {
  remove_caller(activity, caller);
  caller.answered = true;
  caller.got = got;
  caller.ready.open();  // last: its frame is the caller's stack, and is gone once it has the lock
}

DORMOUSE_INLINE void instance_pool::remove_caller(function_activity& activity, waiting_caller& caller) noexcept {
  activity.callers.remove(caller);
  --activity.callers_waiting;
  if (activity.callers.empty()) {
    activity.record->attention.fetch_and(~attention_bits::callers_wait, std::memory_order_seq_cst);
  }
}

// One lease less on an instance: it has room again, or is over.
DORMOUSE_INLINE void instance_pool::leave_instance(function_activity& activity, instance& state,
                                                   dead_instances& dead) noexcept {
  const bool was_full = state.leases-- == activity.record->settings->options.instance_concurrency;
  if (state.leases == 0) {
    for (instance** at = &activity.open; *at != nullptr; at = &(*at)->next) {
      if (*at != &state) continue;
      *at = state.next;
      break;
    }
    dead.push(state);
    activity.record->totals->resident += core_.time.between(state.made_at, core_.time.ticks());
    if (state.version == activity.version) ++activity.dying;
  } else if (was_full && state.version == activity.version) {
    state.next = activity.open;
    activity.open = &state;
  }
}

// Takes a lease out of existence. Its instance follows when no other lease is on it.
DORMOUSE_INLINE void instance_pool::drop(function_activity& activity, lease& each, dead_instances& dead) noexcept {
  function_totals& totals = *activity.record->totals;
  totals.invocations += each.invocations.load(std::memory_order_relaxed);
  const auto add_uncommon = [&](std::uint64_t function_stats::*sum, const std::atomic<std::uint64_t>& count) {
    if (const std::uint64_t some = count.load(std::memory_order_relaxed); some != 0) totals.uncommon().*sum += some;
  };
  add_uncommon(&function_stats::function_failures, each.function_failures);
  add_uncommon(&function_stats::timeouts, each.timeouts);
  add_uncommon(&function_stats::refusals, each.refusals);
  totals.add(function_totals::duration::run, each.run);
  if (each.prewarmed) ++totals.uncommon().prewarmed_unused;
  if (std::exchange(each.counted, false)) stopped_using(*activity.record);
  activity.list_of(each.place).remove(each);
  if (each.place == lease_place::shared) shared_.fetch_sub(1);
  if (each.state != nullptr) leave_instance(activity, *each.state, dead);
  leave_version(activity, each.version, dead);
  --activity.leases;
  leases_.fetch_sub(1);
  delete_in(core_.memory, &each);
  core_.progress();
}

// Where a lease that is no longer in use goes. `slot`: this thread's, empty; null when the thread keeps none.
DORMOUSE_INLINE void instance_pool::place(function_activity& activity, lease& each, lease_slot* slot,
                                          dead_instances& dead) noexcept {
  const core_phase phase = core_.phase();
  if (!each.keep || phase == core_phase::closed || each.version != activity.version) {
    drop(activity, each, dead);
    return offer_room(activity);
  }
  if (activity.callers.empty() && activity.queue.empty() && makes_room(activity, each)) {
    return drop(activity, each, dead);
  }
  if (each.prewarmed && came_too_late(activity)) return drop(activity, each, dead);
  if (std::exchange(each.counted, false)) stopped_using(*activity.record);
  const bool wanted = !activity.callers.empty() || !activity.queue.empty() || activity.record->is_paused() ||
                      has_policy(*activity.record);
  if (phase != core_phase::open || slot == nullptr || wanted) {
    share(activity, each);
    core_.progress();
    return offer_room(activity);
  }
  each.home = slot;
  activity.move_to(each, lease_place::homed);
  slot->function = activity.record;
  // seq_cst as everywhere; the lock already orders it with whoever sets attention.
  slot->idle.store(&each, std::memory_order_seq_cst);
}

// ---- taking the function's lock -------------------------------------------------------------------------------------

// Why a caller that got no lease is not to wait for one. Under the function's lock.
DORMOUSE_INLINE std::optional<failure> instance_pool::refusal(const function_activity& activity,
                                                              const lease_request& request) {
  const auto refused = [&](errc code, failure_reason reason, std::string_view text) {
    ++activity.record->totals->uncommon().refusals;
    return make_failure(code, effect_kind::not_applied, reason, text);
  };
  if (activity.record->is_paused()) return refused(errc::throttled, failure_reason::paused, "the function is paused");
  if (activity.obstacle == start_obstacle::spaced && activity.living_instances() == 0) return spaced(*activity.record);
  if (request.in_chain) return refused(errc::recursion_limit, failure_reason::chain, {});
  if (activity.record->settings->options.busy == when_busy::throttle) {
    return refused(errc::throttled, failure_reason::instances,
                   activity.obstacle == start_obstacle::runtime_full
                       ? "every instance is busy and the runtime's instances_max is reached"
                       : "every instance is busy and instances_max is reached");
  }
  return std::nullopt;
}

DORMOUSE_INLINE result<grant> instance_pool::acquire(function_record& record, const lease_request& request) {
  for (bool evicted = false;;) {
    std::unique_lock lock(core_.lock_of(record));
    if (!record.is_still(request.generation)) {
      return make_failure(errc::not_found, effect_kind::not_applied, failure_reason::undefined, record.name());
    }
    try {
      if (!core_.admits(request.inside)) {
        ++totals_of(record).uncommon().refusals;
        return core::shutting_down();
      }
      function_activity& activity = activity_of(record);
      if (const auto got = try_acquire(activity)) return *got;
      if (activity.obstacle == start_obstacle::runtime_full && !std::exchange(evicted, true)) {
        lock.unlock();
        if (evict_idle(record)) continue;
        lock.lock();
      }
      if (auto why = refusal(*record.activity, request)) {
        rest(record);
        return std::move(*why);
      }
      return wait_for_lease(lock, *record.activity, request);
    } catch (const std::bad_alloc&) {
      return make_failure(errc::out_of_memory, effect_kind::not_applied, failure_reason::none, {});
    }
  }
}

// Not under a lock. When a driver waits, what it runs meanwhile may give an instance back.
DORMOUSE_INLINE void instance_pool::wait_answered(waiting_caller& self, std::uint64_t deadline) {
  if (core_.driver != nullptr) {
    const auto left = core_.time.between(core_.time.ticks(), deadline);
    const auto limit = deadline == never_ticks ? clock::time_point::max() : core_.time.now() + left;
    try {
      host_driver::drive_here(&core_, self.ready, limit);
    } catch (...) {  // out of memory: then it only waits
    }
  }
  [[maybe_unused]] const bool in_time = wait_until_ticks(core_.time, self.ready, deadline);
}

DORMOUSE_INLINE result<grant> instance_pool::wait_for_lease(std::unique_lock<function_mutex>& lock,
                                                            function_activity& activity, const lease_request& request) {
  function_record& record = *activity.record;
  if (activity.accepted + activity.callers_waiting >= record.settings->options.queue_depth_max) {
    ++record.totals->uncommon().refusals;
    return make_failure(errc::throttled, effect_kind::not_applied, failure_reason::queue_depth,
                        "every instance is busy and queue_depth_max callers and events wait");
  }
  waiting_caller self;
  activity.callers.push(self);
  ++activity.callers_waiting;
  record.attention.fetch_or(attention_bits::callers_wait, std::memory_order_seq_cst);
  core_.events.take_back(activity);  // callers come before events
  offer_room(activity);              // finds what was released just before the bit was set
  lock.unlock();
  wait_answered(self, request.deadline);
  lock.lock();
  if (self.answered) {
    if (self.got) return *self.got;
    ++record.totals->uncommon().refusals;
    if (record.is_defined()) return core::shutting_down();
    return make_failure(errc::not_found, effect_kind::not_applied, failure_reason::undefined, record.name());
  }
  remove_caller(activity, self);
  ++record.totals->uncommon().refusals;
  rest(record);
  return make_failure(errc::deadline_exceeded, effect_kind::not_applied, failure_reason::instances,
                      "no instance came free before the deadline");
}

// The warm path put `each` into its slot and then saw that somebody may need it.
DORMOUSE_INLINE void instance_pool::attend(function_record& record, lease& each) noexcept {
  dead_instances dead;
  bool try_reaper = false;
  {
    const std::lock_guard lock(core_.lock_of(record));
    lease_slot& slot = this_thread_leases.slot_of(record);
    lease* expected = &each;
    // Gone: who needed it has taken it.
    if (!slot.idle.compare_exchange_strong(expected, nullptr, std::memory_order_seq_cst)) return;
    place(*record.activity, each, &slot, dead);
    try_reaper = (record.attention.load(std::memory_order_seq_cst) & attention_bits::reaper) != 0;
    rest(record);
  }
  destroy_objects(core_, dead);
  if (try_reaper) arm_reaper(record);
}

DORMOUSE_INLINE void instance_pool::give_back(lease& each) noexcept {
  function_record& record = *each.record;
  lease_slot* slot = nullptr;
  // relaxed: set before the function was known. Its leases stay with no thread, so none of another's has to leave.
  const bool policed = (record.attention.load(std::memory_order_relaxed) & attention_bits::policed) != 0;
  if (this_thread_leases.usable() && each.keep && !policed && core_.phase() == core_phase::open) {
    keep_table_until_thread_ends();
    slot = &this_thread_leases.slot_of(record);
    // A lease of another function, or another one of this, makes place for the one used last.
    if (lease* const former = slot->idle.exchange(nullptr, std::memory_order_acquire)) {
      core& other = *former->owner;
      other.instances.give_back_shared(*former, nullptr);
      if (&other != &core_) other.settle();
    }
  }
  give_back_shared(each, slot);
}

DORMOUSE_INLINE void instance_pool::give_back_shared(lease& each, lease_slot* slot) noexcept {
  function_record& record = *each.record;
  core& owner = core_;
  dead_instances dead;
  bool try_reaper = false;
  {
    const std::lock_guard lock(owner.lock_of(record));
    place(*record.activity, each, slot, dead);
    try_reaper = (record.attention.load(std::memory_order_seq_cst) & attention_bits::reaper) != 0;
    rest(record);
  }
  destroy_objects(owner, dead);
  if (try_reaper) arm_reaper(record);
}

// After collect_all(): what is not in the functions' own lists is in use.
DORMOUSE_INLINE void instance_pool::append_running(std::vector<unfinished>& to) {
  const std::size_t count = core_.functions.size();
  for (std::size_t i = 0; i < count; ++i) {
    const function_record& record = core_.functions.at(static_cast<std::uint32_t>(i));
    const std::lock_guard lock(core_.lock_of(record));
    if (record.activity == nullptr) continue;
    for (const lease_list* list : {&record.activity->homed, &record.activity->loose}) {
      for (const lease* each = list->front(); each != nullptr; each = each->next) {
        to.push_back(
            {each->running.load(std::memory_order_relaxed), std::string(record.name()), unfinished_state::running});
      }
    }
  }
}

DORMOUSE_INLINE void lease_table::end() noexcept {
  ended_ = true;
  for (lease_slot& slot : slots_) {
    if (lease* const each = slot.idle.exchange(nullptr, std::memory_order_acquire)) {
      core& owner = *each->owner;
      if (owner.in_child()) continue;
      owner.instances.give_back_shared(*each, nullptr);
      owner.settle();
    }
  }
}

// Registers, once a thread, that its leases are given back when it ends.
DORMOUSE_INLINE void keep_table_until_thread_ends() noexcept {
  struct ending {
    ~ending() { this_thread_leases.end(); }
    bool registered = false;
  };
  static thread_local ending at_end;
  at_end.registered = true;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
