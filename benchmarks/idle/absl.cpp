// SPDX-License-Identifier: MIT
// A map from names to 8 bytes: what a registry would keep beside them is not counted.

#include "idle/workload.hpp"

#include <absl/container/flat_hash_map.h>

namespace {

void functions(double effort) {
  absl::flat_hash_map<std::string, std::uint64_t> all;
  const auto names = bench::idle_names();
  bench::time_registration(names, [&](const std::string& name) { all.emplace(name, all.size()); });
  bench::time_all_finds(names, effort, [&](const std::string& name) { return all.find(name) != all.end(); });
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_trials(argc, argv, {{"idle", "1,000,000 functions", &functions, 3}});
}
