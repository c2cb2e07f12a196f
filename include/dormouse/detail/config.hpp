// SPDX-License-Identifier: MIT
#pragma once

// The switches that change layout or protocol, and the inline namespace made from them: two flavours of the library in
// one program never share a name, so they never break the one-definition rule.
//
//   DORMOUSE_HEADER_ONLY        set by dormouse::header_only: bodies are inline
//   DORMOUSE_PORTABLE_PLATFORM  set by the CMake option of that name: no futex, no cycle counter, no inotify

#include <cassert>

#define DORMOUSE_VERSION_MAJOR 0
#define DORMOUSE_VERSION_MINOR 1
#define DORMOUSE_VERSION_PATCH 0

#if defined(__SANITIZE_THREAD__)
#define DORMOUSE_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define DORMOUSE_THREAD_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define DORMOUSE_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DORMOUSE_ADDRESS_SANITIZER 1
#endif
#endif

// ThreadSanitizer sees neither a raw futex nor inline assembly, so it always gets the portable platform.
#if defined(DORMOUSE_PORTABLE_PLATFORM) || defined(DORMOUSE_THREAD_SANITIZER) || !defined(__linux__)
#define DORMOUSE_PLATFORM_LINUX 0
#else
#define DORMOUSE_PLATFORM_LINUX 1
#endif

#if defined(DORMOUSE_HEADER_ONLY)
#define DORMOUSE_INLINE inline
#else
#define DORMOUSE_INLINE
#endif

// For the few functions of the warm path, where the compiler's own judgement was measured to be wrong.
#if defined(__GNUC__)
#define DORMOUSE_ALWAYS_INLINE [[gnu::always_inline]] inline
#else
#define DORMOUSE_ALWAYS_INLINE inline
#endif

#if defined(DORMOUSE_HEADER_ONLY)
#define DORMOUSE_FLAVOUR_FORM header_only
#else
#define DORMOUSE_FLAVOUR_FORM compiled
#endif
#if defined(DORMOUSE_THREAD_SANITIZER)
#define DORMOUSE_FLAVOUR_BASE portable_tsan
#elif DORMOUSE_PLATFORM_LINUX && defined(DORMOUSE_ADDRESS_SANITIZER)
#define DORMOUSE_FLAVOUR_BASE linux_asan
#elif defined(DORMOUSE_ADDRESS_SANITIZER)
#define DORMOUSE_FLAVOUR_BASE portable_asan
#elif DORMOUSE_PLATFORM_LINUX
// Not "linux": GNU compilers may predefine that as a macro.
#define DORMOUSE_FLAVOUR_BASE on_linux
#else
#define DORMOUSE_FLAVOUR_BASE portable
#endif
#define DORMOUSE_FLAVOUR_JOIN(form, base) v0_##form##_##base
#define DORMOUSE_FLAVOUR_NAME(form, base) DORMOUSE_FLAVOUR_JOIN(form, base)
#define DORMOUSE_FLAVOUR DORMOUSE_FLAVOUR_NAME(DORMOUSE_FLAVOUR_FORM, DORMOUSE_FLAVOUR_BASE)

// A broken precondition is a bug of the caller: checked in debug builds. Define it before the first include to replace
// it.
#ifndef DORMOUSE_ASSERT
#define DORMOUSE_ASSERT(condition) assert(condition)
#endif
