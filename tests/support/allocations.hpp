// SPDX-License-Identifier: MIT
#pragma once

// Counts calls of operator new, for tests that say "allocates nothing". The replacement is in allocations.cpp.

#include <cstddef>

namespace support {

// False in sanitizer builds; then the counts are 0.
[[nodiscard]] bool counts_allocations() noexcept;
[[nodiscard]] std::size_t allocations_of_this_thread() noexcept;
[[nodiscard]] std::size_t allocations_of_all_threads() noexcept;
// Bytes that are allocated now, by all threads.
[[nodiscard]] std::size_t bytes_allocated() noexcept;

template <class F>
std::size_t allocations_during(F&& work) {
  const std::size_t before = allocations_of_this_thread();
  work();
  return allocations_of_this_thread() - before;
}

}  // namespace support
