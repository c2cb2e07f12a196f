// SPDX-License-Identifier: MIT
#pragma once

// Accepted events: a queue a function, and one ring of the functions that have events to start, so that a function with
// many does not keep out one with few. What the compute workers take their work from.

#include <dormouse/detail/function_activity.hpp>
#include <dormouse/detail/lane.hpp>
#include <dormouse/detail/work_item.hpp>
#include <dormouse/result.hpp>
#include <dormouse/runtime/runtime_options.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class core;

class event_queue final : public work_source {
 public:
  // A worker stays with one function for at most so many events or so long, then moves on.
  static constexpr int quantum_events = 32;
  static constexpr std::chrono::microseconds quantum_time{100};

  explicit event_queue(core& owner) noexcept : core_(owner) {}

  // Accepts the event: from here to its end it counts against the function's bounds. Takes an owner of its own. Never
  // blocks. Fails: not_found, shutting_down, throttled (queue_depth, queue_bytes), recursion_limit (depth),
  // unavailable (no_threads).
  result<void> accept(work_item& item, bool inside);

  // Takes back an event that nobody has started; then the caller runs it. False when somebody has.
  bool claim(work_item& item);
  // Runs a claimed event on this thread.
  void run_claimed(work_item& item);

  // Under the function's lock: the function has events that could start.
  void make_ready(function_activity& activity) noexcept;

  // Ends everything not started with shutting_down; the core is closed.
  void refuse_all(std::vector<unfinished>& to);
  [[nodiscard]] std::uint64_t accepted() const noexcept { return accepted_.load(); }

  void* take() override;
  void run(void* piece) noexcept override;
  bool has_work() noexcept override;
  void worker_ends() noexcept override { this_thread_leases.end(); }

 private:
  result<void> enqueue(work_item& item, bool inside);
  void withdraw(work_item& item) noexcept;
  void leave_ring(function_activity& activity) noexcept;
  function_activity* next_ready() noexcept;
  work_item* start_one(function_activity& activity);
  work_item* pop(function_activity& activity) noexcept;
  void end(work_item& item) noexcept;
  work_item* end_and_continue(work_item& item, lease* with) noexcept;

  core& core_;
  std::atomic<std::uint64_t> accepted_{0};
  std::mutex ring_mutex_{};  // guards the ring
  function_activity* ring_first_ = nullptr;
  function_activity* ring_last_ = nullptr;
};

// Chores of the library that may run user code or take long: they have workers of their own, so that handlers that
// never return cannot keep them from running.
class housekeeper final : public work_source {
 public:
  static constexpr std::uint32_t workers_max = 4;

  explicit housekeeper(core& owner) noexcept : core_(owner) {}
  // Runs `chore` soon. False when there is no memory or no thread for it; then it does not run.
  bool add(std::function<void()> chore) noexcept;
  // Destroys the objects soon; at close() at the latest.
  void bury(dead_instances dead) noexcept;
  // Everything that is still to be done, on this thread.
  void finish() noexcept;

  void* take() override;
  void run(void* piece) noexcept override;
  bool has_work() noexcept override;
  void worker_ends() noexcept override { this_thread_leases.end(); }

 private:
  dead_instances take_dead() noexcept;

  core& core_;
  std::mutex mutex_{};
  std::deque<std::unique_ptr<std::function<void()>>> chores_{};
  dead_instances dead_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
