// SPDX-License-Identifier: MIT
#pragma once

// A runtime without a thread: whoever calls poll(), or waits for something, fires its timers and runs its events and
// chores, one thread at a time.
//
// No wake-up is lost: a submitter publishes its work, then sets `signalled_`; who drives clears it, then looks at
// everything. Both are seq_cst read-modify-writes of the one flag, so either the look finds the work, or the flag was
// set after it was cleared, and then the sleeper, and with it the descriptor, is woken.

#include <dormouse/clock.hpp>
#include <dormouse/detail/platform/gate.hpp>
#include <dormouse/detail/worker_pool.hpp>
#include <dormouse/result.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class core;

class host_driver {
 public:
  explicit host_driver(core& owner) noexcept : core_(owner) {}

  // There is something to do. Any thread, under any lock.
  void signal() noexcept;

  // See runtime::poll. 0 on a thread that drives already, and while another one does.
  std::size_t poll(std::chrono::nanoseconds budget);
  // See runtime::next_deadline.
  [[nodiscard]] std::optional<clock::time_point> next_deadline() noexcept;

  // See runtime::descriptor.
  result<int> descriptor();

  // Drives until `done()` or `until`, asleep while nothing is ready. False, and nothing was done, while another thread
  // drives, or when handlers that wait inside handlers are too deep. On a clock that jumps when idle it throws
  // std::logic_error when nothing will ever happen.
  template <class Done>
  bool drive(const Done& done, clock::time_point until);

  // Before this thread waits at a gate that something of `owner` opens: drives that, if it has no threads and was made
  // or polled on this one. Perhaps the gate is open and `owner` is gone: it is looked for among those of this thread.
  static void drive_here(const core* owner, const gate& until_open, clock::time_point limit);
  static void adopt(const std::shared_ptr<core>& owner);

 private:
  // A handler that waits runs others inside its own wait: so deep at most.
  static constexpr unsigned nested_max = 16;

  [[nodiscard]] static std::shared_ptr<core> adopted(const core* owner) noexcept;
  [[nodiscard]] bool enter() noexcept;
  void leave() noexcept;
  [[nodiscard]] bool drives_here() const noexcept { return driving_.load() == std::this_thread::get_id(); }
  [[nodiscard]] std::array<work_source*, 3> sources() noexcept;
  [[nodiscard]] bool has_work() noexcept;
  std::size_t turn();
  void rest() noexcept;
  void pass_time(clock::time_point until);

  core& core_;
  std::atomic<bool> signalled_{false};
  std::atomic<std::thread::id> driving_{};
  unsigned nested_ = 0;  // of the thread that drives
};

// A pool whose only worker is whoever drives the runtime.
class driven_lane final : public worker_pool {
 public:
  explicit driven_lane(host_driver& driver) noexcept : driver_(driver) {}

  [[nodiscard]] bool notify() noexcept override {
    driver_.signal();
    return true;
  }
  [[nodiscard]] std::size_t threads() const noexcept override { return 0; }
  [[nodiscard]] std::uint64_t threads_started() const noexcept override { return 0; }
  [[nodiscard]] std::uint64_t thread_failures() const noexcept override { return 0; }
  void stop() noexcept override {}
  void wait_gone(std::chrono::steady_clock::time_point /*patience*/) override {}

 private:
  void busy_changed() noexcept override {}
  host_driver& driver_;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
