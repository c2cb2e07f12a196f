// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/bindings.hpp>

#include <new>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

DORMOUSE_INLINE result<void> attached_trigger::start() {
  const std::lock_guard serial(serial_);
  return source_->start(*this);
}

// From here on no wake() follows and nothing is posted. Under serial_.
DORMOUSE_INLINE void attached_trigger::disarm() noexcept {
  timekeeper& timers = target_.owner->timers;
  timekeeper::timer_id timer = 0;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    timer = timer_;
  }
  timers.cancel(timer);
  for (const int descriptor : descriptors_) timers.unwatch(descriptor);
}

DORMOUSE_INLINE void attached_trigger::stop() noexcept {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;  // a wake() that waits for its turn then does nothing
  }
  const std::lock_guard serial(serial_);
  disarm();
  source_->stop();
}

DORMOUSE_INLINE void attached_trigger::abandon() noexcept {
  const std::lock_guard serial(serial_);
  disarm();
}

DORMOUSE_INLINE bool attached_trigger::is_stopped() {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

DORMOUSE_INLINE failure detached() {
  return {.code = errc::cancelled, .effect = effect_kind::not_applied, .detail = "detached"};
}

DORMOUSE_INLINE result<void> attached_trigger::post(event message, std::shared_ptr<void> until_over) {
  if (is_stopped()) return detached();
  if (auto taken = post_item(target_, make_event_item(target_, std::move(message), std::move(until_over))); !taken) {
    return std::move(taken).error();
  }
  return {};
}

DORMOUSE_INLINE result<void> attached_trigger::submit(event message, std::shared_ptr<reply_receiver> tells) {
  if (is_stopped()) return detached();
  if (target_.record->is_still(target_.generation) && target_.record->is_paused()) {
    return make_failure(errc::throttled, effect_kind::not_applied, failure_reason::paused, "the function is paused");
  }
  return submit_reported(target_, std::move(message), std::move(tells), this);
}

DORMOUSE_INLINE void attached_trigger::take_back() noexcept {
  target_.owner->events.take_back_from(*target_.record, this);
}

// Many tell, one is told:
//
//   teller: something happened; soon_ becomes true, was it false? arm     wake: soon_ becomes false; look what happened
//
// Whoever finds true relies on a wake() whose exchange is later in the order of the flag than his own. That exchange
// reads what his wrote, or what a later teller's did, which began by reading his: so wake() sees what he did before.
// Hence exchanges at both ends: a plain store of false would read nothing, a plain load might see a true that is over.
// When arming fails, those who relied on it wait for the next teller, as he does who is told of the failure.
// A timer and no call: who tells may be inside wake(), and may hold locks of the trigger's or of a handler's.
DORMOUSE_INLINE bool attached_trigger::wake_soon() noexcept {
  if (soon_.exchange(true)) return true;
  try {
    if (target_.owner->timers.arm(target_.owner->time.now(), waker()) != 0) return true;
  } catch (...) {  // out of memory
  }
  soon_.store(false);
  return false;
}

// What the timekeeper calls: it does not keep a detached trigger alive.
DORMOUSE_INLINE std::function<void()> attached_trigger::waker() {
  return [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->happened();
  };
}

DORMOUSE_INLINE void attached_trigger::happened() {
  if (source_->brief()) return wake_now();
  try {
    if (target_.owner->chores.add([self = shared_from_this()] { self->wake_now(); })) return;
  } catch (const std::bad_alloc&) {  // for the function itself
  }
  // No thread or memory just now: what happened must not be lost, so it happens again a little later.
  constexpr std::chrono::milliseconds later{100};
  try {
    [[maybe_unused]] const auto armed = wake_at(time().now() + later);
  } catch (const std::bad_alloc&) {  // then with what happens next
  }
}

DORMOUSE_INLINE void attached_trigger::wake_now() {
  const std::lock_guard serial(serial_);
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
  }
  soon_.exchange(false);  // before it looks: see wake_soon()
  try {
    source_->wake();
  } catch (...) {
    target_.owner->observer_failed();
  }
}

DORMOUSE_INLINE result<void> attached_trigger::wake_at(clock::time_point due) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return {};
  timekeeper& timers = target_.owner->timers;
  if (due == clock::time_point::max()) {
    timers.cancel(std::exchange(timer_, 0));
    return {};
  }
  const auto fresh = timers.arm(due, waker());
  if (fresh == 0) {
    return failure{.code = errc::unavailable,
                   .effect = effect_kind::not_applied,
                   .reason = failure_reason::no_threads,
                   .detail = "no timer could be armed"};
  }
  timers.cancel(timer_);
  timer_ = fresh;
  return {};
}

DORMOUSE_INLINE result<void> attached_trigger::wake_on(int descriptor) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return {};
  auto watching = target_.owner->timers.watch(descriptor, waker());
  if (watching) descriptors_.insert(descriptor);
  return watching;
}

DORMOUSE_INLINE void attached_trigger::forget(int descriptor) noexcept {
  const std::lock_guard lock(mutex_);
  descriptors_.erase(descriptor);
  target_.owner->timers.unwatch(descriptor);
}

}  // namespace detail

DORMOUSE_INLINE result<binding> runtime::bindings::add(const detail::function_reference& target,
                                                       std::unique_ptr<trigger> source) {
  if (source == nullptr) {
    return failure{.code = errc::invalid_argument, .effect = effect_kind::not_applied, .detail = "attach: no trigger"};
  }
  auto fresh = std::make_shared<detail::attached_trigger>(target, std::move(source));
  std::uint64_t id = 0;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return detail::core::shutting_down();
    id = ++last_id_;
    attached_.emplace(id, fresh);
  }
  try {
    auto started = fresh->start();
    if (started) return binding{id};
    forget(id, *fresh);
    return std::move(started).error();
  } catch (...) {
    forget(id, *fresh);
    throw;
  }
}

DORMOUSE_INLINE void runtime::bindings::forget(std::uint64_t id, detail::attached_trigger& failed) noexcept {
  failed.abandon();
  const std::lock_guard lock(mutex_);
  attached_.erase(id);
}

DORMOUSE_INLINE bool runtime::bindings::remove(binding which) {
  std::shared_ptr<detail::attached_trigger> gone;
  {
    const std::lock_guard lock(mutex_);
    const auto known = attached_.find(which.id);
    if (known == attached_.end()) return false;
    gone = std::move(known->second);
    attached_.erase(known);
  }
  gone->stop();
  return true;
}

DORMOUSE_INLINE void runtime::bindings::stop_all() {
  decltype(attached_) all;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    all.swap(attached_);
  }
  for (const auto& [id, each] : all) each->stop();
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
