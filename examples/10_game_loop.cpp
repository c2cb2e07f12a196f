// SPDX-License-Identifier: MIT
// A game: functions get one millisecond of each frame, on the game's own thread, and their time is the game's: while it
// is paused, nothing falls due.

#include <dormouse/runtime.hpp>
#include <dormouse/testing/manual_clock.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

using namespace std::chrono_literals;

int main() {
  constexpr auto frame = 16ms;
  dormouse::testing::manual_clock game_time;
  dormouse::runtime runtime({.time = &game_time, .drive = dormouse::drive_mode::host});

  int spawned = 0;
  int paths = 0;
  auto spawn = runtime.define("spawn", [&] { fmt::print("a wave of enemies, number {}\n", ++spawned); });
  auto find_path = runtime.define("find_path", [&](int) {  // about 100 us of work
    const auto until = std::chrono::steady_clock::now() + 100us;
    while (std::chrono::steady_clock::now() < until) {}
    ++paths;
  });
  runtime.attach(dormouse::every(1s), spawn).value();
  for (int unit = 0; unit < 200; ++unit) find_path.post(unit).value();

  auto longest = 0us;
  const auto play = [&](int frames, bool paused) {
    for (int i = 0; i < frames; ++i) {
      if (!paused) game_time.advance(frame);
      const auto begun = std::chrono::steady_clock::now();
      runtime.poll(1ms);  // of real time; what does not fit waits for the next frame
      const auto took = std::chrono::steady_clock::now() - begun;
      longest = std::max(longest, std::chrono::ceil<std::chrono::microseconds>(took));
    }
  };
  play(130, false);  // two seconds
  fmt::print("{} paths found; pause\n", paths);
  play(1'000, true);
  play(65, false);
  fmt::print("{} waves, {} paths, at most {} us of a frame, {} threads\n", spawned, paths, longest.count(),
             runtime.stats().threads_started);
  return spawned == 3 && paths == 200 && runtime.stats().threads_started == 0 ? 0 : 1;
}
