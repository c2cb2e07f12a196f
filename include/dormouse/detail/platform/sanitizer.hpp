// SPDX-License-Identifier: MIT
#pragma once

// What the sanitizers must be told about memory that is given out again and again. Nothing in other builds.

#include <dormouse/detail/config.hpp>

#include <cstddef>

#if defined(DORMOUSE_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#endif
#if defined(DORMOUSE_THREAD_SANITIZER)
#include <sanitizer/tsan_interface.h>
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

// What this thread did to `what` so far is seen by who says received() of it. For a queue that ThreadSanitizer does
// not see into.
inline void handing_over([[maybe_unused]] void* what) noexcept {
#if defined(DORMOUSE_THREAD_SANITIZER)
  __tsan_release(what);
#endif
}
inline void received([[maybe_unused]] void* what) noexcept {
#if defined(DORMOUSE_THREAD_SANITIZER)
  __tsan_acquire(what);
#endif
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
