// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/depot.hpp>
#include <dormouse/detail/memory.hpp>
#include <dormouse/detail/platform/sanitizer.hpp>
#include <dormouse/detail/recycler.hpp>

#include <algorithm>
#include <chrono>
#include <limits>
#include <new>
#include <thread>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// ---- blocks ---------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE recycler& recycler::make(std::pmr::memory_resource& memory) {
  return *::new (memory.allocate(sizeof(recycler), alignof(recycler))) recycler(memory);
}

DORMOUSE_INLINE void recycler::release() noexcept {
  trim();
  drop_owner();
}

DORMOUSE_INLINE void recycler::drop_owner() noexcept {
  // acq_rel: the last owner sees what the others did before it frees.
  if (owners_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  std::pmr::memory_resource& memory = memory_;
  this->~recycler();
  memory.deallocate(this, sizeof(recycler), alignof(recycler));
}

DORMOUSE_INLINE std::size_t recycler::class_of(std::size_t bytes, std::size_t alignment) noexcept {
  if (alignment > sizeof(block) || bytes > class_first + class_count * class_step) return class_count;
  const std::size_t whole = bytes + sizeof(block);
  if (whole <= class_first) return 0;
  return std::min((whole - class_first + class_step - 1) / class_step, class_count);
}

DORMOUSE_INLINE void* recycler::take(std::size_t bytes, std::size_t alignment) noexcept {
  const std::size_t size_class = class_of(bytes, alignment);
  if (size_class < class_count) {
    if (block* const kept = take_kept(size_class)) {
      allow_touch(kept + 1, kept->bytes - sizeof(block));
      return kept + 1;
    }
    bytes = class_first + size_class * class_step - sizeof(block);
  }
  const std::size_t offset = std::max(sizeof(block), alignment);
  if (bytes > std::numeric_limits<std::size_t>::max() - offset) return nullptr;
  try {
    auto* const got =
        static_cast<std::byte*>(memory_.allocate(offset + bytes, std::max(block_alignment, alignment))) + offset;
    owners_.fetch_add(1, std::memory_order_relaxed);  // relaxed: the caller stands on one of the owners
    ::new (got - sizeof(block)) block{.home = this,
                                      .next = nullptr,
                                      .bytes = offset + bytes,
                                      .offset = static_cast<std::uint32_t>(offset),
                                      .size_class = static_cast<std::uint32_t>(size_class)};
    return got;
  } catch (...) {
    return nullptr;
  }
}

DORMOUSE_INLINE void recycler::give(void* item) noexcept {
  block& given = *(static_cast<block*>(item) - 1);
  recycler& home = *given.home;
  given.next = nullptr;
  if (given.size_class < class_count) {
    forbid_touch(item, given.bytes - sizeof(block));
    if (home.put(given)) return;
  }
  home.discard(&given);
}

// Back to the resource.
DORMOUSE_INLINE void recycler::discard(block* chain) noexcept {
  while (chain != nullptr) {
    block* const next = chain->next;
    const std::size_t bytes = chain->bytes;
    const std::size_t offset = chain->offset;
    std::byte* const start = reinterpret_cast<std::byte*>(chain + 1) - offset;
    allow_touch(start, bytes);
    memory_.deallocate(start, bytes, std::max(block_alignment, offset));
    chain = next;
    drop_owner();  // at the last block perhaps the end of this object
  }
}

// ---- doors ----------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE bool recycler::try_enter(door& at) noexcept {
  // acquire: what the last one inside did is seen.
  return !at.taken.load(std::memory_order_relaxed) && !at.taken.exchange(true, std::memory_order_acquire);
}

DORMOUSE_INLINE void recycler::leave(door& at) noexcept { at.taken.store(false, std::memory_order_release); }

// Threads begin at different doors, so that each mostly has one to itself. door_count when all are taken.
DORMOUSE_INLINE std::size_t recycler::enter_any() noexcept {
  static std::atomic<std::size_t> threads{0};
  static constinit thread_local std::size_t own = door_count;
  if (own == door_count) [[unlikely]]
    own = threads.fetch_add(1, std::memory_order_relaxed) % door_count;
  for (std::size_t i = 0; i < door_count; ++i) {
    const std::size_t at = (own + i) % door_count;
    if (try_enter(doors_[at])) return at;
  }
  return door_count;
}

// In order, so that two who do it wait for one another and not in a circle. Who is inside a single door waits for
// nothing; a thread that was stopped there gets its time by the pause.
DORMOUSE_INLINE void recycler::enter_all() noexcept {
  constexpr unsigned yields_max = 64;
  for (door& each : doors_) {
    for (unsigned tries = 0; !try_enter(each); ++tries) {
      if (tries < yields_max) {
        std::this_thread::yield();
      } else {
        std::this_thread::sleep_for(std::chrono::microseconds{50});
      }
    }
  }
}

