// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/invocation.hpp>
#include <dormouse/detail/task_lane.hpp>

#include <new>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// This thread is inside a host's post(): a task that is run there would run handlers in the midst of their submitter.
inline constinit thread_local bool this_thread_posts = false;

class task_lane::posted final : public task_state {
 public:
  explicit posted(std::shared_ptr<task_lane> lane) noexcept : lane_(std::move(lane)) {}
  ~posted() override {
    if (settle()) lane_->dropped();
  }
  void run() noexcept override {
    if (this_thread_posts || !settle()) return;
    add_owner();  // the host may destroy its copy meanwhile
    lane_->run_task();
    drop_owner();
  }
  // True for one caller only: the run, the refusal or the drop that decides what became of this task.
  [[nodiscard]] bool settle() noexcept { return !settled_.exchange(true, std::memory_order_acq_rel); }

 private:
  const std::shared_ptr<task_lane> lane_;
  std::atomic<bool> settled_{false};
};

// ---- posting --------------------------------------------------------------------------------------------------------

// False when nobody will come for the caller's work.
DORMOUSE_INLINE bool task_lane::offer() noexcept {
  if (stopping_.load(std::memory_order_seq_cst)) return true;  // close() ends what is left
  const auto round = word_.claim(live_max_);
  if (!round || post_one()) return true;
  refused_.fetch_add(1, std::memory_order_relaxed);
  const auto left = word_.give_up();
  if (left.others_live) return true;      // they look when they end
  if (left.round != *round) ask_later();  // another submitter relied on this task, and has been told "accepted"
  return false;
}

// False when the host has refused the task, or has destroyed it at once, which is the same.
DORMOUSE_INLINE bool task_lane::post_one() noexcept {
  std::shared_ptr<executor> to;
  {
    const std::lock_guard lock(mutex_);
    to = executor_;
  }
  if (to == nullptr) return true;  // closed
  auto* const fresh = new (std::nothrow) posted(shared_from_this());
  if (fresh == nullptr) return false;
  const task own(*fresh);  // so that a drop inside post() is seen here
  bool taken = false;
  const bool nested = std::exchange(this_thread_posts, true);
  try {
    taken = to->post(own);
  } catch (...) {  // a refusal
  }
  this_thread_posts = nested;
  if (taken && !fresh->owned_once()) return true;
  return !fresh->settle();  // it may have begun nevertheless: then it has looked, or will
}

DORMOUSE_INLINE bool task_lane::notify_under_lock() noexcept {
  if (put_off_notification == this) return true;
  DORMOUSE_ASSERT(put_off_notification == nullptr);
  put_off_notification = this;
  const std::lock_guard lock(mutex_);
  if (put_off_++ == 0) kept_for_put_off_ = shared_from_this();
  return true;
}

DORMOUSE_INLINE void task_lane::notify_put_off() noexcept {
  std::shared_ptr<task_lane> self;
  {
    const std::lock_guard lock(mutex_);
    self = --put_off_ == 0 ? std::move(kept_for_put_off_) : kept_for_put_off_;
  }
  if (!offer()) ask_later();  // the events were accepted long ago
}

// ---- refused and dropped tasks --------------------------------------------------------------------------------------

DORMOUSE_INLINE void task_lane::ask_later() noexcept {
  // Who finds it asked comes before offer_again() clears the flag, and so before it looks for work.
  if (!enter()) return;
  if (!asked_.exchange(true, std::memory_order_seq_cst)) {
    if (!later_(tries_.fetch_add(1, std::memory_order_relaxed))) asked_.store(false, std::memory_order_seq_cst);
  }
  leave();
}

DORMOUSE_INLINE void task_lane::offer_again() noexcept {
  asked_.store(false, std::memory_order_seq_cst);
  if (!source_.has_work()) return source_.ran_dry();
  if (!offer()) ask_later();
}

// On any thread, perhaps under a lock of the host: nothing of the host's may be called from here.
DORMOUSE_INLINE void task_lane::dropped() noexcept {
  if (!enter()) return;
  word_.give_up();
  source_.has_work() ? ask_later() : source_.ran_dry();
  leave();
}

// ---- running --------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE void task_lane::run_task() noexcept {
  if (!enter()) return;
  auto kept = owner_.lock();  // for a handler that never returns
  // A pool may run tasks inside a handler that waits in it; what runs here has not been called by that handler.
  const context* const outer = std::exchange(this_thread_invocation, nullptr);
  run_quanta();
  this_thread_invocation = outer;
  kept.reset();  // perhaps the last owner of source and core
  leave();
}

DORMOUSE_INLINE void task_lane::run_quanta() noexcept {
  tries_.store(0, std::memory_order_relaxed);
  word_.begin();
  for (;;) {
    if (void* const piece = source_.take()) {
      // The submitters since this task was posted relied on it: pass them on when there is more than one can do.
      if (source_.has_work()) [[maybe_unused]]
        const bool served = offer();
      source_.run_and_tell(piece);
    }
    // Nothing waits on a host's pool until it has been idle for long enough, so without work this is the end.
    if (!source_.has_work()) source_.ran_dry();
    word_.end();
    if (!source_.has_work() || offer()) return;
    // No successor could be posted: fairness to the host's other jobs ends where events would be left alone.
    if (!word_.resume(live_max_)) return;
  }
}

DORMOUSE_INLINE bool task_lane::enter() noexcept {
  const std::lock_guard lock(mutex_);
  if (stopping_.load(std::memory_order_seq_cst)) return false;
  ++inside_;
  return true;
}

DORMOUSE_INLINE void task_lane::leave() noexcept {
  const std::lock_guard lock(mutex_);
  --inside_;
  changed_.notify_all();
}

// ---- the end --------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE void task_lane::busy_changed() noexcept {
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

DORMOUSE_INLINE void task_lane::stop() noexcept {
  const std::lock_guard lock(mutex_);
  stopping_.store(true, std::memory_order_seq_cst);
}

DORMOUSE_INLINE void task_lane::wait_gone(std::chrono::steady_clock::time_point patience) {
  std::shared_ptr<executor> released;  // on this thread: its destructor may join the host's
  std::unique_lock lock(mutex_);
  if (!changed_.wait_until(lock, patience, [this] { return inside_ == 0; })) {
    changed_.wait(lock, [this] { return inside_ <= busy_.load(std::memory_order_seq_cst); });
  }
  released = std::move(executor_);
  lock.unlock();
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
