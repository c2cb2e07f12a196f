// SPDX-License-Identifier: MIT
// function_totals: small while there is little to count, and the same counts when there is more.

#include "support/catch.hpp"
#include "support/counting_memory.hpp"

#include <dormouse/detail/function_totals.hpp>

#include <chrono>
#include <memory_resource>

using namespace dormouse;
using namespace std::chrono_literals;
using detail::function_totals;

namespace {
constexpr auto run = function_totals::duration::run;
constexpr auto queued = function_totals::duration::queued;
}  // namespace

TEST_CASE("durations of one bucket need no memory, and those of a second one lose nothing", "[totals]") {
  support::counting_memory memory;
  function_totals totals(memory);
  histogram expected;
  for (int i = 0; i < 5; ++i) {
    totals.add(run, 1ms);
    expected.add(1ms);
  }
  CHECK(memory.bytes() == 0);
  CHECK(totals.sums().run.count() == 5);
  histogram more;
  more.add(2us);
  more.add(1ms);
  totals.add(run, more);
  expected.add(more);
  totals.add(queued, 3s);
  CHECK(memory.bytes() > 0);
  for (std::size_t i = 0; i < histogram::bucket_count; ++i) {
    CHECK(totals.sums().run.count_at(i) == expected.count_at(i));
  }
  CHECK(totals.sums().queued.count() == 1);
  CHECK(totals.sums().init.count() == 0);
}

TEST_CASE("uncommon counts are there with the first of them, beside what was counted before", "[totals]") {
  support::counting_memory memory;
  function_totals totals(memory);
  totals.invocations = 3;
  totals.add(run, 1ms);
  CHECK(totals.init_streak() == 0);
  totals.end_init_streak();
  CHECK(memory.bytes() == 0);
  ++totals.uncommon().refusals;
  ++totals.uncommon().init_streak;
  CHECK(totals.init_streak() == 1);
  CHECK(totals.sums().refusals == 1);
  CHECK(totals.sums().invocations == 3);
  CHECK(totals.sums().run.count() == 1);
}

TEST_CASE("without memory the number of durations is kept, and uncommon counts are lost", "[totals]") {
  function_totals totals(*std::pmr::null_memory_resource());
  totals.add(run, 1ms);
  totals.add(run, 1s);
  CHECK(totals.sums().run.count() == 2);
  ++totals.uncommon().refusals;
  CHECK(totals.sums().refusals == 0);
}
