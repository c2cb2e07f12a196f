// SPDX-License-Identifier: MIT
#pragma once

// Making an instance: the user's constructor, contained; and what is undone when it fails.

#include <dormouse/detail/core.hpp>
#include <dormouse/detail/instance_pool.hpp>
#include <dormouse/detail/invocation.hpp>

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// The text of whatever the calling catch block handles.
DORMOUSE_INLINE failure describe_failed_init() noexcept {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return make_failure(errc::out_of_memory, effect_kind::not_applied, failure_reason::none, "making an instance");
  } catch (const std::exception& why) {
    return make_failure(errc::init_failed, effect_kind::not_applied, failure_reason::handler_threw, text_of(why));
  } catch (...) {
    return make_failure(errc::init_failed, effect_kind::not_applied, failure_reason::handler_threw,
                        "making an instance threw something that is not a std::exception");
  }
}

// A grant that came to nothing: its room goes to whoever waits for it.
DORMOUSE_INLINE void instance_pool::take_back(function_record& record, const grant& unused, bool init_failed) noexcept {
  dead_instances dead;
  {
    const std::lock_guard lock(core_.lock_of(record));
    function_activity& activity = *record.activity;
    --activity.leases;
    leases_.fetch_sub(1);
    if (unused.counted) stopped_using(record);
    if (unused.joins != nullptr) leave_instance(activity, *unused.joins, dead);
    if (unused.constructs) instance_gone(activity, unused.version);
    leave_version(activity, unused.version, dead);
    if (init_failed) count_init(record, true);
    offer_room(activity);
    core_.progress();
    rest(record);
  }
  destroy_objects(core_, dead);
}

// Allocates, and runs the user's constructor when the grant says so. Throws what either throws.
DORMOUSE_INLINE void instance_pool::ready_lease(function_record& record, const grant& allowed, made_lease& outcome) {
  auto fresh = make_in<lease>(core_.memory);
  fresh->owner = &core_;
  fresh->record = &record;
  fresh->ops = allowed.ops;
  fresh->version = allowed.version;
  fresh->object = allowed.joins != nullptr ? allowed.joins->object : allowed.prototype;
  fresh->state = allowed.joins;
  fresh->timeout_ticks = record.settings->timeout_ticks;
  fresh->generation = record.generation;
  fresh->counted = allowed.counted;
  fresh->keep = record.settings->idle_ticks != 0 || !record.settings->options.keep.empty() ||
                allowed.ops->state != handler_state::per_instance;
  if (allowed.constructs) {
    auto state = make_in<instance>(core_.memory);
    const std::uint64_t begun = core_.time.ticks();
    state->object = allowed.ops->construct(allowed.prototype);
    const std::uint64_t ended = core_.time.ticks();
    outcome.init_ticks = ended > begun ? ended - begun : 0;
    outcome.cold = true;
    state->record = &record;
    state->ops = allowed.ops;
    state->version = allowed.version;
    state->made_at = ended;
    state->leases = 1;
    fresh->object = state->object;
    fresh->state = state.release();
  }
  outcome.made = fresh.release();
}

// Enters a made lease into the function's books. False when its init took too long: then it is gone again.
DORMOUSE_INLINE bool instance_pool::admit_lease(function_record& record, const made_lease& outcome,
                                                dead_instances& dead) noexcept {
  const std::lock_guard lock(core_.lock_of(record));
  function_activity& activity = *record.activity;
  lease& each = *outcome.made;
  activity.loose.push_front(each);
  if (!outcome.cold) return true;
  if (outcome.init_ticks > record.settings->init_timeout_ticks) {
    count_init(record, true);
    drop(activity, each, dead);
    offer_room(activity);
    rest(record);
    return false;
  }
  count_init(record, false);
  ++record.totals->cold_starts;
  record.totals->add(function_totals::duration::init, core_.time.between(0, outcome.init_ticks));
  if (record.settings->options.instance_concurrency > 1 && each.version == activity.version) {
    each.state->next = activity.open;
    activity.open = each.state;
    offer_room(activity);
  }
  return true;
}

DORMOUSE_INLINE result<instance_pool::made_lease> instance_pool::make(function_record& record, const grant& allowed) {
  made_lease outcome;
  try {
    ready_lease(record, allowed, outcome);
  } catch (...) {
    failure why = describe_failed_init();
    take_back(record, allowed, allowed.constructs);
    return why;
  }
  dead_instances dead;
  if (admit_lease(record, outcome, dead)) return outcome;
  destroy_objects(core_, dead);
  return make_failure(errc::init_failed, effect_kind::not_applied, failure_reason::timeout,
                      "making the instance took longer than init_timeout");
}

// Destructors of the user's, contained: what they throw costs nobody else anything, and is counted.
template <class Destroy>
void destroy_contained(core& owner, function_record& record, Destroy&& destroy) noexcept {
  try {
    std::forward<Destroy>(destroy)();
  } catch (...) {
    const std::lock_guard lock(owner.lock_of(record));
    if (record.totals != nullptr) ++record.totals->uncommon().destructor_failures;
  }
}

DORMOUSE_INLINE void destroy_objects(core& owner, dead_instances dead) noexcept {
  while (dead.first != nullptr) {
    const owner_in<instance> each(dead.first, {&owner.memory});
    dead.first = each->next;
    destroy_contained(owner, *each->record, [&] { each->ops->destroy(each->object); });
    owner.instances.destroyed(*each->record, each->version);
  }
  while (dead.versions != nullptr) {
    const owner_in<retired_version> each(dead.versions, {&owner.memory});
    dead.versions = each->next;
    function_record& record = *each->record;
    destroy_contained(owner, record, [&] { each->ops->drop_prototype(each->prototype); });
    if (!each->counted) continue;
    const std::lock_guard lock(owner.lock_of(record));
    --record.activity->being_destroyed;
    owner.progress();
    owner.instances.rest(record);
  }
  owner.instances.feed_starved();
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
