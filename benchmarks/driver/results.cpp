// SPDX-License-Identifier: MIT
#include "driver/results.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace bench {

namespace {

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const double at = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (values[above] - values[below]) * (at - static_cast<double>(below));
}

}  // namespace

void measurements::add(std::size_t round, const row_key& key, const std::string& unit, figure found) {
  series& to = all_[key];
  to.unit = unit;
  to.by_round[round] = found;
  rounds_ = std::max(rounds_, round + 1);
}

std::optional<figure> measurements::find(std::size_t round, const row_key& key) const {
  const auto known = all_.find(key);
  if (known == all_.end()) return std::nullopt;
  const auto found = known->second.by_round.find(round);
  return found == known->second.by_round.end() ? std::nullopt : std::optional(found->second);
}

std::vector<row> measurements::summary() const {
  std::vector<row> rows;
  for (const auto& [key, of] : all_) {
    std::vector<double> values;
    std::vector<double> tails;
    for (const auto& [round, found] : of.by_round) {
      values.push_back(found.value);
      if (found.p99) tails.push_back(*found.p99);
    }
    rows.push_back({.key = key,
                    .unit = of.unit,
                    .median = quantile(values, 0.5),
                    .p99 = tails.empty() ? quantile(values, 0.99) : quantile(tails, 0.5),
                    .min = *std::min_element(values.begin(), values.end()),
                    .max = *std::max_element(values.begin(), values.end()),
                    .rounds = values.size()});
  }
  return rows;
}

void write_json(const std::string& path, const std::vector<row>& rows) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const row& each : rows) {
    all.push_back({{"question", each.key.question},
                   {"contender", each.key.contender},
                   {"variant", each.key.variant},
                   {"metric", each.key.metric},
                   {"unit", each.unit},
                   {"median", each.median},
                   {"p99", each.p99},
                   {"min", each.min},
                   {"max", each.max},
                   {"rounds", each.rounds}});
  }
  std::ofstream out(path);
  out << all.dump(1) << '\n';
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

std::vector<row> read_json(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path + ": run make bench first");
  std::vector<row> rows;
  try {
    for (const auto& each : nlohmann::json::parse(in)) {
      rows.push_back({.key = {each.at("question"), each.at("contender"), each.at("variant"), each.at("metric")},
                      .unit = each.at("unit"),
                      .median = each.at("median"),
                      .p99 = each.at("p99"),
                      .min = each.at("min"),
                      .max = each.at("max"),
                      .rounds = each.at("rounds")});
    }
  } catch (const nlohmann::json::exception& why) {
    throw std::runtime_error(path + ": " + why.what());
  }
  return rows;
}

}  // namespace bench
