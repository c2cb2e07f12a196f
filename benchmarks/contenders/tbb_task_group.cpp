// SPDX-License-Identifier: MIT
// oneTBB, task_group: who waits runs tasks itself. Without a wait no task need start, so the questions about when a
// handler begins are not put to it.

#include "common/pool_main.hpp"

#include <tbb/global_control.h>
#include <tbb/task_group.h>

namespace {

class contender {
 public:
  static constexpr bool ends_threads = false;
  static constexpr bool thread_per_call = false;
  explicit contender(const bench::pool_setup& setup)
      : handler_(setup.handler), threads_(tbb::global_control::max_allowed_parallelism, setup.workers + 1) {}
  ~contender() { group_.wait(); }
  void post(std::uint64_t argument) {
    group_.run([run = handler_, argument] { run(argument); });
  }
  void posted_all() { group_.wait(); }
  void call(std::uint64_t argument) {
    group_.run_and_wait([run = handler_, argument] { run(argument); });
  }

 private:
  void (*handler_)(std::uint64_t);
  tbb::global_control threads_;
  tbb::task_group group_;
};

}  // namespace

int main(int argc, char** argv) {
  using bench::handoff;
  using bench::post_throughput;
  return bench::run_trials(
      argc, argv,
      {{"post-throughput", "1 producer", [](double effort) { post_throughput<contender>(1, effort); }},
       {"post-throughput", "2 producers", [](double effort) { post_throughput<contender>(2, effort); }},
       {"handoff", "run by the waiter itself", [](double effort) { handoff<contender>(effort); }},
       {"one-cpu", "post, 1 producer", [](double effort) { post_throughput<contender>(1, effort); }}});
}
