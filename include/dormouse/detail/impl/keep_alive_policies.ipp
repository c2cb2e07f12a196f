// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/time_text.hpp>
#include <dormouse/functions/keep_alive.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

class fixed_keep_alive final : public keep_alive_policy {
 public:
  explicit fixed_keep_alive(std::chrono::nanoseconds length) noexcept : length_(length) {}
  void used_after(std::chrono::nanoseconds /*idle*/) noexcept override {}
  [[nodiscard]] keep_alive_plan plan() noexcept override { return {.keep = length_}; }

 private:
  const std::chrono::nanoseconds length_;
};

class histogram_keep_alive final : public keep_alive_policy {
 public:
  explicit histogram_keep_alive(const histogram_options& options) : options_(options), counts_(options.bins) {}

  void used_after(std::chrono::nanoseconds idle) noexcept override {
    const auto bin = static_cast<std::uint64_t>(idle / options_.bin);
    if (bin == 0) return;  // any plan outlasts it, and bursts would drown what is between them
    plan_.reset();
    if (bin >= counts_.size()) {
      ++beyond_;
      return;
    }
    squares_ += 2.0 * counts_[bin] + 1;
    ++counts_[bin];
    ++within_;
    if (within_ == forgets_at) forget_half();
  }

  // A look at all bins, under the function's lock: not at each use of a burst, which changes none of them.
  [[nodiscard]] keep_alive_plan plan() noexcept override {
    if (!plan_) plan_ = make_plan();
    return *plan_;
  }

 private:
  // Bounds the counts: 4 bytes a bin hold them. Habits that change show long before, as new pauses outnumber old ones.
  static constexpr std::uint64_t forgets_at = 1'000'000'000;

  [[nodiscard]] keep_alive_plan make_plan() const noexcept {
    if (!says_something()) return {.keep = options_.otherwise};
    const std::chrono::nanoseconds earliest = options_.bin * bin_of(options_.head_percent);
    const std::chrono::nanoseconds latest = options_.bin * (bin_of(options_.tail_percent) + 1);
    const std::chrono::nanoseconds from = earliest - earliest / 100 * options_.margin_percent;
    const std::chrono::nanoseconds until = latest + latest / 100 * options_.margin_percent;
    // One bin is waited for in any case: for the rest of a burst. And nothing is won by being away for one.
    if (from <= 2 * options_.bin) return {.keep = until};
    return {.keep = options_.bin, .prewarm_after = from, .prewarm_keep = until - from};
  }

  void forget_half() noexcept {
    within_ = 0;
    squares_ = 0;
    for (std::uint32_t& each : counts_) {
      each /= 2;
      within_ += each;
      squares_ += static_cast<double>(each) * each;
    }
    beyond_ /= 2;
  }
  [[nodiscard]] bool says_something() const noexcept {
    if (within_ < options_.pauses_min || beyond_ > within_) return false;
    const auto bins = static_cast<double>(counts_.size());
    const double mean = static_cast<double>(within_) / bins;
    return std::sqrt(std::max(0.0, squares_ / bins - mean * mean)) >= options_.variation_min * mean;
  }
  // The bin in which so many percent of the pauses are reached.
  [[nodiscard]] std::int64_t bin_of(unsigned percent) const noexcept {
    const std::uint64_t wanted = std::max<std::uint64_t>(1, (within_ * percent + 99) / 100);
    std::uint64_t sum = 0;
    for (std::size_t bin = 0; bin < counts_.size(); ++bin) {
      sum += counts_[bin];
      if (sum >= wanted) return static_cast<std::int64_t>(bin);
    }
    return static_cast<std::int64_t>(counts_.size());
  }

  const histogram_options options_;
  std::vector<std::uint32_t> counts_;
  std::uint64_t within_ = 0;
  std::uint64_t beyond_ = 0;
  double squares_ = 0;                     // the sum of the squared counts
  std::optional<keep_alive_plan> plan_{};  // of these counts
};

template <class Value>
void check_keep_alive(const char* option, const Value& value, const Value& least, const Value& most) {
  if (value >= least && value <= most) return;
  throw std::invalid_argument(
      fmt::format("dormouse: keep_alive: {} is {}; give {} .. {}", option, shown(value), shown(least), shown(most)));
}

}  // namespace detail

DORMOUSE_INLINE keep_alive keep_alive::fixed(std::chrono::nanoseconds length) {
  using std::chrono::nanoseconds;
  detail::check_keep_alive<nanoseconds>("fixed", length, nanoseconds{0}, std::chrono::hours{24 * 30});
  return keep_alive([length] { return std::make_unique<detail::fixed_keep_alive>(length); });
}

DORMOUSE_INLINE keep_alive keep_alive::histogram(const histogram_options& options) {
  using std::chrono::nanoseconds;
  detail::check_keep_alive<nanoseconds>("bin", options.bin, std::chrono::milliseconds{1}, std::chrono::hours{1});
  detail::check_keep_alive("bins", options.bins, 2U, 10'000U);
  detail::check_keep_alive("head_percent", options.head_percent, 0U, 50U);
  detail::check_keep_alive("tail_percent", options.tail_percent, 50U, 100U);
  detail::check_keep_alive("margin_percent", options.margin_percent, 0U, 100U);
  detail::check_keep_alive("pauses_min", options.pauses_min, 1U, 1'000'000U);
  detail::check_keep_alive("variation_min", options.variation_min, 0.0, 100.0);
  detail::check_keep_alive<nanoseconds>("otherwise", options.otherwise, nanoseconds{0}, std::chrono::hours{24 * 30});
  return keep_alive([options] { return std::make_unique<detail::histogram_keep_alive>(options); });
}

DORMOUSE_INLINE keep_alive keep_alive::custom(factory make) {
  if (!make) throw std::invalid_argument("dormouse: keep_alive::custom: give a factory");
  return keep_alive([make = std::move(make)] {
    auto made = make();
    if (made == nullptr) throw std::invalid_argument("dormouse: keep_alive::custom: the factory has made no policy");
    return made;
  });
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
