// SPDX-License-Identifier: MIT
#pragma once

// Which messages with a dedup_id a memory_queue has stored of late, and what their senders were told.

#include <dormouse/clock.hpp>
#include <dormouse/services/queue_types.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class memory_dedup_ids {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return ids_.size(); }
  [[nodiscard]] clock::time_point oldest_until() const { return oldest_first_.front()->second.until; }

  [[nodiscard]] const sent_message* find(std::string_view id) const {
    const auto found = ids_.find(id);
    return found == ids_.end() ? nullptr : &found->second.told;
  }
  // Precondition: it is not there. If this throws, it still is not.
  void add(std::string_view id, const sent_message& told, clock::time_point until) {
    const auto added = ids_.emplace(std::string(id), remembered{told, until}).first;
    try {
      oldest_first_.push_back(&*added);
    } catch (...) {
      ids_.erase(added);
      throw;
    }
  }
  // Up to `count` of those whose time has passed. Are there more?
  bool forget(clock::time_point now, std::size_t count) noexcept {
    for (; !oldest_first_.empty() && oldest_until() <= now; --count) {
      if (count == 0) return true;
      ids_.erase(ids_.find(oldest_first_.front()->first));
      oldest_first_.pop_front();
    }
    return false;
  }

 private:
  struct remembered {
    sent_message told{};
    clock::time_point until{};
  };
  using by_id = std::map<std::string, remembered, std::less<>>;
  by_id ids_{};
  std::deque<const by_id::value_type*> oldest_first_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
