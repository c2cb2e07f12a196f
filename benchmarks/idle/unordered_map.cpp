// SPDX-License-Identifier: MIT
// The map of diy.hpp, without its mutex.

#include "idle/workload.hpp"

#include <functional>
#include <unordered_map>

namespace {

void functions(double effort) {
  std::unordered_map<std::string, std::function<void(std::uint64_t)>> all;
  const auto names = bench::idle_names();
  bench::time_registration(names, [&](const std::string& name) { all.emplace(name, [](std::uint64_t) {}); });
  bench::time_all_finds(names, effort, [&](const std::string& name) { return all.find(name) != all.end(); });
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_trials(argc, argv, {{"idle", "1,000,000 functions", &functions, 3}});
}
