// SPDX-License-Identifier: MIT
#pragma once

// What was measured, round by round, and what is kept of it.

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace bench {

struct figure {
  double value = 0;
  std::optional<double> p99{};  // of the samples in that round, when there were many
};

// Who was asked what.
struct row_key {
  std::string question;
  std::string contender;
  std::string variant;
  std::string metric;
  friend bool operator<(const row_key& a, const row_key& b) {
    return std::tie(a.question, a.variant, a.metric, a.contender) <
           std::tie(b.question, b.variant, b.metric, b.contender);
  }
};

// One row of results.json.
struct row {
  row_key key;
  std::string unit;
  double median = 0;
  double p99 = 0;
  double min = 0;
  double max = 0;
  std::size_t rounds = 0;
};

class measurements {
 public:
  void add(std::size_t round, const row_key& key, const std::string& unit, figure found);
  [[nodiscard]] std::optional<figure> find(std::size_t round, const row_key& key) const;
  [[nodiscard]] std::size_t rounds() const { return rounds_; }
  // Median, least and greatest of the rounds' values. The p99 is the median of the rounds' own where they have one, and
  // that of the rounds' values where they do not.
  [[nodiscard]] std::vector<row> summary() const;

 private:
  struct series {
    std::string unit;
    std::map<std::size_t, figure> by_round;
  };
  std::map<row_key, series> all_;
  std::size_t rounds_ = 0;
};

// Both throw std::runtime_error.
void write_json(const std::string& path, const std::vector<row>& rows);
[[nodiscard]] std::vector<row> read_json(const std::string& path);

}  // namespace bench
