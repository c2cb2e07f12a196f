// SPDX-License-Identifier: MIT
#pragma once

// Functions with a keep-alive policy: when their idle instances end, and when one is made ahead. Their leases never
// stay with a thread (attention_bits::policed), so that every use passes the function's lock and is counted here.

#include <dormouse/detail/core.hpp>
#include <dormouse/detail/instance_pool.hpp>

#include <algorithm>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// Under the function's lock: somebody has got a lease, or the right to make one.
DORMOUSE_INLINE void instance_pool::started_using(function_record& record) noexcept {
  keep_alive_state& state = record.totals->keep();
  if (state.in_use++ != 0) return;
  if (state.stage != keep_alive_stage::used) state.policy->used_after(core_.time.now() - state.unused_since);
  state.stage = keep_alive_stage::used;
}

// What a policy may say and what is done are two things: times are added to others. In place, as this runs in each use.
DORMOUSE_INLINE void instance_pool::bound(keep_alive_plan& plan) noexcept {
  const auto within = [](std::chrono::nanoseconds& time) {
    if (time.count() < 0 || time > keep_alive_plan::time_max) [[unlikely]]
      time = time.count() < 0 ? std::chrono::nanoseconds{0} : keep_alive_plan::time_max;
  };
  within(plan.keep);
  if (plan.prewarm_after) within(*plan.prewarm_after);
  within(plan.prewarm_keep);
}

// Under the function's lock: it has been given back, or the right came to nothing.
DORMOUSE_INLINE void instance_pool::stopped_using(function_record& record) noexcept {
  keep_alive_state& state = record.totals->keep();
  --state.in_use;
  if (state.policy == nullptr) return;  // undefined meanwhile
  const auto now = core_.time.now();
  if (state.in_use != 0) return arm_keep_alive(record, now + record.settings->options.idle_timeout);
  keep_alive_plan& plan = state.plan = state.policy->plan();
  bound(plan);
  if (plan.prewarm_after && *plan.prewarm_after <= plan.keep) {
    plan.keep = std::max(plan.keep, *plan.prewarm_after + plan.prewarm_keep);
    plan.prewarm_after.reset();
  }
  state.unused_since = now;
  state.stage = keep_alive_stage::kept;
  arm_keep_alive(record, now + plan.keep);
}

// Under the function's lock. Without a thread or memory for a timer the next use tries again.
DORMOUSE_INLINE void instance_pool::arm_keep_alive(function_record& record, clock::time_point due) noexcept {
  keep_alive_state& state = record.totals->keep();
  if (core_.phase() != core_phase::open || (state.timer != 0 && state.armed_for <= due)) return;
  core_.timers.cancel(state.timer);
  state.armed_for = due;
  state.timer = core_.timers.arm(due, [this, &record] { keep_alive_due(record); });
}

// On the timekeeper.
DORMOUSE_INLINE void instance_pool::keep_alive_due(function_record& record) noexcept {
  dead_instances dead;
  bool prewarms = false;
  {
    const std::lock_guard lock(core_.lock_of(record));
    keep_alive_state& state = record.totals->keep();
    // This one has fired. Any other took its place while it waited for the lock: one is enough.
    core_.timers.cancel(std::exchange(state.timer, 0));
    if (state.policy == nullptr || core_.phase() != core_phase::open) return;
    if (state.in_use != 0) {
      drop_surplus(record, dead);
    } else {
      prewarms = next_stage(record, dead);
    }
    if (record.activity != nullptr) rest(record);
  }
  // The timekeeper runs no user code.
  if (dead.runs_user_code()) {
    core_.chores.bury(dead);
  } else {
    destroy_objects(core_, dead);
  }
  if (prewarms) [[maybe_unused]]
    const bool soon = core_.chores.add([this, &record] { prewarm(record); });
}

