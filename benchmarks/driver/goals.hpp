// SPDX-License-Identifier: MIT
#pragma once

// What the library wants to reach, as figures that are computed from each round by itself: both sides of a ratio were
// measured within seconds of each other.

#include "driver/results.hpp"

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bench {

// The figures of one question in one round, for one variant of the library. Empty where something was not measured.
class round_view {
 public:
  round_view(const measurements& all, std::size_t round, std::string question, std::string subject)
      : all_(all), round_(round), question_(std::move(question)), subject_(std::move(subject)) {}

  // The contender "us" is the library.
  [[nodiscard]] std::optional<double> value(const std::string& contender, const std::string& variant,
                                            const std::string& metric) const;
  [[nodiscard]] std::optional<double> p99(const std::string& contender, const std::string& variant,
                                          const std::string& metric) const;
  // The least of several.
  [[nodiscard]] std::optional<double> best_of(const std::vector<std::string>& peers, const std::string& variant,
                                              const std::string& metric) const;

 private:
  [[nodiscard]] std::optional<figure> find(const std::string& contender, const std::string& variant,
                                           const std::string& metric) const;
  const measurements& all_;
  std::size_t round_;
  std::string question_;
  std::string subject_;
};

struct goal {
  std::string question;
  std::string what;
  std::string unit;               // "x" for a ratio
  std::optional<double> limit{};  // none: reported only
  bool at_least = false;
  std::function<std::optional<double>(const round_view&)> figure_of;

  [[nodiscard]] bool is_met(double found) const { return !limit || (at_least ? found >= *limit : found <= *limit); }
};

[[nodiscard]] const std::vector<goal>& goals();

// A row for each goal, variant of the library and round in which both sides were measured: metric "goal".
void add_goal_figures(measurements& all);
// Null when that goal was not measured.
[[nodiscard]] const row* find_goal(const std::vector<row>& rows, const goal& wanted, const std::string& contender);
// Prints goal, figure, met or missed for each. How many were missed, and how many were not measured.
struct verdict {
  std::size_t missed = 0;
  std::size_t not_measured = 0;
};
verdict print_goals(const std::vector<row>& rows);

}  // namespace bench
