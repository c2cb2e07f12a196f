// SPDX-License-Identifier: MIT
#pragma once

// A function gets another handler, or none, while it runs. What runs ends on the handler it began with; that handler
// lives until the last lease on it is gone.

#include <dormouse/detail/core.hpp>
#include <dormouse/detail/instance_pool.hpp>

#include <memory>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// A lease less on some version. The last one of a former version takes its handler along.
DORMOUSE_INLINE void instance_pool::leave_version(function_activity& activity, std::uint32_t version,
                                                  dead_instances& dead) noexcept {
  if (version == activity.version) return;
  --activity.stale_leases;
  for (retired_version** at = &activity.retired; *at != nullptr; at = &(*at)->next) {
    retired_version& each = **at;
    if (each.version != version) continue;
    if (--each.leases > 0) return;
    *at = each.next;
    each.counted = true;
    ++activity.being_destroyed;
    dead.push(each);
    break;
  }
  if (activity.retired == nullptr) {
    activity.record->attention.fetch_and(~attention_bits::replaced, std::memory_order_seq_cst);
  }
}

// Every idle lease of whatever version; the rest follow as they are given back.
DORMOUSE_INLINE void instance_pool::drop_idle(function_activity& activity, dead_instances& dead) noexcept {
  while (activity.shared.front() != nullptr) drop(activity, *activity.shared.front(), dead);
  for (lease* each = activity.homed.front(); each != nullptr;) {
    lease* const next = each->next;
    if (take_over(*each)) drop(activity, *each, dead);
    each = next;
  }
}

// Under the function's lock: from here on the present handler is a former one.
DORMOUSE_INLINE void instance_pool::retire_handler(function_activity& activity, retired_version& former,
                                                   dead_instances& dead) noexcept {
  core_.events.take_back(activity);
  former.version = activity.version;
  former.leases = activity.fresh_leases();
  ++activity.version;
  activity.open = nullptr;
  activity.stale_leases = activity.leases;
  activity.stale_instances = activity.instances;
  activity.dying = 0;
  if (former.leases == 0) {
    former.counted = true;
    ++activity.being_destroyed;
    dead.push(former);
    return;
  }
  former.next = activity.retired;
  activity.retired = &former;
  // seq_cst, before the slots are looked at: whoever gives a lease back meanwhile sees the bit, or we see the lease.
  activity.record->attention.fetch_or(attention_bits::replaced, std::memory_order_seq_cst);
  drop_idle(activity, dead);
}

DORMOUSE_INLINE bool instance_pool::replace(function_record& record, std::uint32_t generation, const handler_ops& ops,
                                            void* prototype) {
  auto former = make_in<retired_version>(core_.memory);
  dead_instances dead;
  {
    const std::lock_guard lock(core_.lock_of(record));
    if (!record.is_still(generation)) return false;
    former->ops = record.ops;
    former->prototype = record.prototype;
    former->record = &record;
    record.ops = &ops;
    record.prototype = prototype;
    retired_version& kept = *former.release();
    if (record.activity == nullptr) {
      dead.push(kept);
    } else {
      retire_handler(*record.activity, kept, dead);
      if (record.totals != nullptr) record.totals->end_init_streak();  // the new handler's inits are its own
      offer_room(*record.activity);
      rest(record);
    }
  }
  destroy_objects(core_, dead);
  provision_soon(record);
  return true;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
