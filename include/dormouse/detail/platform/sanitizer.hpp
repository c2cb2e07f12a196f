// SPDX-License-Identifier: MIT
#pragma once

// What the sanitizers cannot see by themselves. Nothing in other builds.

#include <dormouse/detail/config.hpp>

#include <cstddef>

#if defined(DORMOUSE_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#endif
#if defined(DORMOUSE_THREAD_SANITIZER)
// In the sanitizer's library, but in no header of it.
extern "C" void AnnotateIgnoreReadsBegin(const char* file, int line);
extern "C" void AnnotateIgnoreReadsEnd(const char* file, int line);
extern "C" void AnnotateIgnoreWritesBegin(const char* file, int line);
extern "C" void AnnotateIgnoreWritesEnd(const char* file, int line);
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

// While one lives ThreadSanitizer looks at this thread's atomic operations only: for code that relies on fences, which
// it does not know.
class only_atomics_checked {
 public:
#if defined(DORMOUSE_THREAD_SANITIZER)
  only_atomics_checked() noexcept {
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  }
  ~only_atomics_checked() {
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
  }
#else
  only_atomics_checked() noexcept {}  // written out: an unused one is no warning
  ~only_atomics_checked() {}
#endif
  only_atomics_checked(const only_atomics_checked&) = delete;
  only_atomics_checked& operator=(const only_atomics_checked&) = delete;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
