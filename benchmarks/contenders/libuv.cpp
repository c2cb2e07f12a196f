// SPDX-License-Identifier: MIT
// libuv, uv_queue_work: a loop for each posting thread, which must run before the thread ends; two pool threads.

#include "common/pool_main.hpp"

#include <uv.h>

#include <cstdlib>
#include <memory>
#include <string>

namespace {

struct request {
  uv_work_t work{};
  void (*handler)(std::uint64_t) = nullptr;
  std::uint64_t argument = 0;
};

class loop {
 public:
  loop() { bench::require(uv_loop_init(&loop_) == 0, "no loop"); }
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;
  ~loop() {
    run();
    uv_loop_close(&loop_);
  }
  void queue(void (*handler)(std::uint64_t), std::uint64_t argument) {
    auto fresh = std::make_unique<request>();
    fresh->handler = handler;
    fresh->argument = argument;
    fresh->work.data = fresh.get();
    uv_queue_work(
        &loop_, &fresh->work,
        [](uv_work_t* work) {
          const auto& what = *static_cast<request*>(work->data);
          what.handler(what.argument);
        },
        [](uv_work_t* work, int) { delete static_cast<request*>(work->data); });
    static_cast<void>(fresh.release());
  }
  void run() { uv_run(&loop_, UV_RUN_DEFAULT); }

 private:
  uv_loop_t loop_{};
};

class contender {
 public:
  static constexpr bool ends_threads = false;
  static constexpr bool thread_per_call = false;
  explicit contender(const bench::pool_setup& setup) : handler_(setup.handler) {
    ::setenv("UV_THREADPOOL_SIZE", std::to_string(setup.workers).c_str(), 1);  // read at the first request
  }
  void post(std::uint64_t argument) { own().queue(handler_, argument); }
  void posted_all() { own().run(); }
  void call(std::uint64_t argument) {
    own().queue(handler_, argument);
    own().run();
  }

 private:
  static loop& own() {
    static thread_local loop mine;
    return mine;
  }
  void (*handler_)(std::uint64_t);
};

}  // namespace

int main(int argc, char** argv) { return bench::pool_main<contender>(argc, argv); }
