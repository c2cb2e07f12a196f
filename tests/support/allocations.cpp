// SPDX-License-Identifier: MIT

#include "support/allocations.hpp"

#include <dormouse/detail/config.hpp>

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

#if defined(DORMOUSE_ADDRESS_SANITIZER) || defined(DORMOUSE_THREAD_SANITIZER)

// A sanitizer brings its own operator new, and a program can have but one.
namespace support {
bool counts_allocations() noexcept { return false; }
std::size_t allocations_of_this_thread() noexcept { return 0; }
std::size_t allocations_of_all_threads() noexcept { return 0; }
std::size_t bytes_allocated() noexcept { return 0; }
}  // namespace support

#else

namespace {
thread_local std::size_t allocations = 0;
std::atomic<std::size_t> all_allocations{0};
std::atomic<std::size_t> bytes{0};

void* counted(std::size_t size, std::size_t alignment) {
  ++allocations;
  ++all_allocations;
  void* memory = alignment == 0 ? std::malloc(size)
                                : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc{};
  bytes += malloc_usable_size(memory);
  return memory;
}
void uncounted(void* memory) noexcept {
  if (memory == nullptr) return;
  bytes -= malloc_usable_size(memory);
  std::free(memory);
}
}  // namespace

void* operator new(std::size_t size) { return counted(size, 0); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { uncounted(memory); }
void operator delete(void* memory, std::size_t) noexcept { uncounted(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { uncounted(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { uncounted(memory); }

namespace support {
bool counts_allocations() noexcept { return true; }
std::size_t allocations_of_this_thread() noexcept { return allocations; }
std::size_t allocations_of_all_threads() noexcept { return all_allocations; }
std::size_t bytes_allocated() noexcept { return bytes; }
}  // namespace support

#endif
