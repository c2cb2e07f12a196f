// SPDX-License-Identifier: MIT
// oneTBB, task_arena::enqueue: first in, first out, on its own threads.

#include "common/pool_main.hpp"

#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <semaphore>

namespace {

class contender {
 public:
  static constexpr bool ends_threads = false;
  static constexpr bool thread_per_call = false;
  explicit contender(const bench::pool_setup& setup)
      : handler_(setup.handler),
        threads_(tbb::global_control::max_allowed_parallelism, setup.workers + 1),
        arena_(static_cast<int>(setup.workers), 0) {}
  ~contender() { arena_.terminate(); }
  void post(std::uint64_t argument) {
    arena_.enqueue([run = handler_, argument] { run(argument); });
  }
  void call(std::uint64_t argument) {
    std::binary_semaphore done{0};
    arena_.enqueue([&, run = handler_, argument] {
      run(argument);
      done.release();
    });
    done.acquire();
  }

 private:
  void (*handler_)(std::uint64_t);
  tbb::global_control threads_;
  tbb::task_arena arena_;
};

}  // namespace

int main(int argc, char** argv) { return bench::pool_main<contender>(argc, argv); }
