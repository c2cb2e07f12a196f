// SPDX-License-Identifier: MIT
// Threads around moodycamel's BlockingConcurrentQueue, and nothing else: no names, no bounds, no report.

#include "common/pool_main.hpp"

#include <blockingconcurrentqueue.h>

#include <semaphore>
#include <thread>
#include <vector>

namespace {

class contender {
 public:
  static constexpr bool ends_threads = false;
  static constexpr bool thread_per_call = false;
  explicit contender(const bench::pool_setup& setup) : handler_(setup.handler) {
    for (unsigned i = 0; i < setup.workers; ++i) {
      threads_.emplace_back([this] {
        for (task next;;) {
          queue_.wait_dequeue(next);
          if (next.stop) return;
          handler_(next.argument);
          if (next.done != nullptr) next.done->release();
        }
      });
    }
  }
  ~contender() {
    for (std::size_t i = 0; i < threads_.size(); ++i) queue_.enqueue({.stop = true});
    for (auto& each : threads_) each.join();
  }
  void post(std::uint64_t argument) { queue_.enqueue({.argument = argument}); }
  void call(std::uint64_t argument) {
    std::binary_semaphore done{0};
    queue_.enqueue({.argument = argument, .done = &done});
    done.acquire();
  }

 private:
  struct task {
    std::uint64_t argument = 0;
    std::binary_semaphore* done = nullptr;
    bool stop = false;
  };
  void (*handler_)(std::uint64_t);
  moodycamel::BlockingConcurrentQueue<task> queue_;
  std::vector<std::thread> threads_;
};

}  // namespace

int main(int argc, char** argv) { return bench::pool_main<contender>(argc, argv); }
