// SPDX-License-Identifier: MIT
// spinner: who may wait awake, and for how long.

#include "support/catch.hpp"

#include <dormouse/detail/spinner.hpp>
#include <dormouse/testing/eventually.hpp>
#include <dormouse/testing/manual_clock.hpp>

#include <chrono>

using namespace dormouse;
using namespace std::chrono_literals;
using detail::spinner;

namespace {
const auto never = [] { return false; };
const auto roomy = never;
}

TEST_CASE("a spin ends with what it waits for, or within its budget", "[spinner]") {
  const dormouse::clock time;
  spinner spin(time, 1h);  // cut to budget_max
  int looks = 0;
  CHECK(spin.wait_for([&] { return ++looks == 1; }, roomy));
  CHECK(looks == 1);
  auto shortest = std::chrono::nanoseconds::max();
  for (int i = 0; i < 50; ++i) {  // the best of many: others want this processor, too
    const auto begun = std::chrono::steady_clock::now();
    CHECK(!spin.wait_for(never, roomy));
    shortest = std::min<std::chrono::nanoseconds>(shortest, std::chrono::steady_clock::now() - begun);
  }
  CHECK(shortest < 2 * spinner::budget_max);
}

TEST_CASE("nobody spins without a budget, on a clock that stands still, or beside another spinner", "[spinner]") {
  const dormouse::clock time;
  const testing::manual_clock still;
  int looks = 0;
  const auto look = [&] { return ++looks > 0; };
  CHECK(!spinner(time, 0ns).wait_for(look, roomy));
  CHECK(!spinner(still, 1h).wait_for(look, roomy));
  CHECK(looks == 0);
  spinner spin(time, 1h);
  bool second = true;
  CHECK(spin.wait_for(
      [&] {
        second = spin.wait_for(look, roomy);
        return true;
      },
      roomy));
  CHECK(!second);
  CHECK(spin.wait_for(look, roomy));
}

TEST_CASE("a spinner on the submitter's processor looks once", "[spinner]") {
  const dormouse::clock time;
  int fewest = 1'000;
  for (int i = 0; i < 50 && fewest > 1; ++i) {  // again when this thread was moved in between
    spinner spin(time, 1h);
    spin.submitted_here();
    int looks = 0;
    CHECK(!spin.wait_for([&] { return ++looks < 0; }, roomy));
    fewest = std::min(fewest, looks);
  }
  CHECK(fewest == 1);
}

TEST_CASE("where all processors are in use, a spinner on the submitter's lets others run and looks again",
          "[spinner]") {
  const dormouse::clock time;
  spinner spin(time, 1h);
  spin.submitted_here();
  // One look, and four after others have run, however long that took. Again when the budget was over before the first
  // of them: this thread may have been others itself.
  int looks = 0;
  CHECK(testing::eventually(10s, [&] {
    looks = 0;
    return spin.wait_for([&] { return ++looks == 5; }, [] { return true; });
  }));
  CHECK(looks == 5);
}
