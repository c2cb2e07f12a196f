// SPDX-License-Identifier: MIT
#pragma once

// When an instance may be started: the runtime's ceiling and what functions have reserved of it, the space between
// inits that fail in a row, pauses, and instances made before they are needed.

#include <dormouse/detail/core.hpp>
#include <dormouse/detail/instance_pool.hpp>

#include <algorithm>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// ---- the ceiling of the runtime -------------------------------------------------------------------------------------

// An instance is the function's own up to instances_reserved; the ones beyond share what nobody has reserved.
DORMOUSE_INLINE bool instance_pool::take_pool_place(const function_activity& activity) noexcept {
  if (activity.instances < activity.record->settings->options.instances_reserved) return true;
  const std::size_t all = core_.options.instances_max;
  std::size_t used = pool_used_.load();
  while (used + std::min(all, reserved.load()) < all) {
    if (pool_used_.compare_exchange_weak(used, used + 1)) return true;
  }
  return false;
}

// An object of that version is no more, or was not made. It counts until then: what instances_max bounds is what there
// is, the dying included.
DORMOUSE_INLINE void instance_pool::instance_gone(function_activity& activity, std::uint32_t version) noexcept {
  if (version != activity.version) --activity.stale_instances;
  --activity.instances;
  instances_.fetch_sub(1);
  if (activity.instances >= activity.record->settings->options.instances_reserved) pool_used_.fetch_sub(1);
}

// Under the function's lock. May an instance be started now? If not, activity.obstacle says why, and whoever waits is
// served once it is gone.
DORMOUSE_INLINE bool instance_pool::may_start(function_activity& activity) noexcept {
  function_record& record = *activity.record;
  activity.obstacle = start_obstacle::none;
  if (activity.fresh_instances() >= record.settings->options.instances_max) {
    activity.obstacle = start_obstacle::function_full;
    return false;
  }
  if (record.totals->init_streak() >= init_streak_max) {
    const auto now = core_.time.now();
    clock::time_point& next_start = record.totals->uncommon().next_start;
    if (now < next_start) {
      activity.obstacle = start_obstacle::spaced;
      start_later(activity);
      return false;
    }
    next_start = now + record.settings->options.init_timeout;  // one at a time: until this one has ended
  }
  if (take_pool_place(activity)) return true;
  activity.obstacle = start_obstacle::runtime_full;
  const std::lock_guard lock(starved_mutex_);
  if (activity.starved) return false;
  activity.starved = true;
  activity.next_starved = nullptr;
  (starved_last_ != nullptr ? starved_last_->next_starved : starved_first_) = &activity;
  starved_last_ = &activity;
  any_starved_.store(true);
  return false;
}

// After the destructor: its room goes to whoever waits for it.
DORMOUSE_INLINE void instance_pool::destroyed(function_record& record, std::uint32_t version) noexcept {
  const std::lock_guard lock(core_.lock_of(record));
  function_activity& activity = *record.activity;
  if (version == activity.version) --activity.dying;
  instance_gone(activity, version);
  offer_room(activity);
  core_.progress();
  rest(record);
}

DORMOUSE_INLINE void instance_pool::feed_starved() noexcept {
  while (any_starved_.load() && pool_used_.load() + reserved.load() < core_.options.instances_max) {
    function_activity* next = nullptr;
    {
      const std::lock_guard lock(starved_mutex_);
      next = starved_first_;
      if (next == nullptr) return;
      starved_first_ = next->next_starved;
      if (starved_first_ == nullptr) {
        starved_last_ = nullptr;
        any_starved_.store(false);
      }
    }
    function_record& record = *next->record;  // kept: its activity says that it is starved until the next lines
    const std::lock_guard lock(core_.lock_of(record));
    next->starved = false;
    offer_room(*next);
    rest(record);
  }
}

DORMOUSE_INLINE bool instance_pool::evict_idle(const function_record& needs) noexcept {
  const std::size_t count = core_.functions.size();
  const std::size_t from = evict_from_.load(std::memory_order_relaxed);  // relaxed: where to begin is a matter of taste
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = (from + i) % count;
    function_record& record = core_.functions.at(static_cast<std::uint32_t>(at));
    const function_options& options = record.settings->options;
    if (&record == &needs || options.instance_concurrency > 1) continue;
    dead_instances dead;
    {
      const std::lock_guard lock(core_.lock_of(record));
      function_activity* const activity = record.activity;
      const std::size_t keeps = std::max(options.instances_reserved, options.instances_provisioned);
      if (activity == nullptr || activity->instances - activity->dying <= keeps) continue;
      // Before the look: what is given back after it sees the bit, and makes room then.
      record.attention.fetch_or(attention_bits::crowded, std::memory_order_seq_cst);
      lease* const idle = take_idle(*activity);
      if (idle == nullptr) continue;
      if (idle->state == nullptr) {
        share(*activity, *idle);
        continue;
      }
      drop(*activity, *idle, dead);
      rest(record);
    }
    evict_from_.store(at, std::memory_order_relaxed);
    destroy_objects(core_, dead);
    return true;
  }
  return false;
}

