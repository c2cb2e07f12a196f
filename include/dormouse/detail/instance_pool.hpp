// SPDX-License-Identifier: MIT
#pragma once

// Instances: finding an idle one, making one (a cold start), waiting for one, giving one back, destroying idle ones.
// The warm path of a synchronous call does not come here: it takes and gives back a lease in its thread's own slot.

#include <dormouse/detail/function_activity.hpp>
#include <dormouse/detail/lease.hpp>
#include <dormouse/detail/worker_pool.hpp>
#include <dormouse/result.hpp>
#include <dormouse/runtime/runtime_options.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class core;

struct lease_request {
  std::uint32_t generation = 0;
  std::uint64_t deadline = 0;  // ticks: how long a caller may wait
  bool inside = false;         // the call comes from a running handler of this runtime
  bool in_chain = false;       // and this function is one of its callers: waiting could never end
};

class instance_pool {
 public:
  // After so many failed inits in a row starts are spaced, first by the least and then by twice as long each time.
  static constexpr std::uint32_t init_streak_max = 3;
  static constexpr std::chrono::milliseconds init_space_min{100};
  static constexpr std::chrono::seconds init_space_max{30};

  explicit instance_pool(core& owner) noexcept : core_(owner) {}

  // For a synchronous caller. Blocks up to the deadline when every instance is busy. Fails: not_found, shutting_down,
  // recursion_limit, throttled, deadline_exceeded.
  result<grant> acquire(function_record& record, const lease_request& request);

  // Under the function's lock: an idle lease, else room for a new one, else nothing.
  std::optional<grant> try_acquire(function_activity& activity) noexcept;

  // The cold start: makes what the grant allows. Runs user code. Fails: init_failed, out_of_memory; then the grant has
  // been given back.
  struct made_lease {
    lease* made = nullptr;
    bool cold = false;
    std::uint64_t init_ticks = 0;
  };
  result<made_lease> make(function_record& record, const grant& allowed);

  // Ends the use of a lease; any thread, warm path included.
  void release(lease& each) noexcept {
    lease_slot& slot = this_thread_leases.slot_of(*each.record);
    if (each.home != &slot || !each.keep || slot.idle.load(std::memory_order_relaxed) != nullptr) [[unlikely]] {
      return give_back(each);
    }
    function_record& record = *each.record;
    slot.function = &record;
    // seq_cst twice: see lease.hpp. From here on `each` may be somebody else's.
    slot.idle.store(&each, std::memory_order_seq_cst);
    if (record.attention.load(std::memory_order_seq_cst) != 0) [[unlikely]]
      attend(record, each);
  }
  // As release(), off the warm path: to a waiting caller, to waiting events, to this thread's slot, or destroyed.
  void give_back(lease& each) noexcept;
  // As give_back(), to the thread's empty `slot`, or to none: to the function's own list.
  void give_back_shared(lease& each, lease_slot* slot) noexcept;

  // After a cold start's handler has returned: idle instances are destroyed in time. Takes the function's lock.
  void arm_reaper(function_record& record) noexcept;

  // Under the function's lock. The activity, made when there is none. May throw bad_alloc.
  function_activity& activity_of(function_record& record);
  // Under the function's lock: deletes an activity that has nothing any more.
  void rest(function_record& record) noexcept;
  // Under the function's lock. May throw bad_alloc.
  function_totals& totals_of(function_record& record);
  // Under the function's lock: whoever waits for room or work to be done is told.
  void offer_room(function_activity& activity) noexcept;

  // Under the function's lock: why nothing is started, when obstacle is start_obstacle::spaced.
  failure spaced(function_record& record) noexcept;
  // Nothing starts until resume(); calls are throttled. Under no lock, as the rest.
  void pause(function_record& record) noexcept;
  void resume(function_record& record) noexcept;
  // The function gets another handler: what runs ends on the former one, everything else is the new one's. Takes
  // `prototype` over when it returns. May throw bad_alloc. False when the function is not of that generation any more.
  bool replace(function_record& record, std::uint32_t generation, const handler_ops& ops, void* prototype);
  // The function has no handler any more; callers that wait for it are sent away. As replace().
  bool retire_last(function_record& record, std::uint32_t generation);
  // As many instances as are provisioned, now; runs user code. Soon: on a housekeeping worker.
  void provision(function_record& record) noexcept;
  void provision_soon(function_record& record) noexcept;
  // An instance made ahead because the function's keep-alive policy says so. As provision().
  void prewarm(function_record& record) noexcept;
  // Not under a lock: an object of that version has been destroyed. See destroy_objects().
  void destroyed(function_record& record, std::uint32_t version) noexcept;
  // Functions whose starts waited for room may start. After instances have ended.
  void feed_starved() noexcept;
  // Ends an idle instance of another function. False when there is none.
  bool evict_idle(const function_record& needs) noexcept;
  // Instances that a function has for itself, of those that the runtime may have.
  std::atomic<std::size_t> reserved{0};

