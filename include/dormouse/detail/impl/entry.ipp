// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/core.hpp>
#include <dormouse/detail/entry.hpp>
#include <dormouse/detail/invocation.hpp>
#include <dormouse/detail/waiting.hpp>

#include <algorithm>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// A time of the clock as ticks, at least 1: 0 stands for nothing.
DORMOUSE_INLINE std::uint64_t ticks_at(const clock& time, const clock::time_point* at) noexcept {
  if (at == nullptr) return never_ticks;
  const auto now = time.now();
  const std::uint64_t ticks = time.ticks();
  return *at > now ? ticks + time.to_ticks(*at - now) : std::max<std::uint64_t>(1, ticks - 1);
}

DORMOUSE_INLINE void call_here(const function_reference& target, call_arguments& call,
                               const clock::time_point* deadline) {
  invocation::invoke(*target.owner, *target.record, target.generation, call,
                     deadline == nullptr ? never_ticks : ticks_at(target.owner->time, deadline));
}

DORMOUSE_INLINE recycler& memory_of_items(const function_reference& target) noexcept { return *target.owner->items; }

DORMOUSE_INLINE result<acceptance> hand_over(const function_reference& target, item_pointer& given,
                                             const clock::time_point* deadline, bool posted) {
  core& owner = *target.owner;
  if (owner.in_child()) [[unlikely]]
    return core::forked_child();
  try {
    if (given.get() == nullptr) throw std::bad_alloc{};
    work_item& item = *given.get();
    item.owner = &owner;
    item.record = target.record;
    item.generation = target.generation;
    item.deadline = ticks_at(owner.time, deadline);
    item.posted = posted;
    if (event* const kept = item.message()) fill_attributes(*kept, owner.time);
    invocation::inherit(owner, item, !posted);
    return owner.events.accept(given, invocation::inside(owner));
  } catch (const std::bad_alloc&) {
    return make_failure(errc::out_of_memory, effect_kind::not_applied, failure_reason::none, {});
  }
}

DORMOUSE_INLINE event_item* make_event_item(const function_reference& target, event&& message,
                                            std::shared_ptr<void> until_over) noexcept {
  return new (*target.owner->items) event_item(std::move(message), std::move(until_over));
}

DORMOUSE_INLINE result<void> submit_reported(const function_reference& target, event&& message,
                                             std::shared_ptr<reply_receiver> tells, const void* submitter) {
  auto* const fresh = new (*target.owner->items) reported_event_item(std::move(message), std::move(tells), submitter);
  item_pointer item(fresh);
  auto taken = hand_over(target, item, nullptr, false);
  if (taken) return {};
  return std::move(taken).error();
}

// The worker was awake for it, so its reply may be here sooner than this thread could be asleep. Not after a wake: then
// the processor is better left to the worker.
DORMOUSE_INLINE void wait_awake(work_item& item) noexcept {
  // Not the runtime's clock: once the item has ended, the runtime may be gone.
  const auto limit = std::chrono::steady_clock::now() + spinner::budget_max;
  constexpr int looks = 16;
  do {
    for (int i = 0; i < looks; ++i) {
      if (item.ended.is_open()) return;
      relax_processor();
    }
  } while (std::chrono::steady_clock::now() < limit);
}

DORMOUSE_INLINE void wait_ended(work_item& item) {
  if (item.ended.is_open()) return;
  if (item.owner->in_child()) {  // the worker that would end it is the parent's
    item.refuse(core::forked_child());
    return item.ended.open();
  }
  // A worker that waits would be missing to run what it waits for.
  if (this_thread_invocation != nullptr && item.owner->events.claim(item)) item.owner->events.run_claimed(item);
  host_driver::drive_here(item.owner, item.ended, clock::time_point::max());
  if (item.awaited) wait_awake(item);
  item.ended.wait();
}

DORMOUSE_INLINE bool wait_ended_until(work_item& item, clock::time_point limit) {
  if (item.ended.is_open()) return true;
  if (item.owner->in_child()) return false;
  host_driver::drive_here(item.owner, item.ended, limit);
  return wait_until(item.owner->time, item.ended, limit);
}

DORMOUSE_INLINE bool has_ended(const work_item& item) noexcept { return item.ended.is_open(); }

DORMOUSE_INLINE function_stats stats_of(const function_reference& target) {
  if (target.owner->in_child()) return {};
  return target.owner->stats_of(*target.record);
}

DORMOUSE_INLINE std::string_view name_of(const function_reference& target) noexcept { return target.record->name(); }

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
