// SPDX-License-Identifier: MIT

#include "support/catch.hpp"

#include <dormouse/histogram.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

using namespace std::chrono_literals;
using dormouse::histogram;
using std::chrono::nanoseconds;

namespace {
histogram of(const std::vector<nanoseconds>& values) {
  histogram all;
  for (const auto each : values) all.add(each);
  return all;
}
std::size_t bucket_of(nanoseconds value) {
  const histogram one = of({value});
  for (std::size_t i = 0; i < histogram::bucket_count; ++i) {
    if (one.count_at(i) == 1) return i;
  }
  return histogram::bucket_count;
}
}  // namespace

TEST_CASE("a percentile is off by at most 12.5 %, wherever in its bucket the value lies", "[histogram]") {
  double worst = 0;
  nanoseconds worst_at{0};
  for (std::size_t i = 0; i + 1 < histogram::bucket_count && histogram::bound(i) < histogram::longest; ++i) {
    const auto first = histogram::bound(i);
    const auto last = histogram::bound(i + 1) - 1ns;
    for (const auto value : {first, first + (last - first) / 2, last}) {
      const auto read = of({value}).percentile(0.5);
      const double off = std::abs(static_cast<double>((read - value).count())) / static_cast<double>(value.count());
      if (off > worst) {
        worst = off;
        worst_at = value;
      }
    }
  }
  INFO("worst: " << worst * 100 << " % at " << worst_at.count() << " ns");
  CHECK(worst <= 0.125 + 1e-9);
}

TEST_CASE("buckets follow each other without gap or overlap, four a doubling", "[histogram]") {
  for (std::size_t i = 0; i + 1 < histogram::bucket_count; ++i) {
    INFO(i);
    REQUIRE(histogram::bound(i) < histogram::bound(i + 1));
    REQUIRE(bucket_of(histogram::bound(i) - 1ns) == i);
    REQUIRE(bucket_of(histogram::bound(i)) == i + 1);
    if (i + 4 < histogram::bucket_count) REQUIRE(histogram::bound(i + 4) == 2 * histogram::bound(i));
  }
}

TEST_CASE("too short is counted in the first bucket, too long in the last", "[histogram]") {
  constexpr std::size_t last = histogram::bucket_count - 1;
  CHECK(bucket_of(histogram::shortest) == 0);
  for (const nanoseconds each : {0ns, 1ns, -5ns, nanoseconds::min()}) CHECK(bucket_of(each) == 0);
  for (const nanoseconds each : {nanoseconds(2h), nanoseconds(24h), nanoseconds::max()}) CHECK(bucket_of(each) == last);
  CHECK(bucket_of(histogram::longest) >= last - 1);
  CHECK(histogram::bound(last) >= histogram::longest);
}

TEST_CASE("percentiles follow the ranks", "[histogram]") {
  CHECK(histogram{}.percentile(0.5) == 0ns);
  CHECK(histogram{}.count() == 0);
  histogram many;
  for (int i = 0; i < 99; ++i) many.add(1us);
  many.add(1s);
  CHECK(many.count() == 100);
  for (const double fraction : {0.0, 0.5, 0.99}) {
    CHECK(many.percentile(fraction) < 2us);
    CHECK(many.percentile(fraction) > 500ns);
  }
  CHECK(many.percentile(0.995) > 500ms);
  CHECK(many.percentile(1.0) > 500ms);
  CHECK(many.percentile(1.0) < 2s);
}

TEST_CASE("percentiles of many durations agree with the sorted durations", "[histogram]") {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> spread(11, 2);  // around 60 us, a long tail
  std::vector<nanoseconds> values(10'000);
  for (auto& each : values) each = nanoseconds(200 + static_cast<std::int64_t>(spread(random)));
  const histogram counted = of(values);
  std::sort(values.begin(), values.end());
  for (const double fraction : {0.01, 0.25, 0.5, 0.9, 0.99, 0.999}) {
    INFO(fraction);
    const auto rank = static_cast<std::size_t>(fraction * 10'000 + 0.5) - 1;
    const auto exact = static_cast<double>(values[rank].count());
    const auto read = static_cast<double>(counted.percentile(fraction).count());
    CHECK(std::abs(read - exact) <= 0.125 * exact + 1);
  }
}

TEST_CASE("histograms add up and copy", "[histogram]") {
  const histogram one = of({1us, 1us, 1ms});
  histogram sum = one;
  CHECK(sum.count() == 3);
  sum.add(one);
  CHECK(sum.count() == 6);
  CHECK(one.count() == 3);
  for (std::size_t i = 0; i < histogram::bucket_count; ++i) CHECK(sum.count_at(i) == 2 * one.count_at(i));
  sum = one;
  CHECK(sum.count() == 3);
  sum = histogram{};
  CHECK(sum.count() == 0);
}
