// SPDX-License-Identifier: MIT
#pragma once

// The program of a contender that runs events on other threads.

#include "cold/workload.hpp"
#include "common/trials.hpp"
#include "handoff/workload.hpp"
#include "parked/workload.hpp"
#include "post-throughput/workload.hpp"
#include "sparse/workload.hpp"
#include "zero/workload.hpp"

#include <vector>

namespace bench {

template <class Pool>
std::vector<trial> pool_trials() {
  std::vector<trial> all{
      {"post-throughput", "1 producer", [](double effort) { post_throughput<Pool>(1, effort); }},
      {"post-throughput", "2 producers", [](double effort) { post_throughput<Pool>(2, effort); }},
      {"handoff", "one at a time", [](double effort) { handoff<Pool>(effort); }},
      {"parked", "caller blocks", [](double effort) { parked<Pool>(false, effort); }},
      {"parked", "caller busy", [](double effort) { parked<Pool>(true, effort); }},
      {"zero", "20 ms asked", [](double effort) { zero<Pool>(effort); }},
      {"one-cpu", "post, 1 producer", [](double effort) { post_throughput<Pool>(1, effort); }},
      {"one-cpu", "handoff", [](double effort) { handoff<Pool>(effort); }},
      {"sparse", "gap 50 us", [](double effort) { sparse<Pool>(50, effort); }},
      {"sparse", "gap 500 us", [](double effort) { sparse<Pool>(500, effort); }},
  };
  if constexpr (!Pool::thread_per_call) {
    all.push_back({"sparse", "gap 15 us", [](double effort) { sparse<Pool>(15, effort); }});
  }
  if constexpr (Pool::ends_threads) {
    all.push_back({"cold", "post", [](double effort) { cold<Pool>(effort); }});
  }
  return all;
}

template <class Pool>
int pool_main(int argc, char** argv, const std::vector<trial>& more = {}) {
  auto all = pool_trials<Pool>();
  all.insert(all.end(), more.begin(), more.end());
  return run_trials(argc, argv, all);
}

}  // namespace bench
