// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/platform/thread.hpp>
#include <dormouse/detail/timekeeper.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

DORMOUSE_INLINE timekeeper::timekeeper(const clock& time, const spawn_hook& spawn,
                                       std::function<std::shared_ptr<void>()> keep, host_mode host)
    : time_(time), spawn_(spawn), keep_(std::move(keep)), host_(host) {
  time_.subscribe(*this);
}

DORMOUSE_INLINE timekeeper::~timekeeper() {
  if (!told_no_more_) time_.unsubscribe(*this);
}

DORMOUSE_INLINE bool timekeeper::ensure_thread() {
  if (has_thread_ || lent_ || host_.driven) return true;
  try {
    if (!sleeper_.prepare()) throw std::bad_alloc{};
    auto keep = keep_();
    thread_ = start_thread(spawn_, "dormouse-time", [this, kept = std::move(keep)]() mutable {
      const auto held = std::move(kept);
      keep_time();
    });
  } catch (...) {
    failures_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  has_thread_ = true;
  started_.fetch_add(1, std::memory_order_relaxed);
  threads_.store(1, std::memory_order_relaxed);
  return true;
}

DORMOUSE_INLINE timekeeper::timer_id timekeeper::arm(clock::time_point due, std::function<void()> fire) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    if (stopped_) return 0;
    const timer_id id = ++last_id_;
    due_.emplace(id, due);
    decltype(timers_.begin()) place;
    try {
      place = timers_.emplace(timer_key{due, id}, std::move(fire)).first;
    } catch (...) {
      due_.erase(id);
      throw;
    }
    if (!ensure_thread()) {
      timers_.erase(place);
      due_.erase(id);
      return 0;
    }
    if (place == timers_.begin()) first_changed();
    return id;
  } catch (...) {
    failures_.fetch_add(1, std::memory_order_relaxed);
    return 0;
  }
}

// Under mutex_: another timer is the first now, or none is left.
DORMOUSE_INLINE void timekeeper::first_changed() noexcept {
  if (!host_.driven || asleep_) sleeper_.wake();
  if (host_.driven && !time_.is_manual()) sleeper_.set_alarm(timers_.empty() ? nullptr : &timers_.begin()->first.first);
}

DORMOUSE_INLINE void timekeeper::cancel(timer_id timer) noexcept {
  std::function<void()> dropped;  // what it captured dies outside the lock
  const std::lock_guard lock(mutex_);
  const auto known = due_.find(timer);
  if (known == due_.end()) return;
  const auto place = timers_.find(timer_key{known->second, timer});
  const bool was_first = place == timers_.begin();
  dropped = std::move(place->second);
  timers_.erase(place);
  due_.erase(known);
  if (idle() || (host_.driven && was_first)) first_changed();  // its thread may end; a host's alarm is another
}

DORMOUSE_INLINE result<void> timekeeper::watch(int descriptor, std::function<void()> ready) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return failure{.code = errc::shutting_down, .effect = effect_kind::not_applied};
  watched_[descriptor] = std::move(ready);
  if (!ensure_thread()) {
    watched_.erase(descriptor);
    return failure{.code = errc::unavailable,
                   .effect = effect_kind::not_applied,
                   .reason = failure_reason::no_threads,
                   .detail = "no thread could be started for the timekeeper"};
  }
  auto watching = sleeper_.watch(descriptor);
  if (!watching) watched_.erase(descriptor);
  return watching;
}

DORMOUSE_INLINE void timekeeper::unwatch(int descriptor) noexcept {
  std::function<void()> dropped;
  const std::lock_guard lock(mutex_);
  sleeper_.unwatch(descriptor);
  const auto known = watched_.find(descriptor);
  if (known == watched_.end()) return;
  dropped = std::move(known->second);
  watched_.erase(known);
  if (idle()) first_changed();
}

// One round of the loop: fire what is due, then sleep until the next is.
DORMOUSE_INLINE void timekeeper::turn(std::unique_lock<std::mutex>& lock) {
  fire_due(lock);
  if (!lent_ && idle()) return;  // what fired was the last: this thread's time is over
  std::vector<int> ready;
  clock::time_point due{};
  const bool timed = !timers_.empty() && !time_.is_manual();  // a manual clock wakes whoever sleeps on it
  if (timed) due = timers_.begin()->first.first;
  if (!timers_.empty() && timers_.begin()->first.first <= time_.now()) return;
  lock.unlock();
  sleeper_.sleep(timed ? &due : nullptr, ready);
  lock.lock();
  fire_ready(lock, ready);
}

// Which of those that are due first.
DORMOUSE_INLINE auto timekeeper::choose_due() -> decltype(timers_)::iterator {
  auto chosen = timers_.begin();
  if (host_.order == nullptr) return chosen;
  std::size_t equals = 0;
  for (auto each = chosen; each != timers_.end() && each->first.first == chosen->first.first; ++each) ++equals;
  std::advance(chosen, static_cast<std::ptrdiff_t>(host_.order->below(equals)));
  return chosen;
}

