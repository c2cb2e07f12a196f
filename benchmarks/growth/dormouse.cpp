// SPDX-License-Identifier: MIT
// The library, by handle.

#include <dormouse/runtime.hpp>

#include "growth/workload.hpp"

#include <thread>

namespace {

using handle = dormouse::handle<void(std::uint64_t)>;

void time_both(double effort, const handle& work) {
  bench::time_calls("invoke by handle", effort,
                    [&](std::uint64_t i) { bench::require(work(i).has_value(), "a call"); });
  bench::time_posts(effort, [&](std::uint64_t i) {
    while (!work.post(i)) std::this_thread::yield();
  });
}

void by_functions(std::size_t count, double effort) {
  dormouse::runtime host({.compute_workers_max = 2});
  for (std::size_t i = 0; i + 1 < count; ++i) host.define(bench::function_name(i), [](std::uint64_t) {});
  time_both(effort, host.define("thumbnail", [](std::uint64_t argument) { bench::tally::run(argument); }));
}

// So many instances exist, all but one of them idle.
void by_instances(std::size_t count, double effort) {
  dormouse::runtime host({.instances_max = 20'000, .compute_workers_max = 2});
  const auto remember = [kept = std::uint64_t{0}](std::uint64_t argument) mutable {
    bench::tally::run(kept = argument);
  };
  const handle work = host.define("thumbnail", remember, {.instances_max = 20'000, .instances_provisioned = count});
  const auto limit = bench::now_ns() + 30'000'000'000;
  while (host.stats().instances < count && bench::now_ns() < limit) bench::sleep_ns(1'000'000);
  bench::require(host.stats().instances >= count, "the instances were not made");
  time_both(effort, work);
}

}  // namespace

int main(int argc, char** argv) {
  auto all = bench::by_function_count(&by_functions);
  all.push_back({"growth", "1 instance", [](double effort) { by_instances(1, effort); }});
  all.push_back({"growth", "100 instances", [](double effort) { by_instances(100, effort); }});
  all.push_back({"growth", "10,000 instances", [](double effort) { by_instances(10'000, effort); }});
  return bench::run_trials(argc, argv, all);
}
