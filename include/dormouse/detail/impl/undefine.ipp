// SPDX-License-Identifier: MIT
#pragma once

// A function is taken out while it may be running.

#include <dormouse/detail/core.hpp>
#include <dormouse/detail/invocation.hpp>

#include <memory>
#include <thread>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// What an undefined function has for a handler: nothing calls it.
inline constexpr handler_ops no_handler{.drop_prototype = [](void*) {}};

DORMOUSE_INLINE bool instance_pool::retire_last(function_record& record, std::uint32_t generation) {
  auto former = make_in<retired_version>(core_.memory);
  dead_instances dead;
  std::unique_ptr<keep_alive_policy> policy;  // dies outside the lock
  {
    const std::lock_guard lock(core_.lock_of(record));
    if (!record.is_still(generation)) return false;
    former->ops = record.ops;
    former->prototype = record.prototype;
    former->record = &record;
    activity_of(record);  // the last thing that may throw
    record.ops = &no_handler;
    record.prototype = nullptr;
    // release: who sees the function undefined sees that it has no handler.
    record.generation.fetch_add(1, std::memory_order_release);
    function_activity& activity = *record.activity;
    while (!activity.callers.empty()) answer(activity, *activity.callers.first, std::nullopt);
    if (has_policy(record)) {
      keep_alive_state& keep = record.totals->keep();
      core_.timers.cancel(std::exchange(keep.timer, 0));
      policy = std::move(keep.policy);
    }
    retire_handler(activity, *former.release(), dead);
    rest(record);
  }
  reserved.fetch_sub(record.settings->options.instances_reserved);
  destroy_objects(core_, dead);
  return true;
}

// What an undefined function has accepted and not started.
DORMOUSE_INLINE void event_queue::bury_all(function_record& record) noexcept {
  for (;;) {
    work_item* item = nullptr;
    {
      const std::lock_guard lock(core_.lock_of(record));
      if (record.activity == nullptr) return;
      if (work_item* const waits = record.activity->waiting.first(); waits != nullptr) core_.ends.hurry(*waits);
      item = record.activity->queue.first();
      if (item == nullptr) return;  // what a worker or the timekeeper holds comes to the same end there
      take_out(*item);
    }
    core_.ends.bury_undefined(*item);
  }
}

// Leases, handlers and events of the function that somebody still holds.
DORMOUSE_INLINE std::size_t core::still_runs(function_record& record) {
  const std::lock_guard lock(lock_of(record));
  const function_activity* const activity = record.activity;
  const std::size_t held = activity == nullptr ? 0 : activity->leases + activity->being_destroyed;
  // acquire: with the release in let_go, the destructors of those events are over.
  return held + record.totals->in_hand.load(std::memory_order_acquire);
}

DORMOUSE_INLINE void core::wait_undefined(function_record& record, clock::time_point until) {
  undefining_.fetch_add(1);
  do {
    std::uint64_t seen = 0;
    {
      const std::lock_guard lock(closing_);
      seen = progress_made_;
    }
    if (still_runs(record) == 0) break;  // under the function's lock, which comes before the other
    wait_progress(until, [&] { return progress_made_ != seen; });
  } while (time.now() < until);
  undefining_.fetch_sub(1);
}

DORMOUSE_INLINE result<std::size_t> core::undefine(function_record& record, std::uint32_t generation,
                                                   std::chrono::nanoseconds wait_for) {
  try {
    if (!instances.retire_last(record, generation)) {
      return make_failure(errc::not_found, effect_kind::not_applied, failure_reason::undefined, record.name());
    }
  } catch (const std::bad_alloc&) {
    return make_failure(errc::out_of_memory, effect_kind::not_applied, failure_reason::none, {});
  }
  functions.count_undefined();
  events.bury_all(record);
  if (wait_for.count() > 0 && !invocation::runs_here(record)) wait_undefined(record, time.now() + wait_for);
  return still_runs(record);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
