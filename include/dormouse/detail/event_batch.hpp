// SPDX-License-Identifier: MIT
#pragma once

// Posted events of one function that a worker takes in advance, all in one go with the function's lock, and ends in one
// go, too. Whoever has that lock may take back those that have not been started: nothing waits behind a long one for
// want of a lock.
//
// One word decides who has an event: the owner starts the next one by adding to `next_`, who takes back puts a number
// there beyond all of them. What the two read was its former value, so each event has exactly one taker.
// tests/model has a model of it.

#include <dormouse/detail/work_item.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

struct function_record;

class event_batch {
 public:
  static constexpr std::uint32_t capacity = 32;

  explicit event_batch(function_record& function) noexcept : record(function) {}
  event_batch(const event_batch&) = delete;
  event_batch& operator=(const event_batch&) = delete;

  // ---- the owner, without a lock
  // The next event, to be run; null when there is none, or they were taken back.
  [[nodiscard]] work_item* start_next() noexcept {
    // relaxed: a taker needs no more than to be the only one. The events themselves, and this batch, were written under
    // the function's lock by the owner, and are read under it by everybody else.
    const std::uint32_t mine = next_.fetch_add(1, std::memory_order_relaxed);
    if (mine >= count_) return nullptr;
    if (mine + 1 < count_) __builtin_prefetch(items_[mine + 1]);
    return items_[mine];
  }
  // Is the one that was started last the last of all?
  [[nodiscard]] bool all_started() const noexcept { return next_.load(std::memory_order_relaxed) >= count_; }
  // The event that was started last has succeeded, and is over but for the accounting.
  void ended_one() noexcept {
    // release: who accounts for it reads what its run has left in it.
    ended_.store(ended_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }

  // ---- under the function's lock
  // The owner's, before the batch is known to anybody.
  void add(work_item& item) noexcept {
    item.state = item_state::batched;
    items_[count_++] = &item;
  }
  void open(bool list) noexcept {
    listed_at_first = list;
    next_.store(0, std::memory_order_relaxed);
  }
  // A moment's truth.
  [[nodiscard]] std::uint32_t not_started() const noexcept {
    return count_ - std::min(count_, next_.load(std::memory_order_relaxed));
  }
  [[nodiscard]] std::uint32_t not_ended() const noexcept {
    return count_ - not_started() - ended_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint32_t size() const noexcept { return count_; }
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  // What has not been started is the caller's: calls `take` for each, the last one first.
  template <class Take>
  void take_back(const Take& take) noexcept {
    const std::uint32_t from = next_.exchange(beyond, std::memory_order_relaxed);  // relaxed: see start_next()
    if (from >= beyond) return;                                                    // taken back already
    started_ = std::min(from, count_);
    for (std::uint32_t i = count_; i > started_; --i) take(*items_[i - 1]);
  }
  // Calls `account` for each that has ended since the last time.
  template <class Account>
  void account_ended(const Account& account) noexcept {
    const std::uint32_t ended = ended_.load(std::memory_order_acquire);
    for (; accounted_ < ended; ++accounted_) account(*items_[accounted_]);
  }
  template <class Each>
  void for_each_ended(const Each& each) const noexcept {
    for (std::uint32_t i = 0; i < accounted_; ++i) each(*items_[i]);
  }
  // The started one that has not ended; null when there is none. The rest has been taken back.
  [[nodiscard]] work_item* running() const noexcept {
    const std::uint32_t ended = ended_.load(std::memory_order_acquire);
    return ended < started_ ? items_[ended] : nullptr;
  }
  // The owner's: nobody knows it any more.
  void clear() noexcept {
    count_ = started_ = accounted_ = 0;
    ended_.store(0, std::memory_order_relaxed);
    next_.store(beyond, std::memory_order_relaxed);
  }

  function_record& record;
  bool listed_at_first = false;  // the owner's
  // Guarded by the function's lock.
  event_batch* next_of_function = nullptr;
  // Guarded by the ring's lock.
  event_batch* next_listed = nullptr;
  event_batch* previous_listed = nullptr;
  bool is_listed = false;

 private:
  static constexpr std::uint32_t beyond = 1U << 16U;

  std::array<work_item*, capacity> items_{};
  std::uint32_t count_ = 0;
  std::uint32_t started_ = 0;  // known once the rest was taken back
  std::uint32_t accounted_ = 0;
  alignas(64) std::atomic<std::uint32_t> next_{beyond};
  std::atomic<std::uint32_t> ended_{0};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
