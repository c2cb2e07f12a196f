// SPDX-License-Identifier: MIT
#pragma once

// Accepted events: a queue a function, and a ring a kind of the functions that have events to start, so that a function
// with many does not keep out one with few. What the workers take their work from.

#include <dormouse/detail/event_batch.hpp>
#include <dormouse/detail/function_activity.hpp>
#include <dormouse/detail/lane.hpp>
#include <dormouse/detail/work_item.hpp>
#include <dormouse/functions/acceptance.hpp>
#include <dormouse/result.hpp>
#include <dormouse/runtime/runtime_options.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class core;

class event_queue;

// The functions of one kind that have events to start, in turn: what one pool of workers takes its work from.
class work_ring final : public work_source {
 public:
  work_ring(event_queue& events, core& owner) noexcept : events_(events), core_(owner) {}

  // Under the function's lock: to the end of the ring, unless it is in it. Workers that wait awake see it with hint().
  void add(function_activity& activity) noexcept;
  // Better not under a lock: the worker that waits for this comes at once, and for that lock.
  void hint() noexcept;
  // Under the function's lock: out of the ring, unless a worker has just taken it out. Linear.
  void remove(function_activity& activity) noexcept;
  // Under no lock: every function, when nothing of theirs may start any more.
  void clear() noexcept;
  // Events that were taken in advance may be had from their owner, or not any more. list(): under the function's lock.
  void list(event_batch& batch) noexcept;
  void unlist(event_batch& batch) noexcept;
  // No other function waits for its turn.
  [[nodiscard]] bool has_only(const function_record& record) noexcept;

  void* take() override;
  void* run(void* piece) noexcept override;
  void tell(void* item) noexcept override;
  void let_go_of(void* item) noexcept override;
  bool has_work() noexcept override;
  bool seems_to_have_work() noexcept override { return filled_.load(std::memory_order_relaxed); }
  void worker_ends() noexcept override;
  void ran_dry() noexcept override;

 private:
  function_activity* next() noexcept;
  work_item* start_first(function_record& record);
  function_record* owner_of_batch() noexcept;
  void update_hint() noexcept;
  function_activity* choose() noexcept;
  function_activity* unlink(function_activity* before, function_activity* gone) noexcept;

  event_queue& events_;
  core& core_;
  short_mutex mutex_{};  // guards the next three
  function_activity* first_ = nullptr;
  function_activity* last_ = nullptr;
  event_batch* batches_ = nullptr;
  std::atomic<bool> filled_{false};  // relaxed: a hint for who polls; cleared under the lock only
};

class event_queue {
 public:
  // A worker stays with one function for at most so many events or so long, then moves on.
  static constexpr std::uint32_t quantum_events = 32;
  static constexpr std::chrono::microseconds quantum_time{100};
  // A worker that runs a stream of posted events leaves so much time between two looks at their queue.
  static constexpr std::chrono::microseconds gather_time{2};
  // When no thread could be had for accepted events.
  static constexpr std::chrono::milliseconds ring_again{100};

  explicit event_queue(core& owner) noexcept : compute(*this, owner), blocking(*this, owner), core_(owner) {}

  work_ring compute;
  work_ring blocking;
  [[nodiscard]] work_ring& ring_of(const function_record& record) noexcept {
    return record.settings->options.kind == function_kind::blocking ? blocking : compute;
  }

  // Accepts the event: from here to its end it counts against the function's bounds. Takes over a posted one; of one
  // that is waited for it gets an owner of its own. Never blocks. Fails, and the item stays the caller's: not_found,
  // shutting_down, throttled (queue_depth, queue_bytes), recursion_limit (depth), unavailable (no_threads).
  result<acceptance> accept(item_pointer& item, bool inside);

  // Takes back an event that nobody has started; then the caller runs it. False when somebody has.
  bool claim(work_item& item);
  // Runs a claimed event on this thread.
  void run_claimed(work_item& item);

  // Under the function's lock: the function has events that could start.
  void make_ready(function_activity& activity) noexcept {
    ring_of(*activity.record).add(activity);
    ring_of(*activity.record).hint();
  }
  // Tells a worker that some function is ready. Tries again later, and again, when no thread can be had.
  void ring_under_lock(const function_record& record) noexcept;

