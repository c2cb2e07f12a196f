// SPDX-License-Identifier: MIT
#pragma once

// What AddressSanitizer must be told about memory that is given out again and again. Nothing in other builds.

#include <dormouse/detail/config.hpp>

#include <cstddef>

#if defined(DORMOUSE_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#endif

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// Nobody may touch the bytes until allow_touch(): a use after the end is reported although the memory is kept.
inline void forbid_touch([[maybe_unused]] void* from, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(DORMOUSE_ADDRESS_SANITIZER)
  ASAN_POISON_MEMORY_REGION(from, bytes);
#endif
}
inline void allow_touch([[maybe_unused]] void* from, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(DORMOUSE_ADDRESS_SANITIZER)
  ASAN_UNPOISON_MEMORY_REGION(from, bytes);
#endif
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
