// SPDX-License-Identifier: MIT
#pragma once

// A pool of workers that exist only while there is work: started when nobody awake can take it, parked when there is
// none, gone after the idle timeout. It knows nothing of functions: a work_source hands it pieces to run.

#include <dormouse/clock.hpp>
#include <dormouse/detail/platform/gate.hpp>
#include <dormouse/detail/platform/parking.hpp>
#include <dormouse/detail/spinner.hpp>
#include <dormouse/detail/thread_shelf.hpp>
#include <dormouse/detail/worker_pool.hpp>
#include <dormouse/runtime/runtime_options.hpp>

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

struct lane_options {
  const char* thread_name = "dormouse";
  std::uint32_t workers_max = 2;  // 1 .. 10,000
  std::chrono::nanoseconds idle_timeout{std::chrono::seconds{10}};
  // How long a worker that finds nothing waits awake before it parks; see spinner.hpp.
  std::chrono::nanoseconds spin_budget{0};
  parking_protocol protocol = best_parking_protocol();
  spawn_hook spawn{};
};

class lane;

// The pool and the entry of the worker that this thread is.
struct worker_identity {
  const lane* pool = nullptr;
  bool* away = nullptr;
};
inline constinit thread_local worker_identity this_thread_worker{};

class lane final : public worker_pool {
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
  [[nodiscard]] bool notify() noexcept override;
  [[nodiscard]] bool may_stay() const noexcept override { return word_.alive() <= options_.workers_max; }
  [[nodiscard]] bool is_watched() const noexcept override { return watching_.load(std::memory_order_relaxed) > 0; }
  [[nodiscard]] std::size_t threads() const noexcept override { return word_.alive() + away_.load(); }
  [[nodiscard]] std::uint64_t threads_started() const noexcept override {
    return started_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t thread_failures() const noexcept override {
    return failures_.load(std::memory_order_relaxed);
  }

  // The calling worker is about to wait for something: until it is back it does not count, and another may be started
  // in its place. False, and nothing is to be undone, when this thread is no worker of this pool, is away already, or
  // `away_max` others are.
  [[nodiscard]] bool step_away(std::uint32_t away_max) noexcept;
  // Back, perhaps one more than workers_max; then the first to end its piece leaves.
  void step_back() noexcept;

  void stop() noexcept override;
  void wait_gone(std::chrono::steady_clock::time_point patience) override;

 private:
  // Longer than it takes from a claim to its gate.
  static constexpr std::chrono::nanoseconds claim_time = std::chrono::milliseconds{1};

  struct worker {
    std::thread thread{};
    gate wakeup{};
    clock::time_point idle_until{};
    bool away = false;           // of the own thread
    bool searching = true;       // counted so in the word; its spawner did
    std::size_t processors = 1;  // that it may run on
    bool may_spin = true;        // once after each piece and each wake
    bool watching = false;       // counted in watching_
    void* told = nullptr;        // of the source, to be let go of
  };

  void busy_changed() noexcept override;
  bool spawn() noexcept;
  bool start_worker() noexcept;
  void work(worker& self);
  bool search(worker& self);
  void found(worker& self);
  void tell(worker& self);
  void let_go(worker& self);
  void watch(worker& self) noexcept;
  void stop_watching(worker& self) noexcept;
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
  std::atomic<std::uint32_t> watching_{0};
  std::atomic<std::uint32_t> away_{0};
  std::atomic<std::uint64_t> started_{0};
  std::atomic<std::uint64_t> failures_{0};
  std::mutex mutex_{};             // guards the next three
  std::vector<worker*> parked_{};  // the most recently parked last: woken first
  std::vector<std::unique_ptr<worker>> workers_{};
  std::condition_variable changed_{};
  thread_shelf shelf_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
