// SPDX-License-Identifier: MIT
#pragma once

// After an attempt: over, or to be tried again when the retry policy and the retry budget say so.

#include <dormouse/detail/core.hpp>
#include <dormouse/detail/outcomes.hpp>

#include <algorithm>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

DORMOUSE_INLINE outcomes::outcomes(core& owner) : status(owner.options.status_count_max), core_(owner) {}

// What a runtime that is gone has kept: its own and the dead letters.
DORMOUSE_INLINE outcomes::~outcomes() {
  while (work_item* const each = dead_.pop_front()) each->drop_owner();
}

DORMOUSE_INLINE void outcomes::note(const work_item& item, invocation_state state) noexcept {
  if (core_.options.status_count_max == 0) return;
  const bool has_failed = item.has_aftermath() && !item.aftermath().history.empty();
  status.set(item.id, state, item.attempt,
             has_failed ? std::optional<errc>(item.aftermath().history.back().why.code) : std::nullopt);
}

DORMOUSE_INLINE void outcomes::finish(work_item& item, invocation_state end) noexcept {
  note(item, end);
  const bool in_hand = item.state == item_state::running;
  core_.events.end(item);
  in_hand ? event_queue::let_go(item) : item.drop_owner();
}

DORMOUSE_INLINE void outcomes::conclude(work_item& item) noexcept {
  const function_options& options = item.record->settings->options;
  if (!item.failed) {
    if (options.on_success.empty()) return finish(item, invocation_state::succeeded);
    return deliver(item);
  }
  item.aftermath().last_failure = item.take_failure();
  remember(item);
  if (item.cancelled.load(std::memory_order_relaxed)) return finish(item, invocation_state::cancelled);
  if (const auto delay = delay_before_next(item)) return wait(item, *delay);
  if (options.on_failure.empty()) return bury(item, std::move(item.aftermath().last_failure));
  deliver(item);
}

DORMOUSE_INLINE void outcomes::remember(work_item& item) noexcept {
  item_aftermath& past = item.aftermath();
  try {
    past.history.push_back({.attempt = item.attempt,
                            .ended = core_.time.wall(),
                            .run = core_.time.between(0, item.run_ticks),
                            .why = past.last_failure});
  } catch (...) {  // without memory for the record, the event itself goes its way
  }
}

DORMOUSE_INLINE bool outcomes::too_old_in(const work_item& item, std::chrono::nanoseconds delay) const noexcept {
  const retry_policy& policy = item.record->settings->options.retry;
  return core_.time.between(item.accepted_at, core_.time.ticks()) + delay > policy.event_age_max;
}

DORMOUSE_INLINE bool may_help(errc code) noexcept {
  return code != errc::invalid_argument && code != errc::unsupported && code != errc::recursion_limit &&
         code != errc::event_age_exceeded && code != errc::not_found;
}

DORMOUSE_INLINE std::optional<std::chrono::nanoseconds> outcomes::delay_before_next(work_item& item) noexcept {
  failure& why = item.aftermath().last_failure;
  const retry_policy& policy = item.record->settings->options.retry;
  if (!may_help(why.code) || item.attempt >= policy.attempts_max) return std::nullopt;
  const auto delay = std::max<std::chrono::nanoseconds>(jittered(policy, item.attempt), why.retry_after);
  if (!too_old_in(item, delay)) return delay;
  why = make_failure(errc::event_age_exceeded, why.effect, failure_reason::none,
                     "the next attempt would come after event_age_max");
  return std::nullopt;
}

DORMOUSE_INLINE std::chrono::nanoseconds outcomes::jittered(const retry_policy& policy, std::uint32_t step) noexcept {
  double delay = static_cast<double>(policy.delay_first.count());
  const double most = static_cast<double>(policy.delay_max.count());
  for (; step > 1 && delay < most; --step) delay *= policy.delay_factor;
  const double within = core_.random.fraction();
  const double share = (2 * within - 1) * policy.jitter_percent / 100;
  return std::chrono::nanoseconds{static_cast<std::int64_t>(std::min(delay, most) * (1 + share))};
}

// ---- waiting --------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE void outcomes::wait(work_item& item, std::chrono::nanoseconds delay) noexcept {
  const auto due_at = core_.time.now() + delay;
  note(item, item.delivering ? invocation_state::delivering : invocation_state::waiting);
  bool over = false;
  {
    const std::lock_guard lock(core_.lock_of(*item.record));
    over = core_.phase() == core_phase::closed || (item.cancelled.load(std::memory_order_relaxed) && !item.delivering);
    if (!over) {
      core_.events.set_aside(item, item_state::waiting);
      resting_.fetch_add(1);
      const std::lock_guard waiting(waiting_mutex_);
      waiting_.add(item, due_at);
      arm();
    }
  }
  if (over) return finish(item, invocation_state::cancelled);
  core_.progress();
}

