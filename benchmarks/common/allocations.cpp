// SPDX-License-Identifier: MIT
// Stands before the C library's allocator and counts. Each thread counts for itself: no line is shared.

#include "common/allocations.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>

extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* old, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
}

namespace {

struct alignas(64) counter {
  std::atomic<std::uint64_t> calls{0};
};
// Threads share these by turns when there are many.
std::array<counter, 64> counters;
std::atomic<std::size_t> threads{0};
constinit thread_local counter* mine = nullptr;

void count() noexcept {
  if (mine == nullptr) mine = &counters[threads.fetch_add(1, std::memory_order_relaxed) % counters.size()];
  mine->calls.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

std::uint64_t bench::allocations() noexcept {
  std::uint64_t total = 0;
  for (const auto& each : counters) total += each.calls.load(std::memory_order_relaxed);
  return total;
}

extern "C" {
void* malloc(std::size_t bytes) {
  count();
  return __libc_malloc(bytes);
}
void* calloc(std::size_t number, std::size_t bytes) {
  count();
  return __libc_calloc(number, bytes);
}
void* realloc(void* old, std::size_t bytes) {
  count();
  return __libc_realloc(old, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  count();
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** to, std::size_t alignment, std::size_t bytes) {
  count();
  *to = __libc_memalign(alignment, bytes);
  return *to == nullptr ? ENOMEM : 0;
}
}
