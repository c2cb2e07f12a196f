// SPDX-License-Identifier: MIT
#pragma once

// What a function has while it has anything: instances, queued events, waiting callers. Made with the first of them,
// deleted with the last. Guarded by the function's lock.

#include <dormouse/detail/lease.hpp>
#include <dormouse/detail/platform/gate.hpp>
#include <dormouse/detail/retry_budget.hpp>
#include <dormouse/detail/work_item.hpp>

#include <cstdint>
#include <optional>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// A synchronous caller that waits for an instance; lives on that caller's stack.
struct waiting_caller {
  gate ready{};
  bool answered = false;       // guarded by the function's lock, as `got`
  std::optional<grant> got{};  // empty when answered: the runtime is closed
  waiting_caller* next = nullptr;
};

template <class T>
struct fifo {
  T* first = nullptr;
  T* last = nullptr;
  [[nodiscard]] bool empty() const noexcept { return first == nullptr; }
  void push(T& each) noexcept {
    each.next = nullptr;
    (last != nullptr ? last->next : first) = &each;
    last = &each;
  }
  T* pop() noexcept {
    T* const taken = first;
    if (taken == nullptr) return nullptr;
    first = taken->next;
    if (first == nullptr) last = nullptr;
    return taken;
  }
  // Linear; false when it is not in the list.
  bool remove(T& each) noexcept {
    T* before = nullptr;
    for (T* at = first; at != nullptr; before = at, at = at->next) {
      if (at != &each) continue;
      (before != nullptr ? before->next : first) = each.next;
      if (last == &each) last = before;
      return true;
    }
    return false;
  }
};

struct function_activity {
  explicit function_activity(function_record& function) noexcept : record(&function) {}

  function_record* record;
  lease_list shared{};
  lease_list homed{};
  lease_list loose{};
  std::size_t leases = 0;     // existing ones, those being made included
  std::size_t instances = 0;  // with state, those being made included
  instance* open = nullptr;   // instances that may be entered by more callers (instance_concurrency above 1)
  fifo<waiting_caller> callers{};
  std::size_t callers_waiting = 0;

  item_list queue{};    // accepted, not started
  item_list running{};  // taken from the queue
  item_list waiting{};  // for their next attempt or their destination
  retry_budget budget{};
  std::uint64_t accepted = 0;  // accepted, not terminal
  std::uint64_t accepted_bytes = 0;
  function_activity* next_ready = nullptr;  // in the ring of functions with work
  bool in_ring = false;

  bool reaper_armed = false;

  [[nodiscard]] bool at_rest() const noexcept {
    return leases == 0 && callers.empty() && queue.empty() && accepted == 0 && !in_ring && !reaper_armed;
  }
  lease_list& list_of(lease_place place) noexcept {
    return place == lease_place::shared ? shared : place == lease_place::homed ? homed : loose;
  }
  void move_to(lease& each, lease_place place) noexcept {
    list_of(each.place).remove(each);
    each.place = place;
    list_of(place).push_front(each);
  }
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