DORMOUSE_INLINE void recycler::leave_all() noexcept {
  for (door& each : doors_) leave(each);
}

// Inside one door, which has nothing: what another has at hand, so that few blocks in flight need few blocks. It may
// enter another door while it is in its own, since it does not wait for it.
DORMOUSE_INLINE void recycler::fetch_from_others(std::size_t at, std::size_t size_class) noexcept {
  shelf& to = doors_[at].shelves[size_class];
  for (std::size_t i = 1; i < door_count && to.first == nullptr; ++i) {
    door& other = doors_[(at + i) % door_count];
    if (!try_enter(other)) continue;
    shelf& from = other.shelves[size_class];
    if (from.first == nullptr && from.spare != nullptr) from = {from.spare, nullptr, chain_length};
    to.first = std::exchange(from.first, nullptr);
    to.count = std::exchange(from.count, 0);
    leave(other);
  }
}

DORMOUSE_INLINE recycler::block* recycler::take_kept(std::size_t size_class) noexcept {
  const std::size_t at = enter_any();
  if (at == door_count) return nullptr;
  shelf& from = doors_[at].shelves[size_class];
  if (from.first == nullptr) {
    from.first = std::exchange(from.spare, nullptr);
    if (from.first == nullptr && depots_[size_class] != nullptr) from.first = depots_[size_class]->get(at);
    from.count = from.first != nullptr ? chain_length : 0;
    if (from.first == nullptr) fetch_from_others(at, size_class);
  }
  block* const got = from.first;
  if (got != nullptr) {
    from.first = got->next;
    --from.count;
  }
  leave(doors_[at]);
  return got;
}

// False when the block is not kept.
DORMOUSE_INLINE bool recycler::put(block& fresh) noexcept {
  const std::size_t at = enter_any();
  if (at == door_count) return false;
  const bool keeping = keeping_.load(std::memory_order_relaxed);
  block* homeless = nullptr;
  if (keeping) {
    shelf& to = doors_[at].shelves[fresh.size_class];
    if (to.count == chain_length) {
      depot* const beyond = depots_[fresh.size_class];
      if (to.spare != nullptr && (beyond == nullptr || !beyond->put(at, *to.spare))) homeless = to.spare;
      to.spare = std::exchange(to.first, nullptr);
      to.count = 0;
    }
    fresh.next = to.first;
    to.first = &fresh;
    ++to.count;
  }
  leave(doors_[at]);
  if (homeless != nullptr) stow(*homeless);
  return keeping;
}

// A chain that its door has no room for.
DORMOUSE_INLINE void recycler::stow(block& chain) noexcept {
  open_depot(chain.size_class);
  bool stowed = false;
  if (const std::size_t at = enter_any(); at != door_count) {
    depot* const to = depots_[chain.size_class];
    stowed = keeping_.load(std::memory_order_relaxed) && to != nullptr && to->put(at, chain);
    leave(doors_[at]);
  }
  if (!stowed) discard(&chain);
}

// ---- depots ---------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE void recycler::open_depot(std::size_t size_class) noexcept {
  {
    const std::size_t at = enter_any();
    if (at == door_count) return;
    const bool open = depots_[size_class] != nullptr;
    leave(doors_[at]);
    if (open) return;
  }
  depot* fresh = nullptr;
  try {
    fresh = new_in<depot>(memory_, memory_);
  } catch (...) {  // then the chain goes back to the resource
    return;
  }
  enter_all();
  if (keeping_.load(std::memory_order_relaxed) && depots_[size_class] == nullptr) {
    std::swap(depots_[size_class], fresh);
  }
  leave_all();
  delete_in(memory_, fresh);
}

// What trim() found, to be given back outside the doors.
struct recycler::leavings {
  std::array<depot*, class_count> depots{};
  std::array<block*, door_count * class_count * 2> chains{};
};

DORMOUSE_INLINE void recycler::trim() noexcept {
  // Cleared already: who did that has all doors to pass still, or has passed them since the caller kept anything.
  if (!keeping_.exchange(false, std::memory_order_relaxed)) return;
  leavings found;
  auto* next = found.chains.data();
  enter_all();
  std::swap(found.depots, depots_);
  for (door& each : doors_) {
    for (shelf& kept : each.shelves) {
      *next++ = kept.first;
      *next++ = kept.spare;
      kept = {};
    }
  }
  leave_all();
  owners_.fetch_add(1, std::memory_order_relaxed);  // discard() may find this object's last block
  for (block* const each : found.chains) discard(each);
  for (depot* const each : found.depots) {
    if (each == nullptr) continue;
    for (std::size_t at = 0; block* const chain = each->get(at);) discard(chain);
    delete_in(memory_, each);
  }
  drop_owner();
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