  // Collects idle instances of all functions; `destroy` says whether they end. Later releases come here.
  void collect_all(bool destroy) noexcept;

  [[nodiscard]] std::uint64_t existing() const noexcept { return instances_.load(std::memory_order_relaxed); }
  // Leases in use; exact while the core is not open.
  [[nodiscard]] bool any_in_use() const noexcept { return leases_.load() > shared_.load(); }
  [[nodiscard]] bool any() const noexcept { return leases_.load() != 0; }
  void append_running(std::vector<unfinished>& to);

 private:
  lease* take_idle(function_activity& activity) noexcept;
  void wait_answered(waiting_caller& self, std::uint64_t deadline);
  result<grant> wait_for_lease(std::unique_lock<function_mutex>& lock, function_activity& activity,
                               const lease_request& request);
  void answer(function_activity& activity, waiting_caller& caller, const std::optional<grant>& got) noexcept;
  static void remove_caller(function_activity& activity, waiting_caller& caller) noexcept;
  void attend(function_record& record, lease& each) noexcept;
  void place(function_activity& activity, lease& each, lease_slot* slot, dead_instances& dead) noexcept;
  void drop(function_activity& activity, lease& each, dead_instances& dead) noexcept;
  void take_back(function_record& record, const grant& unused, bool init_failed) noexcept;
  void leave_instance(function_activity& activity, instance& state, dead_instances& dead) noexcept;
  void ready_lease(function_record& record, const grant& allowed, made_lease& outcome);
  bool admit_lease(function_record& record, const made_lease& outcome, dead_instances& dead) noexcept;
  void share(function_activity& activity, lease& each) noexcept;
  void unshare(function_activity& activity, lease& each) noexcept;
  void reap(function_record& record) noexcept;
  bool reap_expired(function_activity& activity, dead_instances& dead, std::uint64_t& next_ticks) noexcept;
  void rearm(function_record& record, std::uint64_t in_ticks) noexcept;
  bool may_start(function_activity& activity) noexcept;
  [[nodiscard]] bool start_ahead(function_activity& activity, grant& allowed) noexcept;
  // See keep_alive.ipp.
  [[nodiscard]] static bool has_policy(const function_record& record) noexcept {
    return record.totals != nullptr && record.totals->has_policy();
  }
  void started_using(function_record& record) noexcept;
  void stopped_using(function_record& record) noexcept;
  static void bound(keep_alive_plan& plan) noexcept;
  [[nodiscard]] bool came_too_late(const function_activity& activity) noexcept;
  void arm_keep_alive(function_record& record, clock::time_point due) noexcept;
  void keep_alive_due(function_record& record) noexcept;
  bool next_stage(function_record& record, dead_instances& dead) noexcept;
  std::uint64_t drop_unused(function_record& record, dead_instances& dead, std::uint64_t used_until) noexcept;
  void drop_surplus(function_record& record, dead_instances& dead) noexcept;
  bool take_pool_place(const function_activity& activity) noexcept;
  bool makes_room(const function_activity& activity, const lease& each) noexcept;
  void instance_gone(function_activity& activity, std::uint32_t version) noexcept;
  void count_init(function_record& record, bool failed) noexcept;
  void start_later(function_activity& activity) noexcept;
  void leave_version(function_activity& activity, std::uint32_t version, dead_instances& dead) noexcept;
  void retire_handler(function_activity& activity, retired_version& former, dead_instances& dead) noexcept;
  void drop_idle(function_activity& activity, dead_instances& dead) noexcept;
  std::optional<failure> refusal(const function_activity& activity, const lease_request& request);

  core& core_;
  std::atomic<std::uint64_t> instances_{0};
  std::atomic<std::uint64_t> leases_{0};
  std::atomic<std::uint64_t> shared_{0};
  std::atomic<std::size_t> pool_used_{0};  // instances beyond what their functions have reserved
  std::atomic<std::size_t> evict_from_{0};
  std::atomic<bool> any_starved_{false};
  std::mutex starved_mutex_{};  // guards the next two; taken after a function's lock
  function_activity* starved_first_ = nullptr;
  function_activity* starved_last_ = nullptr;
};

// The slots of this thread are emptied when it ends. Once registered, it costs a branch.
void keep_table_until_thread_ends() noexcept;

// Destroys on this thread; a throwing destructor is counted at its function.
void destroy_objects(core& owner, dead_instances dead) noexcept;

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