// Under the function's lock: is a lease that is given back to make room for other functions?
DORMOUSE_INLINE bool instance_pool::makes_room(const function_activity& activity, const lease& each) noexcept {
  function_record& record = *activity.record;
  if ((record.attention.load() & attention_bits::crowded) == 0) return false;
  if (!any_starved_.load()) {
    record.attention.fetch_and(~attention_bits::crowded, std::memory_order_seq_cst);
    return false;
  }
  const function_options& options = record.settings->options;
  return each.state != nullptr && options.instance_concurrency == 1 &&
         activity.instances - activity.dying > std::max(options.instances_reserved, options.instances_provisioned);
}

// ---- inits that fail in a row ---------------------------------------------------------------------------------------

DORMOUSE_INLINE void instance_pool::count_init(function_record& record, bool failed) noexcept {
  if (!failed) return record.totals->end_init_streak();
  uncommon_counts& totals = record.totals->uncommon();
  ++totals.init_failures;
  if (++totals.init_streak < init_streak_max) return;
  const auto doublings = std::min<std::uint32_t>(totals.init_streak - init_streak_max, 20);
  const auto space = std::min<std::chrono::nanoseconds>(init_space_max, init_space_min * (1 << doublings));
  totals.next_start = core_.time.now() + space;
}

DORMOUSE_INLINE failure instance_pool::spaced(function_record& record) noexcept {
  ++record.totals->uncommon().refusals;
  failure why = make_failure(errc::init_failed, effect_kind::not_applied, failure_reason::init_spacing,
                             "several inits have failed in a row");
  const auto left = record.totals->uncommon().next_start - core_.time.now();
  why.retry_after = std::max(std::chrono::ceil<std::chrono::milliseconds>(left), std::chrono::milliseconds{1});
  return why;
}

// Under the function's lock: what waits is offered room again when an instance may be started.
DORMOUSE_INLINE void instance_pool::start_later(function_activity& activity) noexcept {
  if (activity.start_armed || (activity.queue.empty() && activity.callers.empty())) return;
  function_record& record = *activity.record;
  activity.start_armed = core_.timers.arm(record.totals->uncommon().next_start, [this, &record] {
    const std::lock_guard lock(core_.lock_of(record));
    if (record.activity == nullptr) return;  // closed
    record.activity->start_armed = false;
    offer_room(*record.activity);
    rest(record);
  }) != 0;
}

// ---- provisioned instances ------------------------------------------------------------------------------------------

DORMOUSE_INLINE void instance_pool::provision_soon(function_record& record) noexcept {
  if (record.settings->options.instances_provisioned == 0 || core_.phase() != core_phase::open) return;
  // Without a thread or memory for it the instances are made when they are needed.
  [[maybe_unused]] const bool soon = core_.chores.add([this, &record] { provision(record); });
}

// Under the function's lock: the right to make an instance that nobody waits for.
DORMOUSE_INLINE bool instance_pool::start_ahead(function_activity& activity, grant& allowed) noexcept {
  const function_record& record = *activity.record;
  if (record.ops->state != handler_state::per_instance || !may_start(activity)) return false;
  ++activity.instances;
  ++activity.leases;
  instances_.fetch_add(1);
  leases_.fetch_add(1);
  allowed = {
      .constructs = true, .makes = true, .ops = record.ops, .prototype = record.prototype, .version = activity.version};
  return true;
}

DORMOUSE_INLINE void instance_pool::provision(function_record& record) noexcept {
  for (;;) {
    grant allowed;
    {
      const std::lock_guard lock(core_.lock_of(record));
      if (!record.is_defined() || core_.phase() != core_phase::open) return;
      try {
        function_activity& activity = activity_of(record);
        const bool enough = record.ops->state != handler_state::per_instance ||
                            activity.living_instances() >= record.settings->options.instances_provisioned;
        if (enough || !start_ahead(activity, allowed)) return rest(record);
      } catch (const std::bad_alloc&) {
        return;
      }
    }
    auto made = make(record, allowed);
    if (!made) return;  // the first event tries again, and reports why it cannot
    give_back_shared(*made->made, nullptr);
  }
}

// ---- pause ----------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE void instance_pool::pause(function_record& record) noexcept {
  const std::lock_guard lock(core_.lock_of(record));
  record.attention.fetch_or(attention_bits::paused, std::memory_order_seq_cst);
  if (record.activity == nullptr) return;
  core_.events.take_back(*record.activity);
  for (lease* each = record.activity->homed.front(); each != nullptr;) {
    lease* const next = each->next;
    if (take_over(*each)) share(*record.activity, *each);
    each = next;
  }
}

DORMOUSE_INLINE void instance_pool::resume(function_record& record) noexcept {
  const std::lock_guard lock(core_.lock_of(record));
  record.attention.fetch_and(~attention_bits::paused, std::memory_order_seq_cst);
  if (record.activity != nullptr) offer_room(*record.activity);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
