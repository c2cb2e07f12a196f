// SPDX-License-Identifier: MIT
// diy.hpp, by name.

#include "contenders/diy.hpp"

#include "growth/workload.hpp"

namespace {

void by_functions(std::size_t count, double effort) {
  bench::diy<std::uint64_t> pool(2);
  for (std::size_t i = 0; i + 1 < count; ++i) pool.define(bench::function_name(i), [](std::uint64_t) {});
  const std::string name = "thumbnail";
  pool.define(name, [](std::uint64_t argument) { bench::tally::run(argument); });
  bench::time_calls("invoke by name", effort, [&](std::uint64_t i) { pool.invoke(name, i); });
  bench::time_posts(effort, [&](std::uint64_t i) { pool.post(name, i); });
}

}  // namespace

int main(int argc, char** argv) { return bench::run_trials(argc, argv, bench::by_function_count(&by_functions)); }
