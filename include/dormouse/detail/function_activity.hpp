// SPDX-License-Identifier: MIT
#pragma once

// What a function has while it has anything: instances, queued events, waiting callers. Made with the first of them,
// deleted with the last. Guarded by the function's lock.

#include <dormouse/detail/event_batch.hpp>
#include <dormouse/detail/item_list.hpp>
#include <dormouse/detail/lease.hpp>
#include <dormouse/detail/platform/gate.hpp>
#include <dormouse/detail/retry_budget.hpp>
#include <dormouse/detail/work_item.hpp>

#include <array>
#include <atomic>
#include <cstddef>
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

// Where the last events that were queued lie: a worker asks for their memory before it walks through the queue, which
// would else wait for one after the other. Only addresses: what was here may be gone.
class recent_items {
 public:
  // Under the function's lock.
  void add(const work_item& item) noexcept {
    // relaxed: a hint.
    places_[count_++ % places_.size()].store(reinterpret_cast<std::uintptr_t>(&item), std::memory_order_relaxed);
  }
  // Under no lock.
  void prefetch() const noexcept {
    for (const auto& each : places_) {
      const std::uintptr_t place = each.load(std::memory_order_relaxed);
      if (place == 0) break;
      for (std::uintptr_t line = 0; line < lines; ++line) {
        __builtin_prefetch(reinterpret_cast<const void*>(place + line * 64));
      }
    }
  }

 private:
  static constexpr std::uintptr_t lines = 3;  // of 64 bytes, that an event which succeeds uses
  std::array<std::atomic<std::uintptr_t>, 32> places_{};
  std::uint32_t count_ = 0;
};

enum class start_obstacle : std::uint8_t {
  none,
  function_full,  // instances_max of the function
  runtime_full,   // instances_max of the runtime
  spaced,         // inits have failed in a row
};

struct alignas(64) function_activity {
  explicit function_activity(function_record& function) noexcept : record(&function) {}

  // In one line what a submitter touches:
  function_record* record;
  item_list queue{};           // accepted, not started
  std::uint64_t accepted = 0;  // accepted, not terminal
  std::uint64_t accepted_bytes = 0;
  std::uint64_t next_id = 0;  // of an event
  std::uint16_t ids_left = 0;
  bool in_ring = false;
  // Handlers that were replaced have leases and instances among those below, too.
  std::uint32_t version = 0;

  lease_list shared{};
  lease_list homed{};
  lease_list loose{};
  std::size_t leases = 0;     // existing ones, those being made included
  std::size_t instances = 0;  // with state, those being made and those being destroyed included
  std::size_t dying = 0;      // of the present version, to be destroyed or just being destroyed
  instance* open = nullptr;   // instances that may be entered by more callers (instance_concurrency above 1)
  fifo<waiting_caller> callers{};
  std::size_t callers_waiting = 0;

  recent_items recent{};
  event_batch* batches = nullptr;  // that workers have taken from the queue
  item_list running{};             // taken from the queue one by one
  item_list waiting{};             // for their next attempt or their destination
  retry_budget budget{};
  function_activity* next_ready = nullptr;  // in the ring of functions with work

  bool reaper_armed = false;
  bool start_armed = false;  // a timer for when an instance may be started again

  retired_version* retired = nullptr;
  std::size_t stale_leases = 0;
  std::size_t stale_instances = 0;
  std::size_t being_destroyed = 0;  // handlers whose last lease is gone

  // The runtime's instances_max left no room for a start: in the list of functions that wait for it.
  bool starved = false;
  function_activity* next_starved = nullptr;
  start_obstacle obstacle = start_obstacle::none;  // why the last start was not allowed

  [[nodiscard]] std::size_t fresh_leases() const noexcept { return leases - stale_leases; }
  [[nodiscard]] std::size_t fresh_instances() const noexcept { return instances - stale_instances; }
  // Those that can serve, now or once they are made.
  [[nodiscard]] std::size_t living_instances() const noexcept { return fresh_instances() - dying; }
  [[nodiscard]] bool at_rest() const noexcept {
    return leases == 0 && instances == 0 && callers.empty() && queue.empty() && accepted == 0 && !in_ring &&
           !reaper_armed && !start_armed && being_destroyed == 0 && !starved;
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