// Under the function's lock: the step of the plan that is due, if any. True when an instance is to be made.
DORMOUSE_INLINE bool instance_pool::next_stage(function_record& record, dead_instances& dead) noexcept {
  keep_alive_state& state = record.totals->keep();
  const auto now = core_.time.now();
  const keep_alive_plan& plan = state.plan;
  if (state.stage == keep_alive_stage::kept) {
    if (now < state.unused_since + plan.keep) return arm_keep_alive(record, state.unused_since + plan.keep), false;
    drop_unused(record, dead, std::numeric_limits<std::uint64_t>::max());
    state.stage = plan.prewarm_after ? keep_alive_stage::away : keep_alive_stage::over;
  }
  if (state.stage == keep_alive_stage::away) {
    const auto at = state.unused_since + *plan.prewarm_after;
    if (now < at) return arm_keep_alive(record, at), false;
    state.stage = keep_alive_stage::prewarmed;
    arm_keep_alive(record, at + plan.prewarm_keep);
    return true;
  }
  if (state.stage == keep_alive_stage::prewarmed) {
    drop_unused(record, dead, std::numeric_limits<std::uint64_t>::max());
    state.stage = keep_alive_stage::over;
  }
  return false;
}

// Under the function's lock: those that were last used at `used_until` (ticks) or before, but for the provisioned ones.
// When the next of the others was used; 0 when none is idle.
DORMOUSE_INLINE std::uint64_t instance_pool::drop_unused(function_record& record, dead_instances& dead,
                                                         std::uint64_t used_until) noexcept {
  if (record.activity == nullptr) return 0;
  function_activity& activity = *record.activity;
  std::uint64_t next_used = 0;
  for (lease* each = activity.shared.front(); each != nullptr;) {
    lease* const next = each->next;
    const std::uint64_t used = each->last_used.load(std::memory_order_relaxed);  // relaxed: idle, so written before
    if (each->state == nullptr || activity.living_instances() > record.settings->options.instances_provisioned) {
      if (used <= used_until) {
        drop(activity, *each, dead);
      } else if (next_used == 0 || used < next_used) {
        next_used = used;
      }
    }
    each = next;
  }
  return next_used;
}

// Under the function's lock: some are in use; of the idle ones, those beyond idle_timeout end.
DORMOUSE_INLINE void instance_pool::drop_surplus(function_record& record, dead_instances& dead) noexcept {
  const std::uint64_t now = core_.time.ticks();
  const std::uint64_t idle = record.settings->idle_ticks;
  const std::uint64_t next = drop_unused(record, dead, now > idle ? now - idle : 0);
  if (next == 0) return;
  const auto left = core_.time.between(now, next + idle);
  arm_keep_alive(record, core_.time.now() + std::max<std::chrono::nanoseconds>(left, std::chrono::milliseconds{1}));
}

DORMOUSE_INLINE void instance_pool::prewarm(function_record& record) noexcept {
  grant allowed;
  {
    const std::lock_guard lock(core_.lock_of(record));
    if (!record.is_defined() || core_.phase() != core_phase::open || record.is_paused()) return;
    if (record.totals->keep().stage != keep_alive_stage::prewarmed) return;  // used meanwhile
    try {
      if (activity_of(record).living_instances() != 0 || !start_ahead(*record.activity, allowed)) return rest(record);
    } catch (const std::bad_alloc&) {
      return;
    }
  }
  auto made = make(record, allowed);
  if (!made) return;  // the first event tries again, and reports why it cannot
  lease& ahead = *made->made;
  {
    const std::lock_guard lock(core_.lock_of(record));
    ++record.totals->uncommon().prewarmed;
    ahead.prewarmed = true;
  }
  give_back_shared(ahead, nullptr);
}

// Under the function's lock: is it too late for an instance made ahead that is there now? Then making it took longer
// than it was to be kept, and its timer has come and gone.
DORMOUSE_INLINE bool instance_pool::came_too_late(const function_activity& activity) noexcept {
  function_record& record = *activity.record;
  if (!has_policy(record)) return false;
  const keep_alive_state& state = record.totals->keep();
  if (state.in_use != 0) arm_keep_alive(record, core_.time.now() + record.settings->options.idle_timeout);
  if (state.stage != keep_alive_stage::over && state.stage != keep_alive_stage::away) return false;
  return record.is_paused() || (activity.callers.empty() && activity.queue.empty());
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
