// SPDX-License-Identifier: MIT
// Durations in their largest unit, times in ISO 8601.

#include "support/catch.hpp"

#include <dormouse/detail/time_text.hpp>

using dormouse::detail::shown;
using dormouse::detail::to_text;
using namespace std::chrono_literals;

TEST_CASE("a duration is written in the largest unit that leaves a whole number", "[time]") {
  CHECK(to_text(0ns) == "0s");
  CHECK(to_text(1ns) == "1ns");
  CHECK(to_text(1'500ns) == "1500ns");
  CHECK(to_text(2us) == "2us");
  CHECK(to_text(250ms) == "250ms");
  CHECK(to_text(90s) == "90s");
  CHECK(to_text(90min) == "90min");
  CHECK(to_text(720h) == "720h");
  CHECK(to_text(-5ms) == "-5ms");
  CHECK(shown(60s) == "1min");
  CHECK(shown(60) == 60);
}

TEST_CASE("a time is written with all its digits, before 1970, too", "[time]") {
  using std::chrono::sys_seconds;
  CHECK(to_text(sys_seconds{0s}) == "1970-01-01T00:00:00");
  CHECK(to_text(sys_seconds{-1s}) == "1969-12-31T23:59:59");
  CHECK(to_text(sys_seconds{1'582'979'696s}) == "2020-02-29T12:34:56");
}
