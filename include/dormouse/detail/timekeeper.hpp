// SPDX-License-Identifier: MIT
#pragma once

// Everything that sleeps until a time or a descriptor, on one thread that exists only while there is something to sleep
// for. run() may lend the calling thread instead, or the host does it all (drive_mode::host): then there is no thread.
// What fires here is library code that is short and never blocks.

#include <dormouse/clock.hpp>
#include <dormouse/detail/platform/sleeper.hpp>
#include <dormouse/detail/random.hpp>
#include <dormouse/detail/thread_shelf.hpp>
#include <dormouse/result.hpp>
#include <dormouse/runtime/runtime_options.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class timekeeper : private clock::listener {
 public:
  using timer_id = std::uint64_t;  // never 0

  // How a host drives it.
  struct host_mode {
    bool driven = false;
    random_source* order = nullptr;  // of timers that are due at the same time; null: as they were armed
  };
  // `spawn` must outlive it.
  timekeeper(const clock& time, const spawn_hook& spawn, std::function<std::shared_ptr<void>()> keep, host_mode host);
  ~timekeeper();

  // Calls `fire` once, at or soon after `due`. 0, and nothing is armed, when the first timer finds no thread or memory.
  [[nodiscard]] timer_id arm(clock::time_point due, std::function<void()> fire) noexcept;
  // A timer that is firing right now on the timekeeper's thread may still be running when this returns.
  void cancel(timer_id timer) noexcept;

  // Calls `ready` once when `descriptor` can be read; call watch again for the next time.
  result<void> watch(int descriptor, std::function<void()> ready);
  void unwatch(int descriptor) noexcept;

  // Lends this thread until `until` is set and wake() called. Fails: limit_exceeded (descriptors), conflict (lent
  // twice).
  result<void> lend(const std::atomic<bool>& until);
  // Makes what wake() needs, so that it works from a signal handler. Fails: limit_exceeded (descriptors).
  result<void> prepare() { return sleeper_.prepare(); }
  // Makes the timekeeper look again. Async-signal-safe after lend() has begun.
  void wake() noexcept { sleeper_.wake(); }

  // The following in host mode only, and but next_due() and descriptor() on one thread at a time.
  // Fires the timers that are due, but none that is armed meanwhile; how many.
  std::size_t fire_due();
  // Fires what can be read now; how many.
  std::size_t fire_readable();
  // Until the next timer, `limit`, wake() or a descriptor, and fires those.
  void sleep(clock::time_point limit);
  [[nodiscard]] std::optional<clock::time_point> next_due() noexcept;
  // Can be read when there is anything to do. Fails: limit_exceeded (descriptors).
  result<int> descriptor();

  // No more timers and descriptors; the thread ends. Waits for it, unless called on it.
  void stop();
  [[nodiscard]] std::size_t threads() const noexcept { return threads_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t threads_started() const noexcept { return started_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t thread_failures() const noexcept { return failures_.load(std::memory_order_relaxed); }

 private:
  using timer_key = std::pair<clock::time_point, timer_id>;

  bool ensure_thread();  // under mutex_
  [[nodiscard]] bool idle() const noexcept { return timers_.empty() && watched_.empty(); }
  void keep_time();
  void turn(std::unique_lock<std::mutex>& lock);
  void first_changed() noexcept;
  std::map<timer_key, std::function<void()>>::iterator choose_due();
  std::size_t fire_due(std::unique_lock<std::mutex>& lock);
  void fire_ready(std::unique_lock<std::mutex>& lock, const std::vector<int>& ready);
  void time_changed() noexcept override { sleeper_.wake(); }

  const clock& time_;
  const spawn_hook& spawn_;
  const std::function<std::shared_ptr<void>()> keep_;
  const host_mode host_;
  sleeper sleeper_{};
  std::atomic<std::size_t> threads_{0};
  std::atomic<std::uint64_t> started_{0};
  std::atomic<std::uint64_t> failures_{0};
  std::mutex mutex_{};  // guards what follows
  std::map<timer_key, std::function<void()>> timers_{};
  std::unordered_map<timer_id, clock::time_point> due_{};
  std::unordered_map<int, std::function<void()>> watched_{};
  timer_id last_id_ = 0;
  std::thread thread_{};
  bool has_thread_ = false;  // of its own
  bool lent_ = false;
  bool asleep_ = false;  // in sleep()
  bool stopped_ = false;
  thread_shelf shelf_{};
  bool told_no_more_ = false;  // by the clock; stop()'s and the destructor's alone
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
