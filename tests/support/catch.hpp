// SPDX-License-Identifier: MIT
#pragma once

// The only file that includes Catch2, so that every test builds with either major version.

#if __has_include(<catch2/catch_all.hpp>)  // v3
#include <catch2/catch_all.hpp>
#else  // v2
#include <catch2/catch.hpp>
#endif

// Leaves the enclosing TEST_CASE and says why: ctest shows it as skipped, never as passed.
#ifdef SKIP
#define DORMOUSE_SKIP(why) SKIP("SKIPPED: " why)
#else  // v2, and v3 before 3.3
#define DORMOUSE_SKIP(why) \
  do {                     \
    WARN("SKIPPED: " why); \
    return;                \
  } while (false)
#endif
