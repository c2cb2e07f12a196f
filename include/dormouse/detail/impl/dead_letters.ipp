// SPDX-License-Identifier: MIT
#pragma once

// Dead letters: kept through the events themselves, so that keeping one needs no memory.

#include <dormouse/detail/core.hpp>
#include <dormouse/detail/outcomes.hpp>

#include <algorithm>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

DORMOUSE_INLINE void outcomes::bury(work_item& item, failure&& why) noexcept {
  item.aftermath().last_failure = std::move(why);
  item.delivering = false;
  note(item, invocation_state::dead);
  item.is_over();
  item.aftermath().holds_place = true;
  {
    const std::lock_guard lock(core_.lock_of(*item.record));
    core_.events.set_aside(item, item_state::dead);
    ++item.record->totals->uncommon().dead_letters;
  }
  keep_letter(item);
  core_.progress();
}

// What still holds a place in its function's queue gives it up for one among the dead letters when there is one.
DORMOUSE_INLINE void outcomes::keep_letter(work_item& item) noexcept {
  {
    const std::lock_guard lock(dead_mutex_);
    item.aftermath().died = core_.time.wall();
    dead_.push_back(item);
    if (item.aftermath().holds_place) {
      resting_.fetch_add(1);
    } else {
      ++dead_count_;
      dead_bytes_ += item.bytes;
    }
  }
  give_places();
}

// The event goes on as bytes: nothing of the code that posted it is needed from here on.
DORMOUSE_INLINE void outcomes::bury_undefined(work_item& item) noexcept {
  failure why = make_failure(errc::not_found, effect_kind::not_applied, failure_reason::undefined, item.record->name());
  if (!item.posted) {
    item.refuse(std::move(why));
    core_.events.end(item);
    return event_queue::let_go(item);
  }
  work_item* kept = nullptr;
  try {
    kept = copy_as_event(item, *item.record);
  } catch (...) {  // no memory, or its codec throws: the event stays as it is
    return bury(item, std::move(why));
  }
  {
    const std::lock_guard lock(core_.lock_of(*item.record));
    item.record->activity->running.remove(item);
    item.state = item_state::ended;
    ++item.record->totals->uncommon().dead_letters;
  }
  kept->aftermath().last_failure = std::move(why);
  kept->aftermath().holds_place = true;
  kept->bytes = item.bytes;  // it is the same place
  event_queue::let_go(item);
  note(*kept, invocation_state::dead);
  keep_letter(*kept);
  core_.progress();
}

// Under dead_mutex_.
DORMOUSE_INLINE void outcomes::look_at_bounds() noexcept {
  full_.store(dead_count_ >= core_.options.dead_letters_max || dead_bytes_ >= core_.options.dead_letter_bytes_max,
              std::memory_order_relaxed);
}

// Gives the oldest letter that has no place one, if there is room.
DORMOUSE_INLINE work_item* outcomes::next_with_place() noexcept {
  const std::lock_guard lock(dead_mutex_);
  look_at_bounds();
  if (full()) return nullptr;
  for (work_item* each = dead_.first(); each != nullptr; each = each->next) {
    if (!each->aftermath().holds_place) continue;
    each->aftermath().holds_place = false;
    ++dead_count_;
    dead_bytes_ += each->bytes;
    resting_.fetch_sub(1);
    look_at_bounds();
    each->add_owner();  // it may be discarded as soon as the lock is gone
    return each;
  }
  return nullptr;
}

DORMOUSE_INLINE void outcomes::give_places() noexcept {
  while (work_item* const each = next_with_place()) {
    core_.events.leave(*each->record, each->bytes);
    each->drop_owner();
  }
}

DORMOUSE_INLINE bool outcomes::matches(const work_item& item, const dead_letter_filter& which) noexcept {
  return (which.function.empty() || which.function == item.record->name()) &&
         (!which.code || *which.code == item.aftermath().last_failure.code) &&
         (!which.id || *which.id == invocation_id{item.id, item.record->index});
}

