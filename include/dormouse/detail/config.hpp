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

#if defined(DORMOUSE_HEADER_ONLY) && DORMOUSE_PLATFORM_LINUX
#define DORMOUSE_FLAVOUR v0_header_only_linux
#elif defined(DORMOUSE_HEADER_ONLY) && defined(DORMOUSE_THREAD_SANITIZER)
#define DORMOUSE_FLAVOUR v0_header_only_tsan
#elif defined(DORMOUSE_HEADER_ONLY)
#define DORMOUSE_FLAVOUR v0_header_only_portable
#elif DORMOUSE_PLATFORM_LINUX
#define DORMOUSE_FLAVOUR v0_compiled_linux
#elif defined(DORMOUSE_THREAD_SANITIZER)
#define DORMOUSE_FLAVOUR v0_compiled_tsan
#else
#define DORMOUSE_FLAVOUR v0_compiled_portable
#endif

// A broken precondition is a bug of the caller: checked in debug builds. Define it before the first include to replace
// it.
#ifndef DORMOUSE_ASSERT
#define DORMOUSE_ASSERT(condition) assert(condition)
#endif
