// SPDX-License-Identifier: MIT
#include "driver/tables.hpp"

#include "driver/goals.hpp"

#include <fmt/format.h>

#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace bench {

namespace {

bool is_peer(const std::string& contender) { return !is_floor(contender) && !is_ours(contender); }

std::optional<double> least(const std::vector<row>& rows, const row& like, bool (*wanted)(const std::string&)) {
  std::optional<double> best;
  for (const row& each : rows) {
    if (each.key.question != like.key.question || each.key.variant != like.key.variant ||
        each.key.metric != like.key.metric || !wanted(each.key.contender)) {
      continue;
    }
    if (!best || each.median < *best) best = each.median;
  }
  return best;
}

std::string ratio_text(double value, std::optional<double> to) {
  return to && *to > 0 ? fmt::format("{:.2f}", value / *to) : "";
}

std::string goal_text(const row* found, const goal& of) {
  if (found == nullptr) return "";
  return fmt::format("{:.3g}{}", found->median, of.is_met(found->median) ? "" : " **missed**");
}

}  // namespace

bool is_floor(const std::string& contender) { return contender == "direct" || contender == "futex"; }
bool is_ours(const std::string& contender) { return contender.rfind("dormouse", 0) == 0; }

void print_tables(const std::vector<row>& rows, const std::vector<missing_contender>& missing) {
  std::string question;
  std::string measure;
  for (const row& each : rows) {
    if (each.key.metric == "goal") continue;
    if (each.key.question != question) {
      question = each.key.question;
      measure.clear();
      fmt::print("\n== {}\n", question);
      for (const auto& gone : missing) fmt::print("   missing: {} (install {})\n", gone.name, gone.package);
    }
    const std::string now = fmt::format("{}: {} [{}]", each.key.variant, each.key.metric, each.unit);
    if (now != measure) {
      measure = now;
      fmt::print("{}\n  {:<22} {:>11} {:>11} {:>11} {:>11} {:>7} {:>8} {:>8}\n", measure, "", "median", "p99", "min",
                 "max", "rounds", "x peer", "x floor");
    }
    fmt::print("  {:<22} {:>11.5g} {:>11.5g} {:>11.5g} {:>11.5g} {:>7} {:>8} {:>8}\n", each.key.contender, each.median,
               each.p99, each.min, each.max, each.rounds, ratio_text(each.median, least(rows, each, is_peer)),
               ratio_text(each.median, least(rows, each, is_floor)));
  }
}

void write_readme_table(const std::vector<row>& rows, const std::string& path) {
  constexpr std::string_view begin_mark = "<!-- benchmark table: begin -->\n";
  constexpr std::string_view end_mark = "<!-- benchmark table: end -->";
  std::stringstream all;
  all << std::ifstream(path).rdbuf();
  std::string text = all.str();
  const auto begun = text.find(begin_mark);
  const auto ended = text.find(end_mark);
  if (begun == std::string::npos || ended == std::string::npos) throw std::runtime_error(path + ": no marks in it");
  std::string table = "| question | goal | limit | Linux | portable |\n|---|---|---|---|---|\n";
  for (const goal& each : goals()) {
    const row* const ours = find_goal(rows, each, "dormouse");
    if (ours == nullptr) continue;
    const std::string unit = each.unit.empty() ? "" : " " + each.unit;
    const std::string limit =
        each.limit ? fmt::format("{} {:g}{}", each.at_least ? "≥" : "≤", *each.limit, unit) : "reported," + unit;
    table += fmt::format("| {} | {} | {} | {} | {} |\n", each.question, each.what, limit, goal_text(ours, each),
                         goal_text(find_goal(rows, each, "dormouse-portable"), each));
  }
  text.replace(begun + begin_mark.size(), ended - begun - begin_mark.size(), table);
  std::ofstream(path) << text;
}

}  // namespace bench