DORMOUSE_INLINE std::size_t timekeeper::fire_due(std::unique_lock<std::mutex>& lock) {
  std::size_t fired = 0;
  const timer_id last = last_id_;  // what is armed meanwhile has its turn in the next round
  while (!timers_.empty() && !stopped_ && timers_.begin()->first.first <= time_.now()) {
    const auto next = choose_due();
    if (next->first.second > last) break;
    auto fire = std::move(next->second);
    due_.erase(next->first.second);
    timers_.erase(next);
    lock.unlock();
    fire();
    fire = nullptr;  // what it holds dies outside the lock
    ++fired;
    lock.lock();
  }
  return fired;
}

DORMOUSE_INLINE void timekeeper::fire_ready(std::unique_lock<std::mutex>& lock, const std::vector<int>& ready) {
  for (const int descriptor : ready) {
    const auto known = watched_.find(descriptor);
    if (known == watched_.end() || !known->second) continue;
    auto fire = std::exchange(known->second, nullptr);  // stays watched: the owner asks for the next time
    lock.unlock();
    fire();
    fire = nullptr;  // what it holds dies outside the lock
    lock.lock();
  }
}

DORMOUSE_INLINE void timekeeper::keep_time() {
  become_library_thread("dormouse-time");
  std::thread former;
  {
    std::unique_lock lock(mutex_);
    while (!stopped_ && !lent_ && !idle()) turn(lock);
    has_thread_ = false;
    if (thread_.joinable()) former = shelf_.put(std::move(thread_));
    threads_.store(0, std::memory_order_relaxed);
  }
  thread_shelf::join(std::move(former));
}

DORMOUSE_INLINE result<void> timekeeper::lend(const std::atomic<bool>& until) {
  if (auto prepared = sleeper_.prepare(); !prepared) return prepared;
  std::unique_lock lock(mutex_);
  if (lent_) {
    return failure{.code = errc::conflict, .effect = effect_kind::not_applied, .detail = "run() is already running"};
  }
  lent_ = true;
  sleeper_.wake();  // its own thread leaves
  while (has_thread_ && !stopped_) {
    lock.unlock();
    std::this_thread::yield();  // short: that thread only has to wake
    lock.lock();
    sleeper_.wake();
  }
  while (!until.load(std::memory_order_acquire) && !stopped_) turn(lock);
  lent_ = false;
  if (!idle() && !stopped_) [[maybe_unused]]
    const bool kept = ensure_thread();
  return {};
}

// ---- driven by the host ---------------------------------------------------------------------------------------------

DORMOUSE_INLINE std::size_t timekeeper::fire_due() {
  std::unique_lock lock(mutex_);
  const std::size_t fired = fire_due(lock);
  if (fired != 0) first_changed();
  return fired;
}

DORMOUSE_INLINE std::size_t timekeeper::fire_readable() {
  std::vector<int> ready;
  sleeper_.look(ready);
  std::unique_lock lock(mutex_);
  fire_ready(lock, ready);
  return ready.size();
}

DORMOUSE_INLINE void timekeeper::sleep(clock::time_point limit) {
  std::vector<int> ready;
  std::unique_lock lock(mutex_);
  if (!timers_.empty()) limit = std::min(limit, timers_.begin()->first.first);
  if (limit <= time_.now()) return;
  const bool timed = limit != clock::time_point::max() && !time_.is_manual();
  asleep_ = true;
  lock.unlock();
  sleeper_.sleep(timed ? &limit : nullptr, ready);
  lock.lock();
  asleep_ = false;
  fire_ready(lock, ready);
}

DORMOUSE_INLINE std::optional<clock::time_point> timekeeper::next_due() noexcept {
  const std::lock_guard lock(mutex_);
  std::optional<clock::time_point> next;
  if (!timers_.empty()) next = timers_.begin()->first.first;
  if (!sleeper::descriptor_tells_all && !watched_.empty()) {
    const auto look = time_.now() + sleeper::look_again;
    next = next ? std::min(*next, look) : look;
  }
  return next;
}

DORMOUSE_INLINE result<int> timekeeper::descriptor() {
  const std::lock_guard lock(mutex_);
  auto opened = sleeper_.descriptor();
  if (opened && !timers_.empty() && !time_.is_manual()) sleeper_.set_alarm(&timers_.begin()->first.first);
  return opened;
}

// ---- the end --------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE void timekeeper::stop() {
  std::thread joined;
  decltype(timers_) timers;
  decltype(watched_) watched;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    timers.swap(timers_);
    due_.clear();
    for (const auto& [descriptor, ready] : watched_) sleeper_.unwatch(descriptor);
    watched.swap(watched_);
    joined = std::move(thread_);
    sleeper_.wake();
  }
  if (joined.joinable() && joined.get_id() == std::this_thread::get_id()) {
    joined.detach();
  } else if (joined.joinable()) {
    joined.join();
  }
  shelf_.clear();
  // Here, not only at the end of this object: a worker that ends late may keep it for longer than the host its clock.
  if (!std::exchange(told_no_more_, true)) time_.unsubscribe(*this);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
