// SPDX-License-Identifier: MIT
#pragma once

// The end of idle instances: one timer a function that has any, armed by the first and re-armed until there is none.
// While all of them are in use there is none: `attention` then has whoever gives one back arm it.

#include <dormouse/detail/core.hpp>
#include <dormouse/detail/instance_pool.hpp>
#include <dormouse/detail/waiting.hpp>

#include <algorithm>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

DORMOUSE_INLINE void instance_pool::arm_reaper(function_record& record) noexcept {
  {
    const std::lock_guard lock(core_.lock_of(record));
    function_activity* const activity = record.activity;
    record.attention.fetch_and(~attention_bits::reaper, std::memory_order_seq_cst);
    if (activity == nullptr || activity->reaper_armed || has_policy(record)) return;
    if (activity->living_instances() <= record.settings->options.instances_provisioned) return;
    if (core_.phase() == core_phase::closed) return;
    activity->reaper_armed = true;
  }
  rearm(record, record.settings->idle_ticks);
}

DORMOUSE_INLINE void instance_pool::rearm(function_record& record, std::uint64_t in_ticks) noexcept {
  const auto due = core_.time.now() + std::max(core_.time.between(0, in_ticks), std::chrono::nanoseconds{1});
  if (core_.timers.arm(due, [this, &record] { reap(record); }) != 0) return;
  // No thread to be had: the next call of this function tries again.
  const std::lock_guard lock(core_.lock_of(record));
  if (record.activity == nullptr) return;  // closed in between
  record.activity->reaper_armed = false;
  if (core_.phase() == core_phase::open) record.attention.fetch_or(attention_bits::reaper, std::memory_order_seq_cst);
  rest(record);
}

// On the timekeeper.
DORMOUSE_INLINE void instance_pool::reap(function_record& record) noexcept {
  dead_instances dead;
  std::uint64_t next_ticks = 0;
  bool again = false;
  {
    const std::lock_guard lock(core_.lock_of(record));
    // seq_cst, before the look: who gives an instance back either sees the bit, or it is seen idle here.
    record.attention.fetch_or(attention_bits::reaper, std::memory_order_seq_cst);
    again = reap_expired(*record.activity, dead, next_ticks);
    record.activity->reaper_armed = again;
    const bool all_in_use =
        !again && record.activity->living_instances() > record.settings->options.instances_provisioned;
    if (!all_in_use) record.attention.fetch_and(~attention_bits::reaper, std::memory_order_seq_cst);
    rest(record);
  }
  // The timekeeper runs no user code, so a destructor that is the user's goes to a worker.
  if (dead.runs_user_code()) {
    core_.chores.bury(dead);
  } else {
    destroy_objects(core_, dead);
  }
  if (again) rearm(record, next_ticks);
}

// True when an idle instance is left that will expire; `next_ticks` says when.
DORMOUSE_INLINE bool instance_pool::reap_expired(function_activity& activity, dead_instances& dead,
                                                 std::uint64_t& next_ticks) noexcept {
  const std::uint64_t idle_ticks = activity.record->settings->idle_ticks;
  const std::uint64_t now = core_.time.ticks();
  next_ticks = never_ticks;
  // Ticks that went backwards (the machine slept) count as expired.
  const std::size_t provisioned = activity.record->settings->options.instances_provisioned;
  const auto expired = [&](const lease& each) {
    if (each.state != nullptr && activity.living_instances() <= provisioned) return false;
    const std::uint64_t used = each.last_used.load(std::memory_order_relaxed);
    if (now < used || now - used >= idle_ticks) return true;
    next_ticks = std::min(next_ticks, idle_ticks - (now - used));
    return false;
  };
  for (lease* each = activity.shared.front(); each != nullptr;) {
    lease* const next = each->next;
    if (expired(*each)) drop(activity, *each, dead);
    each = next;
  }
  for (lease* each = activity.homed.front(); each != nullptr;) {
    lease* const next = each->next;
    // acquire: with the slot's release, its last use is seen.
    const bool is_idle = each->home->idle.load(std::memory_order_acquire) == each;
    if (is_idle && expired(*each) && take_over(*each)) {
      if (expired(*each)) {
        drop(activity, *each, dead);
      } else {  // used in between: idle again, but no longer in its thread's slot
        share(activity, *each);
        offer_room(activity);  // perhaps it is in use again
      }
    }
    each = next;
  }
  return next_ticks != never_ticks;
}

// The core closes, or destroys: no instance stays with a thread. Callers that wait are sent away when it is closed.
DORMOUSE_INLINE void instance_pool::collect_all(bool destroy) noexcept {
  const std::size_t count = core_.functions.size();
  for (std::size_t i = 0; i < count; ++i) {
    function_record& record = core_.functions.at(static_cast<std::uint32_t>(i));
    dead_instances dead;
    {
      const std::lock_guard lock(core_.lock_of(record));
      record.attention.fetch_or(attention_bits::closing, std::memory_order_seq_cst);
      if (record.activity == nullptr) continue;
      function_activity& activity = *record.activity;
      while (destroy && !activity.callers.empty()) answer(activity, *activity.callers.first, std::nullopt);
      for (lease* each = activity.homed.front(); each != nullptr;) {
        lease* const next = each->next;
        if (take_over(*each)) share(activity, *each);
        each = next;
      }
      while (destroy && activity.shared.front() != nullptr) drop(activity, *activity.shared.front(), dead);
      if (destroy) activity.reaper_armed = false;  // its timer went with the timekeeper
      offer_room(activity);
      rest(record);
    }
    destroy_objects(core_, dead);
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
