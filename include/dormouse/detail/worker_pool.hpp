// SPDX-License-Identifier: MIT
#pragma once

// Who runs pieces of work: `lane` with threads of its own, `task_lane` on those of a host. Neither knows of functions:
// a work_source hands them the pieces.

#include <dormouse/detail/config.hpp>
#include <dormouse/detail/platform/short_mutex.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class work_source {
 public:
  // A piece of work, or null. Called by workers.
  virtual void* take() = 0;
  // One quantum. Null, or something to be told as soon as this worker can be seen to look for more work: who is told
  // may submit the next piece at once, and need not wake anybody for it.
  [[nodiscard]] virtual void* run(void* piece) noexcept = 0;
  // Tells it. Runs no user code.
  virtual void tell(void*) noexcept {}
  // Lets go of what was told. May run user code.
  virtual void let_go_of(void*) noexcept {}
  // All three, for a worker that nobody can see looking for work.
  void run_and_tell(void* piece) noexcept {
    if (void* const told = run(piece)) {
      tell(told);
      let_go_of(told);
    }
  }
  // The worker that calls it is about to end.
  virtual void worker_ends() noexcept = 0;
  // On a host's pool: somebody who has run pieces found no more of them.
  virtual void ran_dry() noexcept {}
  // Is there a piece to take now? Synchronises with whoever published it.
  virtual bool has_work() noexcept = 0;
  // The same, as cheap as can be and perhaps out of date: what a worker polls while it waits awake.
  virtual bool seems_to_have_work() noexcept { return has_work(); }

 protected:
  ~work_source() = default;
};

class worker_pool {
 public:
  worker_pool() = default;
  worker_pool(const worker_pool&) = delete;
  worker_pool& operator=(const worker_pool&) = delete;
  virtual ~worker_pool() = default;

  // Work was published in the source. False when nobody will come for it: no thread could be started, or the host's
  // pool has refused.
  [[nodiscard]] virtual bool notify() noexcept = 0;
  // The same under a function's lock, for work that was accepted before. Code of the host waits until it is released.
  [[nodiscard]] virtual bool notify_under_lock() noexcept { return notify(); }
  // What notify_under_lock() has put off.
  virtual void notify_put_off() noexcept {}

  // May the calling worker wait for more of the same, and stay with it while nothing else waits? Not on a thread of the
  // host's, nor when there are more workers than there should be.
  [[nodiscard]] virtual bool may_stay() const noexcept { return false; }
  // A moment's truth: is a worker awake, with nothing to do but wait for the next piece?
  [[nodiscard]] virtual bool is_watched() const noexcept { return false; }

  [[nodiscard]] virtual std::size_t threads() const noexcept = 0;
  [[nodiscard]] virtual std::uint64_t threads_started() const noexcept = 0;
  [[nodiscard]] virtual std::uint64_t thread_failures() const noexcept = 0;

  // Around user code on a worker: wait_gone() does not wait for it for ever. Once it is over, the worker is waited for.
  class user_code {
   public:
    explicit user_code(worker_pool& on) noexcept : pool_(on) {
      // seq_cst twice: either wait_gone() sees this worker busy, or this worker sees that somebody waits.
      pool_.busy_.fetch_add(1, std::memory_order_seq_cst);
      if (pool_.stopping_.load(std::memory_order_seq_cst)) pool_.busy_changed();
    }
    user_code(const user_code&) = delete;
    user_code& operator=(const user_code&) = delete;
    ~user_code() { pool_.busy_.fetch_sub(1, std::memory_order_seq_cst); }

   private:
    worker_pool& pool_;
  };

  // From now on workers leave when they find no work.
  virtual void stop() noexcept = 0;
  // After stop(): waits until every worker is gone, but no longer for those inside user code than until `patience`.
  virtual void wait_gone(std::chrono::steady_clock::time_point patience) = 0;

 protected:
  virtual void busy_changed() noexcept = 0;  // wait_gone() has to look again

  std::atomic<bool> stopping_{false};
  std::atomic<std::uint32_t> busy_{0};
};

// The pool that this thread has to notify once it has released the function lock it holds.
inline constinit thread_local worker_pool* put_off_notification = nullptr;

// A function's lock. Whatever was put off under it is done as it is released: no code of a host runs under it.
class function_mutex {
 public:
  void lock() { mutex_.lock(); }
  [[nodiscard]] bool try_lock() { return mutex_.try_lock(); }
  void unlock() noexcept {
    mutex_.unlock();  // last use of *this: the runtime may be gone now
    if (put_off_notification != nullptr) [[unlikely]]
      std::exchange(put_off_notification, nullptr)->notify_put_off();
  }

 private:
  short_mutex mutex_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
