// SPDX-License-Identifier: MIT
#pragma once

// What a runtime is made of, and the locks between its parts. Owned together by the runtime object and by every library
// thread, so that a handler that never returns still stands on something after the runtime is gone.
//
// Locks, in the order they may be taken: function lock (one of a few, by function) -> ring lock, lane lock, timer lock.
// No user code runs under any of them.

#include <dormouse/clock.hpp>
#include <dormouse/detail/event_queue.hpp>
#include <dormouse/detail/host_driver.hpp>
#include <dormouse/detail/instance_pool.hpp>
#include <dormouse/detail/lane.hpp>
#include <dormouse/detail/outcomes.hpp>
#include <dormouse/detail/platform/fork_mark.hpp>
#include <dormouse/detail/random.hpp>
#include <dormouse/detail/recycler.hpp>
#include <dormouse/detail/registry.hpp>
#include <dormouse/detail/timekeeper.hpp>
#include <dormouse/detail/worker_pool.hpp>
#include <dormouse/functions/report.hpp>
#include <dormouse/runtime/runtime_options.hpp>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

enum class core_phase : std::uint8_t {
  open = 1,
  draining,  // calls from outside are refused; instances are collected
  closed,    // nothing is accepted; an instance is destroyed as it is given back
};

class core : public std::enable_shared_from_this<core> {
 public:
  explicit core(runtime_options given);
  core(const core&) = delete;
  core& operator=(const core&) = delete;
  ~core();
  // Second half of construction: needs shared_from_this(). Throws std::invalid_argument.
  void start();

  [[nodiscard]] function_mutex& lock_of(const function_record& record) noexcept {
    return locks_[record.index % lock_count].mutex;
  }
  // Who runs the function's events.
  [[nodiscard]] worker_pool& pool_of(const function_record& record) noexcept {
    if (record.settings->options.kind == function_kind::blocking) return *blocking;
    return *compute;
  }
  [[nodiscard]] std::uint64_t next_invocation() noexcept {
    return invocations_.fetch_add(1, std::memory_order_relaxed);  // relaxed: only uniqueness is asked of it
  }
  // Under the function's lock: the same, from a few that the function has at hand.
  [[nodiscard]] std::uint64_t next_event(function_activity& activity) noexcept {
    constexpr std::uint64_t at_hand = 32;
    if (activity.ids_left == 0) {
      activity.ids_left = at_hand;
      activity.next_id = invocations_.fetch_add(at_hand, std::memory_order_relaxed);  // relaxed: as above
    }
    --activity.ids_left;
    return activity.next_id++;
  }
  [[nodiscard]] core_phase phase() const noexcept { return phase_.load(std::memory_order_seq_cst); }
  // Under the function's lock: may a new call begin? `inside`: it comes from a running handler of this runtime.
  [[nodiscard]] bool admits(bool inside) const noexcept {
    return phase() == core_phase::open || (inside && phase() == core_phase::draining);
  }
  static failure shutting_down();
  // In a fork of the process that made it, where nothing of it may be touched: no lock, no descriptor, no destructor.
  [[nodiscard]] bool in_child() const noexcept { return process_.is_child(); }
  static failure forked_child();

  void report(const invocation_report& what) noexcept;
  void observer_failed() noexcept { observer_failures_.fetch_add(1, std::memory_order_relaxed); }

  [[nodiscard]] runtime_stats stats();
  [[nodiscard]] function_stats stats_of(function_record& record);

  // See runtime::dump().
  void dump(std::FILE* out) noexcept;
  // See runtime::close().
  std::vector<unfinished> close(std::chrono::nanoseconds drain_for);
  // See runtime::undefine().
  result<std::size_t> undefine(function_record& record, std::uint32_t generation, std::chrono::nanoseconds wait_for);
  // An instance was given back or an event ended. May be called under a function's lock.
  void progress() noexcept;
  // After a handler has returned to a closed core: lets go of what was kept alive for it. Not under a lock; without
  // another owner, nothing of the core is left afterwards.
  void settle() noexcept;

  std::shared_ptr<executor> host_executor;  // taken over by start(): close() lets go of it, not the end of this object
  const runtime_options options;
  std::pmr::memory_resource& memory;
  const recycler_owner items;  // before whatever holds items
  const std::unique_ptr<const clock> own_clock;
  const clock& time;
  random_source random;
  registry functions;
  std::unique_ptr<host_driver> driver{};  // drive_mode::host: instead of threads
  timekeeper timers;
  instance_pool instances;
  event_queue events;
  outcomes ends;
  std::shared_ptr<worker_pool> compute{};  // shared with the tasks on a host's pool
  lane* workers = nullptr;                 // the same, when they are the runtime's own
  std::unique_ptr<worker_pool> blocking{};
  std::unique_ptr<worker_pool> housekeeping{};
  housekeeper chores;
  std::atomic<bool> stop_asked{false};  // of run()

 private:
  static constexpr std::size_t lock_count = 64;
  struct alignas(64) padded_mutex {
    function_mutex mutex{};
  };
  void enter(core_phase next) noexcept;
  bool dump_function(std::FILE* out, function_record& record) noexcept;
  void wait_undefined(function_record& record, clock::time_point until);
  [[nodiscard]] std::size_t still_runs(function_record& record);
  [[nodiscard]] bool begin_close();
  template <class Done>
  void wait_progress(clock::time_point until, Done&& done);
  void wait_drained(clock::time_point until);
  [[nodiscard]] std::unique_ptr<lane> make_lane(work_source& source, lane_options wanted);
  void start_on_host();
  void start_driven();
  void end_lanes(std::chrono::nanoseconds drain_for);

  const fork_mark process_{};
  std::array<padded_mutex, lock_count> locks_{};
  std::atomic<core_phase> phase_{core_phase::open};
  std::atomic<std::uint64_t> observer_failures_{0};
  std::atomic<std::uint32_t> undefining_{0};  // how many wait for the end of a function
  std::mutex closing_{};                      // guards what follows
  std::condition_variable progressed_{};
  std::uint64_t progress_made_ = 0;
  bool closing_now_ = false;
  bool close_ended_ = false;
  std::shared_ptr<core> kept_for_handlers_{};              // while a lease is out after close()
  alignas(64) std::atomic<std::uint64_t> invocations_{1};  // written by each submitter
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
