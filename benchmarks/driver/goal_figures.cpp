// SPDX-License-Identifier: MIT
#include "driver/goals.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bench {

std::optional<figure> round_view::find(const std::string& contender, const std::string& variant,
                                       const std::string& metric) const {
  return all_.find(round_, {question_, contender == "us" ? subject_ : contender, variant, metric});
}

std::optional<double> round_view::value(const std::string& contender, const std::string& variant,
                                        const std::string& metric) const {
  const auto found = find(contender, variant, metric);
  return found ? std::optional(found->value) : std::nullopt;
}

std::optional<double> round_view::p99(const std::string& contender, const std::string& variant,
                                      const std::string& metric) const {
  const auto found = find(contender, variant, metric);
  return found ? found->p99 : std::nullopt;
}

std::optional<double> round_view::best_of(const std::vector<std::string>& peers, const std::string& variant,
                                          const std::string& metric) const {
  std::optional<double> best;
  for (const auto& each : peers) {
    const auto found = value(each, variant, metric);
    if (found && (!best || *found < *best)) best = found;
  }
  return best;
}

void add_goal_figures(measurements& all) {
  const std::size_t rounds = all.rounds();
  for (const goal& each : goals()) {
    for (const std::string subject : {"dormouse", "dormouse-portable"}) {
      for (std::size_t round = 0; round < rounds; ++round) {
        const auto found = each.figure_of(round_view(all, round, each.question, subject));
        if (found) all.add(round, {each.question, subject, each.what, "goal"}, each.unit, {.value = *found});
      }
    }
  }
}

const row* find_goal(const std::vector<row>& rows, const goal& wanted, const std::string& contender) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const row& each) {
    return each.key.metric == "goal" && each.key.question == wanted.question && each.key.variant == wanted.what &&
           each.key.contender == contender;
  });
  return found == rows.end() ? nullptr : &*found;
}

verdict print_goals(const std::vector<row>& rows) {
  verdict all;
  for (const goal& each : goals()) {
    for (const std::string subject : {"dormouse", "dormouse-portable"}) {
      const row* const found = find_goal(rows, each, subject);
      const std::string limit =
          each.limit ? fmt::format("{} {:g} {}", each.at_least ? ">=" : "<=", *each.limit, each.unit) : each.unit;
      const std::string label = (subject == "dormouse" ? "" : "  portable: ") + each.what;
      if (found != nullptr) {
        const bool met = each.is_met(found->median);
        all.missed += met ? 0 : 1;
        fmt::print("{:<16} {:<82} {:>16} {:>10.4g} {}\n", each.question, label, limit, found->median,
                   !each.limit ? "reported"
                   : met       ? "met"
                               : "MISSED");
      } else if (subject == "dormouse") {
        ++all.not_measured;
        fmt::print("{:<16} {:<82} {:>16} {:>10}\n", each.question, label, limit, "not measured");
      }
    }
  }
  return all;
}

}  // namespace bench
