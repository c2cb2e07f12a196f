// SPDX-License-Identifier: MIT
#pragma once

// The changes of a memory_table, numbered without gaps; the oldest leave when there are too many, they are too old or
// take too much room.

#include <dormouse/clock.hpp>
#include <dormouse/services/table_types.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

struct memory_log_limits {
  std::size_t changes = 0;
  std::size_t bytes = 0;
  clock::time_point oldest{};
};

class memory_log {
 public:
  [[nodiscard]] std::uint64_t last() const noexcept { return last_; }
  // The number of the newest change that is kept no more.
  [[nodiscard]] std::uint64_t dropped() const noexcept { return last_ - kept_.size(); }
  [[nodiscard]] bool empty() const noexcept { return kept_.empty(); }
  // Precondition: dropped() < number <= last().
  [[nodiscard]] const table_change& at(std::uint64_t number) const {
    return kept_[static_cast<std::size_t>(number - dropped() - 1)].change;
  }

  void push(table_change&& change, std::size_t bytes, clock::time_point now) {
    change.sequence = last_ + 1;
    kept_.push_back({std::move(change), bytes, now});
    ++last_;
    bytes_ += bytes;
  }
  void take_back(std::size_t count) noexcept {
    for (; count > 0; --count) {
      bytes_ -= kept_.back().bytes;
      kept_.pop_back();
      --last_;
    }
  }
  void trim(const memory_log_limits& limits) noexcept {
    while (!kept_.empty() &&
           (kept_.size() > limits.changes || bytes_ > limits.bytes || kept_.front().at < limits.oldest)) {
      bytes_ -= kept_.front().bytes;
      kept_.pop_front();
    }
  }

 private:
  struct kept {
    table_change change{};
    std::size_t bytes = 0;
    clock::time_point at{};
  };
  std::deque<kept> kept_{};
  std::uint64_t last_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
