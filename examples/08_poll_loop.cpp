// SPDX-License-Identifier: MIT
// A program with an event loop of its own, around poll(2): the runtime has no thread, and is one more descriptor in it.

#include <dormouse/runtime.hpp>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>

using namespace std::chrono_literals;

namespace {

// How long the loop may sleep: until the runtime needs it, whatever happens meanwhile.
int patience_ms(const dormouse::runtime& runtime) {
  const auto next = runtime.next_deadline();
  if (!next) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - runtime.time().now());
  return static_cast<int>(std::max<std::chrono::milliseconds>(left, 0ms).count());
}

}  // namespace

int main() {
  dormouse::runtime runtime({.drive = dormouse::drive_mode::host});
  int lines = 0;
  int ticks = 0;
  auto line = runtime.define("line", [&](std::string_view text) { fmt::print("line {}: {}\n", ++lines, text); });
  auto tick = runtime.define("tick", [&] { ++ticks; });
  runtime.attach(dormouse::every(5ms), tick).value();

  std::array<int, 2> input{};  // what the program waits for beside the runtime
  if (::pipe(input.data()) != 0) return 1;
  std::thread somebody([&] {  // posts from another thread, and says when it is done
    for (int i = 0; i < 3; ++i) line.post(fmt::format("from another thread, {}", i)).value();
    if (::write(input[1], "!", 1) != 1) fmt::print("cannot write\n");
  });

  std::array<pollfd, 2> wanted{{{.fd = runtime.descriptor().value(), .events = POLLIN, .revents = 0},
                                {.fd = input[0], .events = POLLIN, .revents = 0}}};
  bool done = false;
  while (!done || ticks < 3 || lines < 3) {
    ::poll(wanted.data(), wanted.size(), patience_ms(runtime));
    runtime.poll(1ms);
    if ((wanted[1].revents & POLLIN) == 0) continue;
    done = true;
    wanted[1].fd = -1;
  }
  somebody.join();
  fmt::print("{} lines, {} ticks, {} threads of the library\n", lines, ticks, runtime.stats().threads_started);
  ::close(input[0]);
  ::close(input[1]);
  return runtime.stats().threads_started == 0 ? 0 : 1;
}
