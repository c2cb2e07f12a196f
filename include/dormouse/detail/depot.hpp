// SPDX-License-Identifier: MIT
#pragma once

// Chains of blocks on their way from door to door of a recycler: moodycamel's queue, in the memory of a resource. Only
// bodies include this: the header of that queue is no part of the compiled flavour's interface.

#include <dormouse/detail/memory.hpp>
#include <dormouse/detail/platform/sanitizer.hpp>
#include <dormouse/detail/recycler.hpp>

#include <concurrentqueue.h>

#include <array>
#include <cstddef>
#include <memory_resource>
#include <new>
#include <optional>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// The queue asks static functions for memory: this says whose, while one is being made.
struct depot_memory {
  std::pmr::memory_resource* from = nullptr;
  bool failed = false;
};
inline constinit thread_local depot_memory this_thread_depot_memory;

struct depot_traits : moodycamel::ConcurrentQueueDefaultTraits {
  static constexpr std::size_t BLOCK_SIZE = 16;
  static constexpr std::size_t MAX_SUBQUEUE_SIZE = 64;                   // of one door
  static constexpr std::size_t INITIAL_IMPLICIT_PRODUCER_HASH_SIZE = 0;  // tokens only: no thread is known to the queue

  struct alignas(std::max_align_t) prefix {
    std::pmr::memory_resource* from;
    std::size_t bytes;
  };
  static void* malloc(std::size_t bytes) noexcept {
    depot_memory& memory = this_thread_depot_memory;
    if (memory.from == nullptr) return nullptr;
    try {
      bytes += sizeof(prefix);
      void* const got = memory.from->allocate(bytes, alignof(prefix));
      return ::new (got) prefix{memory.from, bytes} + 1;
    } catch (...) {
      memory.failed = true;
      return nullptr;
    }
  }
  static void free(void* given) noexcept {
    if (given == nullptr) return;
    prefix* const got = static_cast<prefix*>(given) - 1;
    got->from->deallocate(got, got->bytes, alignof(prefix));
  }
};

// Bounded. Each operation is done inside a door, and with that door's tokens. The queue fills a place again after a
// fence has told that it is empty: without what ThreadSanitizer is told here, it reports that.
class depot {
 public:
  // Gets all the memory it will ever need. May throw bad_alloc.
  explicit depot(std::pmr::memory_resource& memory)
      : making_(memory), queue_(depot_traits::MAX_SUBQUEUE_SIZE, recycler::door_count, 0) {
    for (tokens& each : tokens_) {
      each.in.emplace(queue_);
      each.out.emplace(queue_);
    }
    const bool failed = std::exchange(this_thread_depot_memory, {}).failed;
    if (failed) throw std::bad_alloc{};
  }
  depot(const depot&) = delete;
  depot& operator=(const depot&) = delete;
  ~depot() = default;

  // False when there is no room.
  [[nodiscard]] bool put(std::size_t door, recycler::block& chain) noexcept {
    const only_atomics_checked in_queue;
    return queue_.try_enqueue(*tokens_[door].in, &chain);
  }
  [[nodiscard]] recycler::block* get(std::size_t door) noexcept {
    recycler::block* chain = nullptr;
    const only_atomics_checked in_queue;
    return queue_.try_dequeue(*tokens_[door].out, chain) ? chain : nullptr;
  }

 private:
  using queue = moodycamel::ConcurrentQueue<recycler::block*, depot_traits>;
  struct making {
    explicit making(std::pmr::memory_resource& memory) noexcept { this_thread_depot_memory = {&memory, false}; }
  };
  struct tokens {
    std::optional<moodycamel::ProducerToken> in{};
    std::optional<moodycamel::ConsumerToken> out{};
  };

  [[no_unique_address]] making making_;  // before the queue
  queue queue_;
  std::array<tokens, recycler::door_count> tokens_{};  // after the queue: they go first
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
