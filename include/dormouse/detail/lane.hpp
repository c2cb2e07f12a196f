// SPDX-License-Identifier: MIT
#pragma once

// A pool of workers that exist only while there is work: started when nobody awake can take it, parked when there is
// none, gone after the idle timeout. It knows nothing of functions: a work_source hands it pieces to run.

#include <dormouse/clock.hpp>
#include <dormouse/detail/platform/gate.hpp>
#include <dormouse/detail/platform/parking.hpp>
#include <dormouse/detail/thread_shelf.hpp>
#include <dormouse/detail/worker_pool.hpp>

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
};

class lane final : public worker_pool {
 public:
  // `keep` gives what keeps this object, its source and its clock alive; every worker holds it while it lives.
  lane(const clock& time, work_source& source, lane_options options, std::function<std::shared_ptr<void>()> keep)
      : time_(time), source_(source), options_(options), keep_(std::move(keep)) {}

  // Work was published in the source. False when no worker lives and no thread could be started.
  [[nodiscard]] bool notify() noexcept override;
  [[nodiscard]] std::size_t threads() const noexcept override { return word_.alive(); }
  [[nodiscard]] std::uint64_t threads_started() const noexcept override {
    return started_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t thread_failures() const noexcept override {
    return failures_.load(std::memory_order_relaxed);
  }

  void stop() noexcept override;
  void wait_gone(std::chrono::steady_clock::time_point patience) override;

 private:
  struct worker {
    std::thread thread{};
    gate wakeup{};
    clock::time_point idle_until{};
  };

  void busy_changed() noexcept override;
  bool spawn() noexcept;
  void work(worker& self);
  bool search(worker& self, bool& searching);
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
  parking_word word_{};
  std::atomic<std::uint64_t> started_{0};
  std::atomic<std::uint64_t> failures_{0};
  std::mutex mutex_{};             // guards the next three
  std::vector<worker*> parked_{};  // the most recently parked last: woken first
  std::vector<std::unique_ptr<worker>> workers_{};
  std::condition_variable changed_{};
  thread_shelf shelf_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
