// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/lane.hpp>
#include <dormouse/detail/platform/thread.hpp>
#include <dormouse/detail/waiting.hpp>

#include <algorithm>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

DORMOUSE_INLINE bool lane::notify() noexcept {
  switch (word_.after_publish(options_.workers_max)) {
    case parking_word::duty::none: return true;
    case parking_word::duty::searched: spinner_.submitted_here(); return true;
    case parking_word::duty::wake_one:
      spinner_.submitted_here();
      open_one();
      return true;
    case parking_word::duty::spawn_one: spinner_.submitted_here(); return spawn();
  }
  return true;
}

// Starts the worker that the word already counts. False when that failed and no other worker lives.
DORMOUSE_INLINE bool lane::spawn() noexcept {
  if (start_worker()) return true;
  if (!word_.spawn_failed()) return away_.load() > 0;  // who is away looks when it is back
  // Who submitted meanwhile relied on it. A worker that is busy looks by itself, one that is parked does not.
  if (source_.has_work() && word_.claim_parked()) open_one();
  return true;
}

// False, and counted, when there is no thread or memory to be had.
DORMOUSE_INLINE bool lane::start_worker() noexcept {
  try {
    auto fresh = std::make_unique<worker>();
    worker& self = *fresh;
    auto keep = keep_();
    // Held over the start: the worker's first step takes the lock, so it finds its own entry and handle in place.
    const std::lock_guard lock(mutex_);
    parked_.reserve(workers_.size() + 1);  // parking must not need memory
    workers_.push_back(std::move(fresh));
    try {
      self.thread = start_thread(options_.spawn, options_.thread_name, [this, &self, kept = std::move(keep)]() mutable {
        const auto held = std::move(kept);  // released after everything below, on this thread
        work(self);
      });
    } catch (...) {
      workers_.pop_back();
      throw;
    }
    started_.fetch_add(1, std::memory_order_relaxed);
    return true;
  } catch (...) {
    failures_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
}

DORMOUSE_INLINE void lane::work(worker& self) {
  become_library_thread(options_.thread_name);
  { const std::lock_guard started(mutex_); }
  self.processors = processors();
  this_thread_worker = {this, &self.away};
  while (search(self)) {}
  source_.worker_ends();
  leave(self);
}

DORMOUSE_INLINE void lane::busy_changed() noexcept {
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

// One round: run a piece, or look once more, or sleep. False when this worker is to leave.
DORMOUSE_INLINE bool lane::search(worker& self) {
  if (void* piece = source_.take()) {
    if (self.searching) found(self);
    let_go(self);
    self.told = source_.run(piece);
    self.may_spin = true;
    if (!word_.retire_surplus(options_.workers_max)) [[likely]] {
      if (self.told != nullptr) tell(self);
      return true;
    }
    if (self.told != nullptr) source_.tell(self.told);
    let_go(self);
    // One too many since somebody is back. The others look for themselves; a submitter that saw this one need not wait.
    if (source_.has_work()) [[maybe_unused]]
      const bool served = notify();
    return false;
  }
  if (!self.searching) {
    word_.start_search();
    self.searching = true;
    return true;
  }
  return search_on(self);  // still searching when it returns true
}

// Who waited for the piece that this worker has run finds it looking for the next one.
DORMOUSE_INLINE void lane::tell(worker& self) {
  word_.start_search();
  self.searching = true;
  watch(self);
  source_.tell(self.told);
}

// Not while it counts as searching.
DORMOUSE_INLINE void lane::let_go(worker& self) {
  if (void* const told = std::exchange(self.told, nullptr)) source_.let_go_of(told);
}

DORMOUSE_INLINE void lane::watch(worker& self) noexcept {
  if (std::exchange(self.watching, true)) return;
  watching_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a hint
}
DORMOUSE_INLINE void lane::stop_watching(worker& self) noexcept {
  if (std::exchange(self.watching, false)) watching_.fetch_sub(1, std::memory_order_relaxed);
}

DORMOUSE_INLINE void lane::found(worker& self) {
  stop_watching(self);
  word_.end_search();
  self.searching = false;
  // The submitters since then relied on this worker: pass the search on when there is more than it can do at once.
  if (source_.has_work()) [[maybe_unused]]
    const bool served = notify();
}

// Nothing to take: look for a moment, then sleep.
DORMOUSE_INLINE bool lane::search_on(worker& self) {
  const auto stopping = [this] { return stopping_.load(std::memory_order_seq_cst); };
  const auto ready = [&] { return stopping() || source_.seems_to_have_work(); };
  const auto crowded = [&] { return word_.running() + 1 >= self.processors; };  // with the submitter
  if (std::exchange(self.may_spin, false) && self.processors > 1 && !stopping()) {
    watch(self);
    if (spinner_.wait_for(ready, crowded)) return true;
  }
  stop_watching(self);
  if (self.told != nullptr) {  // then once more from the start
    word_.end_search();
    self.searching = false;
    let_go(self);
    return true;
  }
  if (stopping()) {
    word_.retire_searching();
    return false;
  }
  self.may_spin = true;
  return park(self);
}

DORMOUSE_INLINE bool lane::park(worker& self) {
  {
    const std::lock_guard lock(mutex_);
    self.wakeup.close();
    self.idle_until = time_.now() + options_.idle_timeout;
    parked_.push_back(&self);
    word_.park();  // inside: who claims in the word finds this worker in the list
  }
  word_.before_second_look();
  if ((source_.has_work() || stopping_.load(std::memory_order_seq_cst)) && look_again(self)) return true;
  for (;;) {
    if (wait_until(time_, self.wakeup, self.idle_until)) return true;  // else the idle timeout has passed
    if (retire(self)) return false;
  }
}

// Work came while this worker parked, and its submitter may have seen somebody else searching. True: searching again.
DORMOUSE_INLINE bool lane::look_again(worker& self) {
  if (!word_.claim_parked()) return false;  // somebody claimed in the meantime, and opens a gate
  if (remove_parked(self)) return true;
  // A claimer took this worker off the list, so this claim belongs to another parked one.
  open_one();
  self.wakeup.wait();
  return true;
}

// The idle timeout has passed. False when this worker has to wait on.
DORMOUSE_INLINE bool lane::retire(worker& self) {
  const std::lock_guard lock(mutex_);
  const auto place = std::find(parked_.begin(), parked_.end(), &self);
  if (place == parked_.end()) {
    self.idle_until = clock::time_point::max();  // a claimer is about to open this gate: wait for just that
    return false;
  }
  if (!word_.retire_parked()) {
    // All who are parked are claimed. But a worker that parks now may be taken in place of this one: not for ever.
    self.idle_until = time_.now() + std::max<std::chrono::nanoseconds>(options_.idle_timeout, claim_time);
    return false;
  }
  parked_.erase(place);
  return true;
}

// Opens the gate of a worker that the word has claimed.
DORMOUSE_INLINE void lane::open_one() noexcept {
  const std::lock_guard lock(mutex_);
  DORMOUSE_ASSERT(!parked_.empty());
  worker* next = parked_.back();
  parked_.pop_back();
  // Inside the lock: the worker cannot miss it between leaving the list and sleeping.
  next->wakeup.open();
}

DORMOUSE_INLINE bool lane::remove_parked(worker& self) noexcept {
  const std::lock_guard lock(mutex_);
  const auto place = std::find(parked_.begin(), parked_.end(), &self);
  if (place == parked_.end()) return false;
  parked_.erase(place);
  return true;
}

DORMOUSE_INLINE bool lane::step_away(std::uint32_t away_max) noexcept {
  if (this_thread_worker.pool != this || *this_thread_worker.away) return false;
  if (away_.fetch_add(1) >= away_max) {
    away_.fetch_sub(1);
    return false;
  }
  *this_thread_worker.away = true;
  word_.step_away();
  if (source_.has_work()) [[maybe_unused]]
    const bool served = notify();
  return true;
}

DORMOUSE_INLINE void lane::step_back() noexcept {
  *this_thread_worker.away = false;
  word_.step_back();
  away_.fetch_sub(1);
}

DORMOUSE_INLINE void lane::leave(worker& self) {
  std::thread former;
  std::unique_ptr<worker> mine;
  {
    const std::lock_guard lock(mutex_);
    const auto place =
        std::find_if(workers_.begin(), workers_.end(), [&](const auto& each) { return each.get() == &self; });
    mine = std::move(*place);
    workers_.erase(place);
    // A thread that was given up on (see wait_gone) is detached, and nobody's to join.
    if (mine->thread.joinable()) former = shelf_.put(std::move(mine->thread));
    changed_.notify_all();
  }
  thread_shelf::join(std::move(former));
}

DORMOUSE_INLINE void lane::stop() noexcept {
  stopping_.store(true, std::memory_order_seq_cst);
  while (word_.claim_parked()) open_one();
}

DORMOUSE_INLINE void lane::wait_gone(std::chrono::steady_clock::time_point patience) {
  const auto this_thread = std::this_thread::get_id();
  {
    std::unique_lock lock(mutex_);
    const auto gone = [this] { return workers_.empty(); };
    if (!changed_.wait_until(lock, patience, gone)) {
      changed_.wait(lock, [this] { return workers_.size() <= busy_.load(std::memory_order_seq_cst); });
    }
    // What is left is inside user code and keeps everything it touches alive.
    for (auto& each : workers_) {
      if (each->thread.get_id() != this_thread && each->thread.joinable()) each->thread.detach();
    }
    if (std::any_of(workers_.begin(), workers_.end(),
                    [&](const auto& each) { return each->thread.get_id() == this_thread; })) {
      return;
    }
  }
  shelf_.clear();
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