// Under waiting_mutex_: a timer for what is due first.
DORMOUSE_INLINE void outcomes::arm() noexcept {
  const work_item* const first = waiting_.first();
  if (first == nullptr || (timer_ != 0 && armed_for_ <= first->aftermath().due)) return;
  core_.timers.cancel(timer_);
  armed_for_ = first->aftermath().due;
  timer_ = core_.timers.arm(armed_for_, [this] { due(); });
  // No thread to be had: the next event that is accepted or ends tries again. relaxed: a hint, the lock decides.
  unarmed_.store(timer_ == 0 && core_.phase() != core_phase::closed, std::memory_order_relaxed);
}

DORMOUSE_INLINE void outcomes::rearm() noexcept {
  const std::lock_guard lock(waiting_mutex_);
  arm();
}

// On the timekeeper.
DORMOUSE_INLINE void outcomes::due() noexcept {
  for (;;) {
    work_item* item = nullptr;
    {
      const std::lock_guard lock(waiting_mutex_);
      timer_ = 0;
      item = waiting_.first();
      if (item == nullptr || item->aftermath().due > core_.time.now()) return arm();
      waiting_.remove(*item);
    }
    resume(*item);  // nobody else ends it: it is in no heap
  }
}

// Its time has come: back into the queue, unless the budget makes it wait. A worker ends what was cancelled meanwhile,
// since that may run the destructor of a user's argument.
DORMOUSE_INLINE void outcomes::resume(work_item& item) noexcept {
  function_record& record = *item.record;
  {
    const std::lock_guard lock(core_.lock_of(record));
    if (core_.phase() != core_phase::closed) {
      const bool is_retry = !item.delivering && item.attempt > 0 && !item.cancelled.load(std::memory_order_relaxed);
      const retry_policy& policy = record.settings->options.retry;
      const auto more =
          is_retry ? record.activity->budget.spend(policy, core_.time.now()) : std::chrono::nanoseconds{0};
      if (more.count() > 0) {
        ++record.totals->uncommon().retries_held_back;
        const std::lock_guard waiting(waiting_mutex_);
        return waiting_.add(item, core_.time.now() + more);
      }
      if (!item.delivering) ++item.attempt;
      if (is_retry) ++record.totals->uncommon().retries;
      resting_.fetch_sub(1);
      return core_.events.queue_again(item);
    }
    resting_.fetch_sub(1);
  }
  finish(item, invocation_state::cancelled);
}

DORMOUSE_INLINE bool outcomes::take_from_heap(work_item& item) noexcept {
  const std::lock_guard lock(waiting_mutex_);
  if (!item.aftermath().in_heap) return false;  // its time has just come: see due()
  waiting_.remove(item);
  resting_.fetch_sub(1);
  return true;
}

DORMOUSE_INLINE void outcomes::hurry(work_item& item) noexcept {
  if (take_from_heap(item)) core_.events.queue_again(item);
}

DORMOUSE_INLINE void outcomes::refuse_waiting(std::vector<unfinished>& to) {
  const std::size_t count = core_.functions.size();
  for (std::size_t i = 0; i < count; ++i) {
    function_record& record = core_.functions.at(static_cast<std::uint32_t>(i));
    for (work_item* item = nullptr;;) {
      {
        const std::lock_guard lock(core_.lock_of(record));
        item = record.activity != nullptr ? record.activity->waiting.first() : nullptr;
        if (item == nullptr || !take_from_heap(*item)) break;
      }
      try {
        to.push_back({item->id, std::string(record.name()), unfinished_state::waiting});
      } catch (...) {  // a list cut short by memory; the event itself has its end
      }
      finish(*item, invocation_state::cancelled);
    }
  }
}

// ---- cancelling -----------------------------------------------------------------------------------------------------

DORMOUSE_INLINE result<invocation_state> outcomes::cancel(function_record& record, std::uint64_t id) {
  work_item* over = nullptr;
  std::shared_ptr<std::stop_source> stop;
  invocation_state was = invocation_state::queued;
  {
    const std::lock_guard lock(core_.lock_of(record));
    work_item* const item = core_.events.find(record, id);
    if (item == nullptr) {
      return make_failure(errc::not_found, effect_kind::not_applied, failure_reason::none,
                          "no accepted event of that id is queued, running or waiting");
    }
    if (item->delivering) return invocation_state::delivering;
    item->cancelled.store(true, std::memory_order_relaxed);  // relaxed: the lock orders it for all but its handler
    if (item->state == item_state::queued) {
      core_.events.take_out(*item);
      over = item;
    } else if (item->state == item_state::waiting) {
      was = invocation_state::waiting;
      if (take_from_heap(*item)) over = item;
    } else {
      was = invocation_state::running;
      stop = item->stop.lock();
    }
    if (over != nullptr) ++record.totals->uncommon().cancelled;
  }
  if (stop != nullptr) core_.chores.add([stop] { stop->request_stop(); });
  if (over == nullptr) return was;
  if (was == invocation_state::queued) {
    over->refuse(make_failure(errc::cancelled, effect_kind::not_applied, failure_reason::none, "cancelled"));
  }
  finish(*over, invocation_state::cancelled);
  return was;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
