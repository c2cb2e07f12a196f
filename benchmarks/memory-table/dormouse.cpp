// SPDX-License-Identifier: MIT

#include <dormouse/adapters/memory_table.hpp>

#include "memory-table/workload.hpp"

int main(int argc, char** argv) {
  return bench::run_table_trials(argc, argv, [](std::size_t items, double effort) {
    dormouse::memory_table memory;
    dormouse::table& store = memory;
    std::vector<dormouse::table_key> keys;
    for (std::size_t i = 0; i < items; ++i) keys.push_back({bench::partition_of(i), bench::sort_of(i)});
    bench::time_table(
        keys, effort, [&](const auto& key) { return std::move(store.get(key).value().value().item); },
        [&](const auto& key, const auto& item) { bench::require(store.put(key, item).has_value(), "a put failed"); });
  });
}
