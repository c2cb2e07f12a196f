// SPDX-License-Identifier: MIT
// A main loop that runs its handlers itself: two milliseconds of them a frame, no thread but its own.

#include <dormouse/runtime.hpp>
#include <dormouse/runtime/executor.hpp>

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <string_view>

using namespace std::chrono_literals;

int main() {
  const auto loop = std::make_shared<dormouse::host_driven_executor>();
  dormouse::runtime runtime({.executor = loop});

  // Only the loop below runs them, so what they share needs no lock.
  int chunks_loaded = 0;
  auto log = runtime.define("log", [](std::string_view line) { fmt::print("  {}\n", line); });
  auto load = runtime.define("load", [&](int chunk) {
    const auto busy_until = std::chrono::steady_clock::now() + 500us;
    while (std::chrono::steady_clock::now() < busy_until) {}
    if (++chunks_loaded % 10 == 0) log.post(fmt::format("chunk {} is loaded", chunk)).value();
  });

  for (int chunk = 1; chunk <= 40; ++chunk) load.post(chunk).value();
  int frames = 0;
  while (runtime.stats().queued > 0) {
    fmt::print("frame {}: {} chunks\n", ++frames, chunks_loaded);  // draw
    loop->run_for(2ms);
  }
  fmt::print("{} chunks in {} frames\n", chunks_loaded, frames);

  // Elsewhere the same runtime runs on a pool; this one line is all that changes:
  //   {.executor = dormouse::executor_from([&](dormouse::task next) { asio::post(pool, std::move(next)); }, 4)}
  return chunks_loaded == 40 && frames > 1 ? 0 : 1;
}
