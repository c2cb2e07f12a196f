// SPDX-License-Identifier: MIT
// Times of a schedule under calendars that jump at random, beside a model that remembers each time it has given.

#include "support/catch.hpp"

#include <dormouse/detail/nominal_times.hpp>
#include <dormouse/detail/random.hpp>
#include <dormouse/triggers/on_schedule.hpp>  // with it the bodies, when they are inline

#include <algorithm>
#include <chrono>
#include <set>
#include <vector>

using dormouse::detail::nominal_times;
using namespace std::chrono_literals;
using time_point = nominal_times::time_point;

namespace {

constexpr time_point start{std::chrono::hours{24 * 365 * 50}};

// Every ten minutes.
std::optional<time_point> next(time_point after) {
  return std::chrono::floor<std::chrono::minutes>(after) + 10min -
         (std::chrono::floor<std::chrono::minutes>(after).time_since_epoch() % 10min);
}

struct model {
  std::set<time_point> given{};
  time_point seen = start;

  std::vector<time_point> take(time_point now, time_point after, std::size_t most) {
    std::vector<time_point> due;
    for (auto each = next(std::max(seen, after)); now > seen && *each <= now; each = next(*each)) {
      if (!given.contains(*each)) due.push_back(*each);
    }
    if (due.size() > most) due.erase(due.begin(), due.end() - static_cast<std::ptrdiff_t>(most));
    given.insert(due.begin(), due.end());
    seen = now;
    return due;
  }
};

}  // namespace

TEST_CASE("whatever the calendar does, each time is given at most once, and only when it is due", "[nominal_times]") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    dormouse::detail::random_source random(seed);
    nominal_times times(next, start, false);
    model wanted;
    const std::size_t most = 1 + random.below(3) * 4;
    auto now = start;
    for (int jumps = 0; jumps < 6; ++jumps) {  // so few that no gap has to be forgotten
      now += std::chrono::minutes{random.below(600)} - std::chrono::minutes{random.below(600)};
      for (int looks = 0; looks < 10; ++looks) {
        now += std::chrono::seconds{random.below(600)};
        const auto after = random.below(40) == 0 ? now - 5min : time_point::min();
        const auto found = times.look_at(now, after, most);
        times.take(now, found);
        REQUIRE(found.due == wanted.take(now, after, most));
      }
    }
  }
}

TEST_CASE("after more jumps than are remembered still nothing is given twice", "[nominal_times]") {
  dormouse::detail::random_source random(7);
  nominal_times times(next, start, false);
  std::set<time_point> given;
  auto now = start;
  for (int looks = 0; looks < 20'000; ++looks) {
    now += random.below(3) == 0 ? std::chrono::minutes{random.below(20'000)} - std::chrono::minutes{10'000}
                                : std::chrono::minutes{random.below(15)};
    const auto found = times.look_at(now, time_point::min(), 1);
    times.take(now, found);
    for (const auto each : found.due) REQUIRE(given.insert(each).second);
  }
  CHECK(given.size() > 100);
}

TEST_CASE("of the gaps that jumps have left the earliest is forgotten, and counts as given", "[nominal_times]") {
  for (const int jumps : {10, 40}) {
    CAPTURE(jumps);
    nominal_times times(next, start, false);
    const auto look = [&](time_point now) {
      const auto found = times.look_at(now, time_point::min(), 1);
      times.take(now, found);
      return found.due.size();
    };
    for (int i = 1; i <= jumps; ++i) CHECK(look(start + i * 1h) == 1);  // five of six are left out
    CHECK(look(start + 1h) == 0);
    CHECK(look(start + 75min) == (jumps == 10 ? 1U : 0U));
  }
}
