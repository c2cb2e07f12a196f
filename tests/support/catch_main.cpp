// SPDX-License-Identifier: MIT
// main() of every test program with Catch2 v2; v3 brings its own.
#define CATCH_CONFIG_MAIN
#include "catch.hpp"
