// SPDX-License-Identifier: MIT
#pragma once

// A page about a runtime that may be stuck: no allocation, and no lock that is waited for.

#include <dormouse/detail/core.hpp>

#include <fmt/format.h>

#include <mutex>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

constexpr std::size_t dump_functions_max = 40;
constexpr std::size_t dump_handlers_max = 8;  // a function

// One line, cut at its buffer.
template <class... Args>
void dump_line(std::FILE* out, fmt::format_string<Args...> text, Args&&... args) noexcept {
  char line[240];
  try {
    const auto end = fmt::format_to_n(line, sizeof line - 1, text, std::forward<Args>(args)...);
    const auto size = std::min<std::size_t>(end.size, sizeof line - 1);
    line[size] = '\n';
    std::fwrite(line, 1, size + 1, out);
  } catch (...) {  // numbers and names do not throw
  }
}

[[nodiscard]] DORMOUSE_INLINE double seconds_since(const clock& time, std::uint64_t ticks) noexcept {
  return std::chrono::duration<double>(time.between(ticks, time.ticks())).count();
}

// Under the function's lock.
DORMOUSE_INLINE void dump_handlers(std::FILE* out, const core& owner, const function_activity& activity) noexcept {
  std::size_t shown = 0;
  std::size_t more = 0;
  for (const lease_list* list : {&activity.homed, &activity.loose}) {
    for (const lease* each = list->front(); each != nullptr; each = each->next) {
      const std::uint64_t began = each->began.load(std::memory_order_relaxed);
      if (!each->in_use() || began == 0) continue;
      if (++shown > dump_handlers_max) {
        ++more;
        continue;
      }
      const std::uint64_t id = each->running.load(std::memory_order_relaxed);
      const double age = seconds_since(owner.time, began);
      const bool late = owner.time.ticks() > began + each->timeout_ticks;
      dump_line(out, "    handler runs for {:.3f} s{}{}: {} {}", age, late ? ", PAST ITS DEADLINE" : "",
                each->version != activity.version ? ", of a former version" : "", id == 0 ? "a direct call" : "event",
                id);
    }
  }
  if (more > 0) dump_line(out, "    ... and {} more handlers", more);
}

template <class List>
std::size_t dump_count(const List& list) noexcept {
  std::size_t count = 0;
  for (const auto* each = list.first(); each != nullptr; each = each->next) ++count;
  return count;
}

DORMOUSE_INLINE std::size_t dump_batches(const function_activity& activity,
                                         std::uint32_t (event_batch::*what)() const noexcept) noexcept {
  std::size_t count = 0;
  for (const auto* each = activity.batches; each != nullptr; each = each->next_of_function) count += (each->*what)();
  return count;
}

// False when it has nothing to show.
DORMOUSE_INLINE bool core::dump_function(std::FILE* out, function_record& record) noexcept {
  const std::unique_lock lock(lock_of(record), std::try_to_lock);
  if (!lock.owns_lock()) {
    dump_line(out, "  {}: its lock is held, nothing more is known", record.name());
    return true;
  }
  const function_activity* const activity = record.activity;
  if (activity == nullptr) return false;
  dump_line(out, "  {}{}{}: accepted {}, queued {}, running {}, waiting {}, callers waiting {}, instances {}, bytes {}",
            record.name(), record.is_defined() ? "" : " (undefined)", record.is_paused() ? " (paused)" : "",
            activity->accepted, dump_count(activity->queue) + dump_batches(*activity, &event_batch::not_started),
            dump_count(activity->running) + dump_batches(*activity, &event_batch::not_ended),
            dump_count(activity->waiting), activity->callers_waiting, activity->instances, activity->accepted_bytes);
  if (const work_item* const first = activity->queue.first()) {
    dump_line(out, "    the first in its queue has waited for {:.3f} s", seconds_since(time, first->queued_at));
  }
  if (activity->starved) dump_line(out, "    waits for room under the runtime's instances_max");
  dump_handlers(out, *this, *activity);
  return true;
}

DORMOUSE_INLINE void core::dump(std::FILE* out) noexcept {
  const core_phase now = phase();
  dump_line(out, "dormouse: {}, functions {}, instances {}, accepted {}, of these at rest {}, dead letters {}",
            now == core_phase::open       ? "open"
            : now == core_phase::draining ? "draining"
                                          : "closed",
            functions.defined(), instances.existing(), events.accepted(), ends.resting(), ends.dead_count());
  dump_line(out, "  threads: compute {}, blocking {}, chores {}, timekeeper {}; refused so far {}", compute->threads(),
            blocking->threads(), housekeeping->threads(), timers.threads(),
            compute->thread_failures() + blocking->thread_failures() + housekeeping->thread_failures() +
                timers.thread_failures());
  std::size_t shown = 0;
  const std::size_t count = functions.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (shown == dump_functions_max) {
      return dump_line(out, "  ... the first {} functions that have anything; {} were not looked at", shown, count - i);
    }
    if (dump_function(out, functions.at(static_cast<std::uint32_t>(i)))) ++shown;
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
