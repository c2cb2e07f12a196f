// SPDX-License-Identifier: MIT
// A program around an asio::io_context: the runtime has no thread, and runs where the rest of the program does.

#include <dormouse/runtime.hpp>

#include <asio.hpp>
#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <string_view>

using namespace std::chrono_literals;

namespace {

// Polls `runtime` whenever its descriptor can be read. For the portable platform add an asio::steady_timer that is set
// to next_deadline(); here the descriptor tells of timers, too.
class in_loop {
 public:
  in_loop(asio::io_context& loop, dormouse::runtime& runtime)
      : runtime_(runtime), descriptor_(loop, runtime.descriptor().value()) {
    wait();
  }
  ~in_loop() { descriptor_.release(); }  // it is the runtime's
  in_loop(const in_loop&) = delete;
  in_loop& operator=(const in_loop&) = delete;

 private:
  void wait() {
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const asio::error_code& why) {
      if (why) return;
      runtime_.poll(1ms);  // what is left has the descriptor readable again
      wait();
    });
  }
  dormouse::runtime& runtime_;
  asio::posix::stream_descriptor descriptor_;
};

}  // namespace

int main() {
  asio::io_context loop;
  dormouse::runtime runtime({.drive = dormouse::drive_mode::host});
  int attempts = 0;
  auto greet = runtime.define("greet", [](std::string_view who) { fmt::print("hello {}\n", who); });
  auto flaky = runtime.define("flaky",
                              [&](int) -> dormouse::result<void> {
                                fmt::print("attempt {}\n", ++attempts);
                                if (attempts < 3) return dormouse::failure{.code = dormouse::errc::unavailable};
                                loop.stop();
                                return {};
                              },
                              {.retry = {.delay_first = 5ms, .delay_factor = 1}});

  const in_loop bound(loop, runtime);
  asio::post(loop, [&] { greet.post("from the loop").value(); });
  flaky.post(1).value();
  loop.run_for(30s);
  fmt::print("{} attempts, {} threads of the library\n", attempts, runtime.stats().threads_started);
  return attempts == 3 && runtime.stats().threads_started == 0 ? 0 : 1;
}
