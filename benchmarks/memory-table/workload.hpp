// SPDX-License-Identifier: MIT
#pragma once

// Items that are there already, read and replaced by one thread in random order: what a table in memory costs beyond a
// map with a mutex that copies as much.

#include <dormouse/services/attribute.hpp>

#include "common/measure.hpp"
#include "common/trials.hpp"

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace bench {

inline std::string partition_of(std::size_t i) { return std::string("customer-").append(std::to_string(i % 1'000)); }
inline std::string sort_of(std::size_t i) { return std::to_string(i); }

inline dormouse::table_item item_of(std::size_t i) {
  return {{"state", "a state with some text to copy"},
          {"total", static_cast<std::int64_t>(i)},
          {"weight", 1.5},
          {"open", i % 2 == 0}};
}

// `get(key)` gives a copy of the item, `put(key, item)` stores a copy; `keys` are of the contender's own kind.
template <class Key, class Get, class Put>
void time_table(const std::vector<Key>& keys, double effort, const Get& get, const Put& put) {
  const std::size_t count = count_of(500'000, effort);
  std::mt19937 random(7);
  std::vector<std::uint32_t> order(count);
  for (auto& each : order) each = static_cast<std::uint32_t>(random() % keys.size());
  const dormouse::table_item item = item_of(1);
  for (const Key& each : keys) put(each, item);
  const auto begun = now_ns();
  for (const auto each : order) put(keys[each], item);
  const auto between = now_ns();
  std::size_t attributes = 0;
  for (const auto each : order) attributes += get(keys[each]).size();
  const auto ended = now_ns();
  require(attributes == 4 * count, "an item was not found as it was put");
  report("put, item is there", "ns", static_cast<double>(between - begun) / static_cast<double>(count));
  report("get", "ns", static_cast<double>(ended - between) / static_cast<double>(count));
}

// Trials of one contender: `run(items, effort)`.
template <class Run>
int run_table_trials(int argc, char** argv, const Run& run) {
  return run_trials(argc, argv,
                    {{"memory-table", "1,000 items", [&](double effort) { run(std::size_t{1'000}, effort); }},
                     {"memory-table", "100,000 items", [&](double effort) { run(std::size_t{100'000}, effort); }}});
}

}  // namespace bench
