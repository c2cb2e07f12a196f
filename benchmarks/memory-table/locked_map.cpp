// SPDX-License-Identifier: MIT
// The least that one would write: a mutex and a map, which copies what it is given and gives.

#include "memory-table/workload.hpp"

#include <mutex>
#include <unordered_map>

int main(int argc, char** argv) {
  return bench::run_table_trials(argc, argv, [](std::size_t items, double effort) {
    std::mutex mutex;
    std::unordered_map<std::string, dormouse::table_item> store;
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < items; ++i)
      keys.push_back(bench::partition_of(i).append("/").append(bench::sort_of(i)));
    bench::time_table(
        keys, effort,
        [&](const auto& key) {
          const std::lock_guard lock(mutex);
          return store.at(key);
        },
        [&](std::string key, dormouse::table_item item) {
          const std::lock_guard lock(mutex);
          store.insert_or_assign(std::move(key), std::move(item));
        });
  });
}
