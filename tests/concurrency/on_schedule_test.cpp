// SPDX-License-Identifier: MIT
// Schedules on the system's clock and threads, and on a clock that another thread moves.

#include "support/catch.hpp"

#include <dormouse/detail/events_in_flight.hpp>
#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/triggers/on_schedule.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;

TEST_CASE("on the system's clock and threads a schedule runs, too", "[on_schedule][threads]") {
  std::atomic<int> seconds{0};
  std::atomic<int> periods{0};
  runtime host;
  auto count = host.define("count", [&](const schedule_event& run) { ++(run.text[0] == '@' ? periods : seconds); });
  host.attach(on_schedule("* * * * * *"), count).value();
  host.attach(on_schedule("@every 2ms", {.overlap = overlapping_runs::queue}), count).value();
  CHECK(eventually(20s, [&] { return seconds > 0 && periods > 100; }));
}

TEST_CASE("a schedule that has ended keeps neither thread nor descriptor", "[on_schedule][threads]") {
  std::atomic<int> runs{0};
  runtime host({.thread_idle_timeout = 0ms});
  auto count = host.define("count", [&] { ++runs; }, {.idle_timeout = 0s});
  const auto now = std::chrono::system_clock::now();
  host.attach(on_schedule(schedule::at(now + 30ms)), count).value();
  host.attach(on_schedule(schedule::at(now - 1h), {.resume_after = now - 2h}), count).value();
  CHECK(host.stats().threads >= 1);
  CHECK(eventually(20s, [&] { return runs == 2 && host.stats().threads == 0; }));
}

TEST_CASE("runs do not overlap unless they may, and the end of one lets the next begin", "[on_schedule][overlap]") {
  for (const auto overlap : {overlapping_runs::skip, overlapping_runs::queue}) {
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    std::atomic<int> runs{0};
    runtime host;
    auto slow = host.define("slow", [&] {
      if (++inside > most) most = inside.load();
      std::this_thread::yield();
      --inside;
      ++runs;
    });
    host.attach(on_schedule("@every 20us", {.overlap = overlap}), slow).value();
    CHECK(eventually(20s, [&] { return runs > 500; }));
    CHECK(host.close(10s).empty());
    CHECK(most == 1);
  }
}

namespace {

// Posts again when, and only when, it is told that the last one is over; asks sometimes before that, sometimes after.
class relay final : public trigger {
 public:
  result<void> start(trigger_port& port) override {
    posted_.emplace(port);
    wake();
    return {};
  }
  void wake() override {
    posted_->collect(over_);
    if (posted_->count() == 0) posted_->post({.type = "lap"}).value();
    for (int spins = ++wakes_ % 64 * 64; spins > 0 && posted_->count() > 0; --spins) {}
    if (wakes_ % 128 == 0) {
      while (posted_->count() > 0) std::this_thread::yield();
    }
    posted_->wake_when_over();
  }
  void stop() noexcept override { posted_->close(); }
  [[nodiscard]] bool brief() const noexcept override { return true; }

 private:
  std::optional<dormouse::detail::events_in_flight> posted_{};
  std::vector<std::uint64_t> over_{};
  int wakes_ = 0;
};

}  // namespace

TEST_CASE("a trigger that waits for the end of its events is woken by each of them", "[trigger][overlap]") {
  constexpr int laps = 20'000;
  std::atomic<int> ran{0};
  runtime host;
  auto lap = host.define("lap", [&] { ++ran; });
  const auto bound = host.attach(std::make_unique<relay>(), lap).value();
  CHECK(eventually(60s, [&] { return ran >= laps; }));
  CHECK(host.detach(bound));
}

TEST_CASE("schedules come and go while the clock jumps", "[on_schedule][clock]") {
  dormouse::testing::manual_clock time{std::chrono::sys_days{std::chrono::year{2026} / 11 / 23}};
  std::atomic<int> runs{0};
  {
    runtime host({.time = &time});
    auto count = host.define("count", [&] { ++runs; });
    std::atomic<bool> done{false};
    std::atomic<int> moves{0};
    std::thread mover([&] {
      for (; !done; ++moves) {
        time.jump_wall(moves % 2 == 0 ? 1h : -1h);
        time.advance(90s);
      }
    });
    std::vector<binding> bound;
    for (int i = 0; i < 300 || moves < 1'000; ++i) {
      bound.push_back(host.attach(on_schedule("* * * * *", {.overlap = overlapping_runs::queue}), count).value());
      if (bound.size() <= 8) continue;
      CHECK(host.detach(bound.front()));
      bound.erase(bound.begin());
    }
    done = true;
    mover.join();
    CHECK(eventually(20s, [&] {
      time.advance(1min);
      return runs > 10;
    }));
  }
  const int at_end = runs;
  time.advance(1h);
  CHECK(runs == at_end);
}
