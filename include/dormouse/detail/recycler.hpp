// SPDX-License-Identifier: MIT
#pragma once

// The memory of accepted events, used again: submitters take blocks, workers give them back. While workers live, what
// was given back is kept, up to a bound; when a worker ends, all that is kept goes back to the memory resource.
//
// Doors: blocks are kept behind a few doors. One thread at a time is inside a door, and nobody waits for one: who finds
// each door taken uses the resource. Only trim() waits, for every door, and so has all that is kept to itself; that is
// how the depots, lock-free queues that never shrink, are destroyed while submitters come and go.
//
// Zero: a block is kept only while `keeping_` is set. A worker sets it before it runs its first event, and ends with
// trim(), which clears it and then passes every door. Who reads it set, inside a door, reads what some worker wrote
// that has not passed that door yet: nothing stays behind when the last worker is gone. A submitter that comes beside
// an ending worker just gets a block of the resource's.
//
// Life: a recycler is owned by its core and by every block there is, so an item may outlive the core. That count
// changes only as blocks are got from the resource and given back to it.

#include <dormouse/detail/config.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class depot;

class recycler {
 public:
  // Blocks of 512, 640 .. 1,024 bytes: a typed call with a small argument fits the first, an event by name the third.
  // What is larger, or aligned more strictly, comes from the resource each time.
  static constexpr std::size_t class_count = 5;
  static constexpr std::size_t class_first = 512;
  static constexpr std::size_t class_step = 128;
  static constexpr std::size_t door_count = 8;
  static constexpr std::uint32_t chain_length = 16;  // blocks that go to a depot, and come from it, together

  // May throw bad_alloc.
  static recycler& make(std::pmr::memory_resource& memory);
  recycler(const recycler&) = delete;
  recycler& operator=(const recycler&) = delete;
  // The core lets go of it; the last block may come later.
  void release() noexcept;

  // Memory for one item; null when there is none.
  [[nodiscard]] void* take(std::size_t bytes, std::size_t alignment) noexcept;
  // Any thread, any time, the core may be gone.
  static void give(void* item) noexcept;

  // The caller runs events, and will call trim() when it ends.
  void keep() noexcept {
    // relaxed: see above; the doors order it.
    if (!keeping_.load(std::memory_order_relaxed)) keeping_.store(true, std::memory_order_relaxed);
  }
  // Gives everything that is kept back to the resource.
  void trim() noexcept;
  // Blocks that exist, kept ones included.
  [[nodiscard]] std::size_t blocks() const noexcept { return owners_.load(std::memory_order_relaxed) - 1; }

  // Stands before each item.
  struct block {
    recycler* home;
    block* next;  // among those that are kept
    std::size_t bytes;
    std::uint32_t offset;      // of the item in what the resource gave
    std::uint32_t size_class;  // class_count: none
  };
  struct releaser {
    void operator()(recycler* each) const noexcept { each->release(); }
  };

 private:
  friend class depot;
  static constexpr std::size_t block_alignment = 64;
  struct shelf {
    block* first = nullptr;
    block* spare = nullptr;   // a whole chain, or none
    std::uint32_t count = 0;  // of those at `first`
  };
  struct alignas(64) door {
    std::atomic<bool> taken{false};
    std::array<shelf, class_count> shelves{};
  };
  struct leavings;

  explicit recycler(std::pmr::memory_resource& memory) noexcept : memory_(memory) {}
  ~recycler() = default;
  [[nodiscard]] static std::size_t class_of(std::size_t bytes, std::size_t alignment) noexcept;
  [[nodiscard]] static bool try_enter(door& at) noexcept;
  static void leave(door& at) noexcept;
  [[nodiscard]] std::size_t enter_any() noexcept;
  void enter_all() noexcept;
  void leave_all() noexcept;
  void fetch_from_others(std::size_t at, std::size_t size_class) noexcept;
  [[nodiscard]] block* take_kept(std::size_t size_class) noexcept;
  [[nodiscard]] bool put(block& fresh) noexcept;
  void stow(block& chain) noexcept;
  void open_depot(std::size_t size_class) noexcept;
  void discard(block* chain) noexcept;
  void drop_owner() noexcept;

  std::pmr::memory_resource& memory_;
  std::atomic<std::size_t> owners_{1};
  std::atomic<bool> keeping_{false};
  std::array<depot*, class_count> depots_{};  // read inside a door, changed inside all of them
  std::array<door, door_count> doors_{};
};

using recycler_owner = std::unique_ptr<recycler, recycler::releaser>;

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
