// SPDX-License-Identifier: MIT
// oneTBB, task_group: run, and wait, which runs it.

#include "warm-invoke/workload.hpp"

#include <tbb/task_group.h>

namespace {

struct contender {
  static std::uint64_t call(int, std::uint64_t argument) {
    static thread_local tbb::task_group group;
    std::uint64_t answer = 0;
    group.run([&] { answer = bench::handler(argument); });
    group.wait();
    return answer;
  }
};

}  // namespace

int main(int argc, char** argv) { return bench::run_trials(argc, argv, bench::warm_trials<contender>()); }
