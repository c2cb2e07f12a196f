// SPDX-License-Identifier: MIT
#pragma once

// A message of a memory_queue, and its places in the orders that the queue keeps. All memory that it ever needs there
// is had when it is made: afterwards nothing that happens to it can fail.

#include <dormouse/clock.hpp>
#include <dormouse/services/queue_types.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

struct memory_message;

struct queue_rank {
  clock::time_point when{};
  std::uint64_t number = 0;
  memory_message* message = nullptr;
  friend bool operator<(const queue_rank& a, const queue_rank& b) noexcept {
    return a.when != b.when ? a.when < b.when : a.number < b.number;
  }
};
using queue_order = std::set<queue_rank>;

// A place in one of several orders, or in none for now: then its node is kept here.
class queue_place {
 public:
  queue_place() {
    queue_order one;
    spare_ = one.extract(one.emplace().first);
  }
  queue_place(const queue_place&) = delete;
  queue_place& operator=(const queue_place&) = delete;
  ~queue_place() { leave(); }

  void enter(queue_order& order, const queue_rank& rank) noexcept {
    leave();
    spare_.value() = rank;
    at_ = order.insert(std::move(spare_)).position;
    order_ = &order;
  }
  void leave() noexcept {
    if (order_ != nullptr) spare_ = order_->extract(at_);
    order_ = nullptr;
  }
  [[nodiscard]] bool is_in(const queue_order& order) const noexcept { return order_ == &order; }
  // Precondition: it is in one.
  [[nodiscard]] clock::time_point when() const noexcept { return at_->when; }

 private:
  queue_order* order_ = nullptr;
  queue_order::iterator at_{};
  queue_order::node_type spare_{};
};

// The messages of a group that are not dead, in the order they were sent: each knows its neighbours.
struct memory_group {
  memory_message* first = nullptr;
  memory_message* last = nullptr;
};
using memory_group_map = std::map<std::string, memory_group, std::less<>>;

struct memory_message {
  std::uint64_t number = 0;    // its id: that of its first send
  std::uint64_t sequence = 0;  // of its last
  queue_message what{};
  std::size_t bytes = 0;
  unsigned deliveries = 0;
  std::uint64_t delivery = 0;  // the number of the last of them; 0: none yet
  clock::time_point sent{};
  clock::time_point due{};  // when it may be visible, if none is before it
  calendar_time sent_at{};
  calendar_time first_received_at{};
  calendar_time died_at{};
  dead_letter_reason reason = dead_letter_reason::deliveries;
  std::string error{};
  bool too_old = false;  // and not dead only because there is no room for more of them

  memory_group_map::value_type* group = nullptr;
  memory_message* before = nullptr;
  memory_message* behind = nullptr;

  queue_place line{};  // where it waits for what is next; none: behind another one, or dead
  queue_place age{};   // by sequence; of a dead one by its death

  [[nodiscard]] bool is_first() const noexcept { return before == nullptr; }
};
using memory_message_map = std::map<std::uint64_t, memory_message>;
using memory_message_node = memory_message_map::node_type;

inline memory_message_node make_memory_message(queue_message&& what) {
  memory_message_map one;
  memory_message& made = one.try_emplace(0).first->second;
  made.what = std::move(what);
  made.bytes = made.what.data.size();
  for (const auto& [name, value] : made.what.attributes) made.bytes += name.size() + value.size();
  return one.extract(one.begin());
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