DORMOUSE_INLINE std::vector<dead_letter> outcomes::letters(const dead_letter_filter& which) {
  std::vector<dead_letter> found;
  std::vector<item_pointer> items;
  {
    const std::lock_guard lock(dead_mutex_);
    for (work_item* each = dead_.first(); each != nullptr && found.size() < which.count_max; each = each->next) {
      if (!matches(*each, which)) continue;
      items.emplace_back();
      found.push_back({.id = {each->id, each->record->index},
                       .function = std::string(each->record->name()),
                       .why = each->aftermath().last_failure,
                       .attempts = each->aftermath().history,
                       .died = each->aftermath().died});
      each->add_owner();
      items.back() = item_pointer(each);
    }
  }
  for (std::size_t i = 0; i < items.size(); ++i) found[i].message = items[i].get()->as_event();
  return found;
}

DORMOUSE_INLINE void outcomes::unlink(const dead_letter_filter& which, item_list& to) noexcept {
  const std::lock_guard lock(dead_mutex_);
  std::size_t count = 0;
  for (work_item* each = dead_.first(); each != nullptr && count < which.count_max;) {
    work_item* const next = each->next;
    if (matches(*each, which)) {
      dead_.remove(*each);
      to.push_back(*each);
      ++count;
      if (each->aftermath().holds_place) {
        resting_.fetch_sub(1);
      } else {
        --dead_count_;
        dead_bytes_ -= each->bytes;
      }
    }
    each = next;
  }
  look_at_bounds();
}

DORMOUSE_INLINE std::size_t outcomes::discard(const dead_letter_filter& which) {
  item_list gone;
  unlink(which, gone);
  std::size_t count = 0;
  while (work_item* const each = gone.pop_front()) {
    if (each->aftermath().holds_place) core_.events.leave(*each->record, each->bytes);
    each->drop_owner();
    ++count;
  }
  give_places();
  return count;
}

DORMOUSE_INLINE std::size_t outcomes::redrive(const dead_letter_filter& which, const redrive_options& options) {
  item_list found;
  unlink(which, found);
  std::size_t count = 0;
  const auto apart = options.per_second_max
                         ? std::chrono::nanoseconds{std::chrono::seconds{1}} / std::max(1U, *options.per_second_max)
                         : std::chrono::nanoseconds{0};
  while (work_item* const each = found.pop_front()) {
    work_item* const again = renewed(*each);
    if (again != nullptr && revive(*again, apart * static_cast<std::int64_t>(count))) {
      ++count;
    } else {
      keep_letter(again != nullptr ? *again : *each);
    }
  }
  give_places();
  return count;
}

// A dead letter of `record` with the event, the id and the past of `item`.
DORMOUSE_INLINE work_item* outcomes::copy_as_event(work_item& item, function_record& record) {
  auto* const fresh = new_item<event_item>(*core_.items, item.as_event());
  fresh->owner = &core_;
  fresh->record = &record;
  fresh->generation = record.generation.load();
  fresh->id = item.id;
  fresh->attempt = item.attempt;
  fresh->posted = true;
  fresh->accepted_at = item.accepted_at;
  fresh->origin = std::move(item.origin);
  fresh->aftermath().history = std::move(item.aftermath().history);
  fresh->state = item_state::dead;
  return fresh;
}

// For the function that has this name now. Null when there is none, or no memory: then `item` is as it was.
DORMOUSE_INLINE work_item* outcomes::renewed(work_item& item) {
  function_record* const now = core_.functions.find(item.record->name());
  if (now == nullptr) return nullptr;
  if (now == item.record) return &item;
  try {
    work_item* const fresh = copy_as_event(item, *now);
    fresh->aftermath().last_failure = std::move(item.aftermath().last_failure);
    if (item.aftermath().holds_place) core_.events.leave(*item.record, item.bytes);
    item.drop_owner();
    return fresh;
  } catch (...) {
    return nullptr;
  }
}

// As if it had just been accepted. False when its function has no room for it.
DORMOUSE_INLINE bool outcomes::revive(work_item& item, std::chrono::nanoseconds after) {
  if (!item.aftermath().holds_place && !core_.events.readmit(item)) return false;
  item.aftermath().holds_place = false;
  item.aftermath().history.clear();
  item.attempt = 0;
  item.aftermath().deliveries = 0;
  item.failed = false;
  item.cancelled.store(false, std::memory_order_relaxed);
  item.accepted_at = core_.time.ticks();
  wait(item, after);
  return true;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