  // For what follows an attempt (outcomes.hpp). Under the function's lock:
  // The accepted event of that id that is queued, running or waiting; null when there is none.
  [[nodiscard]] work_item* find(function_record& record, std::uint64_t id) noexcept;
  // What workers have taken in advance and not started is in the queue again. False when there was none.
  bool take_back(function_activity& activity) noexcept;
  // What has ended in a batch counts as ended from here on.
  void account_ended(function_activity& activity) noexcept;
  // Not under a lock: ends what `submitter` has in the queue and no worker has started, as cancelled.
  void take_back_from(function_record& record, const void* submitter) noexcept;
  // Out of the queue, to whoever calls.
  void take_out(work_item& item) noexcept;
  // Out of the running ones, to wait or to be a dead letter; it keeps its place in the bounds.
  static void set_aside(work_item& item, item_state state) noexcept;
  // From waiting into the queue.
  void queue_again(work_item& item) noexcept;
  // Not under a lock: the event is terminal, its bounds are free again, and who waits for it is told.
  void end(work_item& item) noexcept;
  // The queue's owner of an event lets it go.
  static void let_go(work_item& item) noexcept;
  // Not under a lock: gives a dead letter's place in the bounds back, or takes one for it; false when there is none.
  void leave(function_record& record, std::size_t bytes) noexcept;
  bool readmit(work_item& item) noexcept;

  // Ends what an undefined function has not started.
  void bury_all(function_record& record) noexcept;
  // Ends everything not started with shutting_down; the core is closed.
  void refuse_all(std::vector<unfinished>& to);
  [[nodiscard]] std::uint64_t accepted() const noexcept { return accepted_.load(); }

  // The first event of a function with what it needs to run, or null when there is none or no instance. Under its lock.
  work_item* start_one(function_activity& activity);
  // One quantum of that event's function. An event that has ended in it and that somebody waits for: to be told, and
  // then let go of.
  [[nodiscard]] work_item* run(work_item* item) noexcept;

 private:
  // How much longer a worker stays with a function.
  struct quantum {
    std::uint64_t now = 0;    // ticks, when it was looked at last
    std::uint64_t until = 0;  // ticks
    std::uint32_t events = 0;
    work_item* to_tell = nullptr;
    [[nodiscard]] bool is_over() const noexcept { return events == 0 || now >= until; }
  };

  void ring_later(const function_record& record) noexcept;
  result<void> enqueue(work_item& item, bool inside, std::uint64_t& id);
  result<void> admit(work_item& item, bool inside);
  bool withdraw(function_record& record, std::uint64_t id) noexcept;
  std::size_t take_some_from(function_record& record, const void* submitter, std::span<work_item*> taken) noexcept;
  void release_places(function_activity& activity, std::uint64_t count, std::size_t bytes) noexcept;
  void end_under_lock(work_item& item) noexcept;
  void account_ended(function_activity& activity, event_batch& batch) noexcept;
  void started(work_item& item) noexcept;
  [[nodiscard]] bool too_old(const work_item& item, std::uint64_t now) const noexcept;
  [[nodiscard]] bool needs_no_instance(const work_item& item, std::uint64_t now) const noexcept;
  work_item* start_to_refuse(function_activity& activity) noexcept;
  void run_without_instance(work_item& item) noexcept;
  [[nodiscard]] static bool is_over(const work_item& item) noexcept;
  work_item* after(work_item& item, lease* with, quantum& left) noexcept;
  void let_all_go(function_record& record, item_list& over) noexcept;
  void let_gather(const function_record& record, std::uint64_t visited, quantum& left) noexcept;
  work_item* run_on(work_item& ended, lease& with, quantum& left) noexcept;
  work_item* take_more(function_activity& activity, lease& with, const quantum& left, event_batch& batch) noexcept;
  void fill(event_batch& batch, function_activity& activity, const quantum& left) noexcept;
  work_item* run_batch(event_batch& batch, lease& with, quantum& left) noexcept;
  void settle(event_batch& batch, work_item* unlike, item_list& over) noexcept;
  work_item* pop(function_activity& activity) noexcept;
  void emptied(function_activity& activity) noexcept;

  core& core_;
  alignas(64) std::atomic<std::uint64_t> accepted_{0};  // written by each submitter
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
  void* run(void* piece) noexcept override;
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
