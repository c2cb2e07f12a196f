// SPDX-License-Identifier: MIT
#pragma once

// A pool whose workers are tasks on an executor of the host. A task looks for a piece, runs it for one quantum, and
// posts its successor when there is more.

#include <dormouse/detail/worker_pool.hpp>
#include <dormouse/runtime/executor.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// The word that decides who posts. It counts tasks that
//   wait  (posted, or being posted, and have not begun to look for work: at most one),
//   live  (those, and the ones that have begun and not ended).
// Every change is a seq_cst read-modify-write of the one word, so all have one order:
//   submitter: publishes, then asks       task: begins (no longer waits), then looks      and: ends, then looks again
// A submitter posts unless a task waits or `live` is at its bound. If a task waits, that one begins later in the order,
// and so looks after the work was published. If the bound is reached, every live task that does not wait ends later,
// and looks after that. A task that is refused or dropped leaves the word as if it had never been there; `round`, which
// each submitter advances, tells whether anybody relied on it in between.
class task_word {
 public:
  // The round, when the caller has to post a task, which is counted as waiting and living.
  [[nodiscard]] std::optional<std::uint32_t> claim(std::uint32_t live_max) noexcept {
    std::uint64_t seen = word_.fetch_add(one_round, std::memory_order_seq_cst) + one_round;
    while (waiting_in(seen) == 0 && live_in(seen) < live_max) {
      if (word_.compare_exchange_weak(seen, seen + one_waiting + one_live, std::memory_order_seq_cst)) {
        return round_in(seen);
      }
    }
    return std::nullopt;
  }
  struct rest {
    bool others_live = false;
    std::uint32_t round = 0;
  };
  // A waiting task will never begin.
  rest give_up() noexcept {
    const std::uint64_t left =
        word_.fetch_sub(one_waiting + one_live, std::memory_order_seq_cst) - one_waiting - one_live;
    return {live_in(left) != 0, round_in(left)};
  }
  void begin() noexcept { word_.fetch_sub(one_waiting, std::memory_order_seq_cst); }
  void end() noexcept { word_.fetch_sub(one_live, std::memory_order_seq_cst); }
  // An ended task goes on after all. False when the bound is reached: then others live, and look when they end.
  [[nodiscard]] bool resume(std::uint32_t live_max) noexcept {
    std::uint64_t seen = word_.load(std::memory_order_seq_cst);
    while (live_in(seen) < live_max) {
      if (word_.compare_exchange_weak(seen, seen + one_live, std::memory_order_seq_cst)) return true;
    }
    return false;
  }

 private:
  static constexpr std::uint64_t one_waiting = 1;
  static constexpr std::uint64_t one_live = std::uint64_t{1} << 16U;
  static constexpr std::uint64_t one_round = std::uint64_t{1} << 32U;
  static std::uint32_t waiting_in(std::uint64_t word) noexcept { return static_cast<std::uint32_t>(word & 0xffffU); }
  static std::uint32_t live_in(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>((word >> 16U) & 0xffffU);
  }
  static std::uint32_t round_in(std::uint64_t word) noexcept { return static_cast<std::uint32_t>(word >> 32U); }

  std::atomic<std::uint64_t> word_{0};
};

// Owned by the core and by every task that exists; a task holds nothing else. Whoever is inside (see enter) finds core
// and source alive: wait_gone() waits for it, or it is a stuck handler's and keeps the core.
class task_lane final : public worker_pool, public std::enable_shared_from_this<task_lane> {
 public:
  static constexpr std::size_t concurrency_max = 1'024;

  // `later(tries)` has offer_again() called, away from this thread, the later the more tries there were; false when
  // that cannot be done. It is called by who is inside, and never blocks.
  task_lane(std::shared_ptr<executor> to, std::size_t concurrency, work_source& source, std::weak_ptr<void> owner,
            std::function<bool(unsigned tries)> later)
      : live_max_(static_cast<std::uint32_t>(concurrency)),
        source_(source),
        owner_(std::move(owner)),
        later_(std::move(later)),
        executor_(std::move(to)) {}

  [[nodiscard]] bool notify() noexcept override { return offer(); }
  [[nodiscard]] bool notify_under_lock() noexcept override;
  void notify_put_off() noexcept override;
  // The threads are the host's.
  [[nodiscard]] std::size_t threads() const noexcept override { return 0; }
  [[nodiscard]] std::uint64_t threads_started() const noexcept override { return 0; }
  [[nodiscard]] std::uint64_t thread_failures() const noexcept override {
    return refused_.load(std::memory_order_relaxed);
  }
  void stop() noexcept override;
  void wait_gone(std::chrono::steady_clock::time_point patience) override;

  // For `later`: posts a task if there is work that none will come for.
  void offer_again() noexcept;

 private:
  class posted;
  void busy_changed() noexcept override;
  bool offer() noexcept;
  bool post_one() noexcept;
  void run_task() noexcept;
  void run_quanta() noexcept;
  void dropped() noexcept;
  void ask_later() noexcept;
  bool enter() noexcept;
  void leave() noexcept;

  const std::uint32_t live_max_;
  work_source& source_;
  const std::weak_ptr<void> owner_;
  const std::function<bool(unsigned)> later_;
  task_word word_{};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<unsigned> tries_{0};  // tasks lost since the last one that began
  std::atomic<bool> asked_{false};  // offer_again() will be called
  std::mutex mutex_{};              // guards what follows, and every change of stopping_
  std::condition_variable changed_{};
  std::shared_ptr<executor> executor_;  // null once all is over: the host's pool may then go, too
  std::uint32_t inside_ = 0;
  std::uint32_t put_off_ = 0;  // threads with a notification of this pool to make
  std::shared_ptr<task_lane> kept_for_put_off_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
