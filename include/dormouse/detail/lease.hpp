// SPDX-License-Identifier: MIT
#pragma once

// The right to run in an instance, and where an idle one waits.
//
// A lease is the unit: an instance has one (instance_concurrency 1) or several. Each thread keeps the leases it used
// last in a small table of its own, so that a warm call takes one with a single exchange on a line that only this
// thread writes. A lease in a slot is idle; whoever takes it out of the slot, its thread by exchange or another by
// compare-and-swap, has it alone. Only its own thread puts a lease into a slot.
//
// The edge between "idle in a slot" and "somebody needs it" is one pair of seq_cst accesses on either side:
//   release:  slot = lease            need it:  attention |= bit   (function_record::attention)
//             read attention                    try every slot
// In the one order of all four, either the releaser sees the bit and gives the lease up, or the other finds it.

#include <dormouse/detail/function_record.hpp>

#include <array>
#include <atomic>
#include <cstdint>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class core;
struct lease;

struct lease_slot {
  std::atomic<lease*> idle{nullptr};
  const function_record* function = nullptr;  // of the lease put here last; read and written by the own thread only
};

// The state of one instance: what a cold start makes.
struct instance {
  function_record* record = nullptr;
  const handler_ops* ops = nullptr;
  void* object = nullptr;
  std::uint32_t version = 0;
  std::uint32_t leases = 0;   // existing ones, those being made included; the last one gone ends the instance
  std::uint64_t made_at = 0;  // ticks
  instance* next = nullptr;   // among those with room for another caller, or among the dead
};

// A handler that was replaced or undefined while leases of it exist; the last of them takes its prototype along.
struct retired_version {
  const handler_ops* ops = nullptr;
  void* prototype = nullptr;
  function_record* record = nullptr;
  std::uint32_t version = 0;
  std::size_t leases = 0;  // existing ones, those being made included
  bool counted = false;    // among being_destroyed of its function's activity
  retired_version* next = nullptr;
};

// Instances and handlers that are over, to be destroyed outside every lock, and not on the timekeeper.
struct dead_instances {
  instance* first = nullptr;
  retired_version* versions = nullptr;

  void push(instance& each) noexcept {
    each.next = first;
    first = &each;
  }
  void push(retired_version& each) noexcept {
    each.next = versions;
    versions = &each;
  }
  [[nodiscard]] bool empty() const noexcept { return first == nullptr && versions == nullptr; }
  [[nodiscard]] bool runs_user_code() const noexcept {
    if (versions != nullptr) return true;
    for (const instance* each = first; each != nullptr; each = each->next) {
      if (!each->ops->trivial_destructor) return true;
    }
    return false;
  }
};

// What a caller got: a lease, or the right to make one.
struct grant {
  lease* taken = nullptr;
  instance* joins = nullptr;  // make a lease of this instance; counted there
  bool constructs = false;    // make an instance, too; counted at the function
  bool counted = false;       // by a keep-alive policy
  bool makes = false;         // make a lease, of this handler:
  const handler_ops* ops = nullptr;
  void* prototype = nullptr;
  std::uint32_t version = 0;
  [[nodiscard]] bool is_none() const noexcept { return taken == nullptr && !makes; }
};

enum class lease_place : std::uint8_t {
  loose,   // in use, or on its way; no slot knows it
  homed,   // `home` is the slot it waits in, or comes back to
  shared,  // idle, in the function's own list
};

struct alignas(64) lease {
  // Written when made, read by each call.
  core* owner = nullptr;
  function_record* record = nullptr;
  const handler_ops* ops = nullptr;
  void* object = nullptr;
  std::uint64_t timeout_ticks = 0;
  std::uint32_t generation = 0;
  std::uint32_t version = 0;
  bool keep = true;  // false: destroyed after use (idle_timeout 0, or its invocation overran)

  // Written by who holds the lease, with plain stores; read by anybody for statistics.
  alignas(64) std::atomic<std::uint64_t> last_used{0};  // ticks
  std::atomic<std::uint64_t> invocations{0};
  std::atomic<std::uint64_t> function_failures{0};
  std::atomic<std::uint64_t> timeouts{0};
  std::atomic<std::uint64_t> refusals{0};
  std::atomic<std::uint64_t> began{0};    // ticks, of the present or the last invocation
  std::atomic<std::uint64_t> running{0};  // id of the event it serves; 0 for a call on a caller's thread

  // Guarded by the function's lock.
  instance* state = nullptr;  // null when there is nothing to construct
  lease_slot* home = nullptr;
  lease* next = nullptr;
  lease* previous = nullptr;
  lease_place place = lease_place::loose;
  bool counted = false;    // in use, as a keep-alive policy counts
  bool prewarmed = false;  // made ahead, not used yet

  histogram run{};  // as the counters above

  // Under the function's lock: is a handler in it? A moment's truth.
  [[nodiscard]] bool in_use() const noexcept {
    return place == lease_place::loose || (place == lease_place::homed && home->idle.load() != this);
  }
  void count(std::atomic<std::uint64_t>& counter) noexcept {
    // One writer, so load and store do; relaxed, since a count orders nothing.
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
};

// A doubly linked list of leases through the leases themselves; the front is the one added last.
class lease_list {
 public:
  [[nodiscard]] lease* front() const noexcept { return front_; }
  [[nodiscard]] bool empty() const noexcept { return front_ == nullptr; }
  void push_front(lease& each) noexcept {
    each.previous = nullptr;
    each.next = front_;
    if (front_ != nullptr) front_->previous = &each;
    front_ = &each;
  }
  void remove(lease& each) noexcept {
    (each.previous != nullptr ? each.previous->next : front_) = each.next;
    if (each.next != nullptr) each.next->previous = each.previous;
    each.next = each.previous = nullptr;
  }

 private:
  lease* front_ = nullptr;
};

// The leases this thread used last. Static storage of the thread: no allocation, no construction at first use.
class lease_table {
 public:
  static constexpr std::size_t slot_count = 64;

  // Records are 64 bytes each and lie side by side, so neighbours get different slots.
  [[nodiscard]] lease_slot& slot_of(const function_record& record) noexcept {
    return slots_[(reinterpret_cast<std::uintptr_t>(&record) / sizeof(function_record)) % slot_count];
  }
  // May leases be kept here? Not while the thread ends: nobody would give them back.
  [[nodiscard]] bool usable() const noexcept { return !ended_; }
  // Gives every lease back to its function; nothing is kept here from now on.
  void end() noexcept;

 private:
  std::array<lease_slot, slot_count> slots_{};
  bool ended_ = false;
};

inline constinit thread_local lease_table this_thread_leases;

// Takes the lease of `record` that this thread used last, or null.
[[nodiscard]] inline lease* take_own(lease_slot& slot, const function_record& record) noexcept {
  if (slot.function != &record) return nullptr;
  // acquire: what the last holder, perhaps another thread, did in the instance is seen here.
  return slot.idle.exchange(nullptr, std::memory_order_acquire);
}

// Takes `wanted` out of the slot it is homed in. False when it is not there, that is, in use.
[[nodiscard]] inline bool take_over(lease& wanted) noexcept {
  lease* expected = &wanted;
  return wanted.home->idle.compare_exchange_strong(expected, nullptr, std::memory_order_seq_cst);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
