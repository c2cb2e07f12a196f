// SPDX-License-Identifier: MIT
#pragma once

// Which calls with a token a memory_table has done, and what it has answered.

#include <dormouse/clock.hpp>
#include <dormouse/services/table_types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

struct memory_answer {
  std::uint64_t fingerprint = 0;  // of the call
  stored_item now{};
  bool existed = false;
  std::vector<table_version> versions{};  // of a transaction
  std::size_t bytes = 0;
  clock::time_point until{};
};

class memory_tokens {
 public:
  static constexpr std::size_t count_max = 100'000;
  static constexpr std::chrono::minutes age_max{10};

  [[nodiscard]] bool empty() const noexcept { return answers_.empty(); }
  [[nodiscard]] bool full() const noexcept { return answers_.size() >= count_max; }
  [[nodiscard]] clock::time_point oldest_until() const { return oldest_first_.front()->second.until; }

  [[nodiscard]] const memory_answer* find(std::string_view token) const {
    const auto found = answers_.find(std::string(token));
    return found == answers_.end() ? nullptr : &found->second;
  }
  // Precondition: it is not there.
  void add(std::string_view token, memory_answer&& answer) {
    const auto added = answers_.emplace(std::string(token), std::move(answer)).first;
    try {
      oldest_first_.push_back(&*added);
    } catch (...) {
      answers_.erase(added);
      throw;
    }
  }
  // The bytes of those that have ended.
  std::size_t forget(clock::time_point now) noexcept {
    std::size_t bytes = 0;
    for (; !oldest_first_.empty() && oldest_first_.front()->second.until <= now; oldest_first_.pop_front()) {
      bytes += oldest_first_.front()->second.bytes;
      answers_.erase(answers_.find(oldest_first_.front()->first));
    }
    return bytes;
  }

 private:
  using answers_by_token = std::unordered_map<std::string, memory_answer>;
  answers_by_token answers_{};
  std::deque<const answers_by_token::value_type*> oldest_first_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
