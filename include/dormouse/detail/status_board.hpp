// SPDX-License-Identifier: MIT
#pragma once

// Where posted events stand, for who asks by id: every event that is not terminal, and the last ones that are.
// Off unless runtime_options::status_count_max asks for it; then each step of an event takes this lock.

#include <dormouse/functions/invocation_status.hpp>

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class status_board {
 public:
  explicit status_board(std::size_t count_max) : count_max_(count_max) {}

  // Without memory for it the event is unknown here; the event itself is not touched.
  void set(std::uint64_t id, invocation_state state, unsigned attempts, std::optional<errc> error = {}) noexcept {
    if (count_max_ == 0) return;
    try {
      const std::lock_guard lock(mutex_);
      invocation_status& known = known_[id];
      known.state = state;
      known.attempts = attempts;
      if (error) known.last_error = error;
      if (is_terminal(state)) retire(id);
    } catch (...) {}
  }

  [[nodiscard]] std::optional<invocation_status> get(std::uint64_t id) const {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(id);
    if (found == known_.end()) return std::nullopt;
    return found->second;
  }

 private:
  // A dead letter may come back: it is known as long as any, and counts as terminal.
  static bool is_terminal(invocation_state state) noexcept {
    return state == invocation_state::succeeded || state == invocation_state::failed ||
           state == invocation_state::dead || state == invocation_state::cancelled;
  }
  void retire(std::uint64_t id) {
    ended_.push_back(id);
    while (ended_.size() > count_max_) {
      const auto oldest = known_.find(ended_.front());
      if (oldest != known_.end() && is_terminal(oldest->second.state)) known_.erase(oldest);
      ended_.pop_front();
    }
  }

  const std::size_t count_max_;
  mutable std::mutex mutex_{};
  std::unordered_map<std::uint64_t, invocation_status> known_{};
  std::deque<std::uint64_t> ended_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
