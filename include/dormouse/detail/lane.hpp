// SPDX-License-Identifier: MIT
#pragma once

// A pool of workers that exist only while there is work: started when nobody awake can take it, parked when there is
// none, gone after the idle timeout. It knows nothing of functions: a work_source hands it pieces to run.

#include <dormouse/clock.hpp>
#include <dormouse/detail/platform/gate.hpp>
#include <dormouse/detail/platform/parking.hpp>
#include <dormouse/detail/spinner.hpp>
#include <dormouse/detail/thread_shelf.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class work_source {
 public:
  // A piece of work, or null. Called by workers.
  virtual void* take() = 0;
  virtual void run(void* piece) noexcept = 0;
  // The worker that calls it is about to end.
  virtual void worker_ends() noexcept = 0;
  // Is there a piece to take now? Synchronises with whoever published it.
  virtual bool has_work() noexcept = 0;
  // The same, as cheap as can be and perhaps out of date: what a worker polls while it waits awake.
  virtual bool seems_to_have_work() noexcept { return has_work(); }

 protected:
  ~work_source() = default;
};

struct lane_options {
  const char* thread_name = "dormouse";
  std::uint32_t workers_max = 2;  // 1 .. 10,000
  std::chrono::nanoseconds idle_timeout{std::chrono::seconds{10}};
  // How long a worker that has run something waits awake before it parks; see spinner.hpp.
  std::chrono::nanoseconds spin_budget{0};
  parking_protocol protocol = best_parking_protocol();
};

class lane {
 public:
  // `keep` gives what keeps this object, its source and its clock alive; every worker holds it while it lives.
  lane(const clock& time, work_source& source, lane_options options, std::function<std::shared_ptr<void>()> keep)
      : time_(time),
        source_(source),
        options_(options),
        keep_(std::move(keep)),
        word_(options.protocol),
        spinner_(time, std::min(options.spin_budget, options.idle_timeout)) {}

  // Work was published in the source. False when no worker lives and no thread could be started.
  [[nodiscard]] bool notify() noexcept;
  [[nodiscard]] std::size_t threads() const noexcept { return word_.alive(); }
  [[nodiscard]] std::uint64_t threads_started() const noexcept { return started_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t thread_failures() const noexcept { return failures_.load(std::memory_order_relaxed); }

  // Around user code on a worker: wait_gone() does not wait for it for ever. Once it is over, the worker is waited for.
  class user_code {
   public:
    explicit user_code(lane& on) noexcept : lane_(on) { lane_.enter_user_code(); }
    user_code(const user_code&) = delete;
    user_code& operator=(const user_code&) = delete;
    ~user_code() { lane_.busy_.fetch_sub(1, std::memory_order_seq_cst); }

   private:
    lane& lane_;
  };

  // From now on workers leave when they find no work.
  void stop() noexcept;
  // After stop(): waits until every worker is gone, but no longer for those inside user code than until `patience`.
  void wait_gone(std::chrono::steady_clock::time_point patience);

 private:
  // Longer than it takes from a claim to its gate.
  static constexpr std::chrono::nanoseconds claim_time = std::chrono::milliseconds{1};

  struct worker {
    std::thread thread{};
    gate wakeup{};
    clock::time_point idle_until{};
    bool has_neighbours = false;  // may run on more than one processor
    bool searching = true;        // counted so in the word; its spawner did
    bool may_spin = false;        // has run something since it was started or woken
  };

  void enter_user_code() noexcept;
  bool spawn() noexcept;
  bool start_worker() noexcept;
  void work(worker& self);
  bool search(worker& self);
  void found(worker& self);
  bool search_on(worker& self);
  bool park(worker& self);
  bool look_again(worker& self);
  bool retire(worker& self);
  void open_one() noexcept;
  bool remove_parked(worker& self) noexcept;
  void leave(worker& self);

  const clock& time_;
  work_source& source_;
  const lane_options options_;
  const std::function<std::shared_ptr<void>()> keep_;
  parking_word word_;
  spinner spinner_;
  std::atomic<std::uint64_t> started_{0};
  std::atomic<std::uint64_t> failures_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint32_t> busy_{0};
  std::mutex mutex_{};             // guards the next three
  std::vector<worker*> parked_{};  // the most recently parked last: woken first
  std::vector<std::unique_ptr<worker>> workers_{};
  std::condition_variable changed_{};
  thread_shelf shelf_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
