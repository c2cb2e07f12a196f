// SPDX-License-Identifier: MIT
#pragma once

// The groups of a memory_queue that have messages.

#include <dormouse/detail/memory_queue_message.hpp>

#include <string>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class memory_groups {
 public:
  using entry = memory_group_map::value_type;

  [[nodiscard]] bool empty() const noexcept { return groups_.empty(); }
  // The group of this name, made if there is none; null for no name. One that was made and gets no message is to be
  // dropped.
  entry* of(std::string_view name) {
    if (name.empty()) return nullptr;
    const auto found = groups_.find(name);
    return found != groups_.end() ? &*found : &*groups_.try_emplace(std::string(name)).first;
  }
  void drop_if_empty(entry* which) noexcept {
    if (which != nullptr && which->second.first == nullptr) groups_.erase(groups_.find(which->first));
  }
  void append(memory_message& one, entry* to) noexcept {
    one.group = to;
    if (to == nullptr) return;
    one.before = to->second.last;
    (one.before != nullptr ? one.before->behind : to->second.first) = &one;
    to->second.last = &one;
  }
  // Who is the first one now, if it was; else null.
  memory_message* remove(memory_message& one) noexcept {
    if (one.group == nullptr) return nullptr;
    entry* const from = one.group;
    memory_message* const next = one.is_first() ? one.behind : nullptr;
    (one.before != nullptr ? one.before->behind : from->second.first) = one.behind;
    (one.behind != nullptr ? one.behind->before : from->second.last) = one.before;
    one.group = nullptr;
    one.before = one.behind = nullptr;
    drop_if_empty(from);
    return next;
  }

 private:
  memory_group_map groups_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
