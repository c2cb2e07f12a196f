// SPDX-License-Identifier: MIT
// trigger_port::submit() with several submitters and workers at once: each end is told, once.

#include "support/catch.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;

namespace {

constexpr int submitters = 4;
constexpr int events_each = 3'000;

class open_trigger final : public trigger {
 public:
  explicit open_trigger(trigger_port*& port) : port_(port) {}
  result<void> start(trigger_port& port) override {
    port_ = &port;
    return {};
  }
  void wake() override { wakes.fetch_add(1); }
  static inline std::atomic<int> wakes{0};

 private:
  trigger_port*& port_;
};

struct tally {
  std::atomic<int> done{0};
  std::atomic<int> failed{0};
  std::atomic<int> unseen{0};  // no handler has had it
  std::atomic<int> twice{0};
  int all() const { return done + failed + unseen; }
};

class counting final : public reply_receiver {
 public:
  counting(tally& to, trigger_port* port) : to_(to), port_(port) {}
  void ended(result<reply>&& outcome) noexcept override {
    if (told_.exchange(true)) ++to_.twice;
    if (port_ != nullptr) port_->wake_soon();
    if (outcome) {
      ++to_.done;
    } else {
      ++(outcome.error().effect == effect_kind::not_applied ? to_.unseen : to_.failed);
    }
  }

 private:
  tally& to_;
  trigger_port* const port_;
  std::atomic<bool> told_{false};
};

// Until each has handed over its share, however often it is refused. The number of those that were accepted.
int submit_all(trigger_port& port, tally& to, bool wakes, const std::atomic<bool>& over) {
  std::atomic<int> accepted{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < submitters; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < events_each && !over;) {
        if (port.submit({.type = "test"}, std::make_shared<counting>(to, wakes ? &port : nullptr))) {
          ++accepted;
          ++n;
        } else {
          std::this_thread::yield();
        }
      }
    });
  }
  for (auto& each : threads) each.join();
  return accepted;
}

}  // namespace

TEST_CASE("four submitters and four workers: every end is told once, whatever the handler does", "[trigger_port]") {
  tally ends;
  std::atomic<int> calls{0};
  std::atomic<int> failing{0};
  const std::atomic<bool> over{false};
  runtime host({.compute_workers_max = 4});
  auto work = host.define("work",
                          [&](const event&) -> int {
                            if (const int call = ++calls; call % 5 == 0) {
                              ++failing;
                              throw std::runtime_error("no");
                            }
                            return 1;
                          },
                          {.queue_depth_max = 64});
  trigger_port* port = nullptr;
  host.attach(std::make_unique<open_trigger>(port), work).value();
  const int accepted = submit_all(*port, ends, true, over);
  CHECK(accepted == submitters * events_each);
  CHECK(eventually(60s, [&] { return ends.all() == accepted; }));
  CHECK(eventually(20s, [&] { return host.stats().queued == 0; }));
  CHECK(calls == accepted);
  CHECK(ends.failed == failing);
  CHECK(ends.unseen == 0);
  CHECK(ends.twice == 0);
}

TEST_CASE("take_back(), pauses and posts of others in the midst: every end is told once", "[trigger_port]") {
  tally ends;
  std::atomic<int> calls{0};
  std::atomic<int> posted{0};
  std::atomic<bool> over{false};
  runtime host({.compute_workers_max = 4});
  auto work = host.define("work", [&](const event& given) { ++(given.type == "posted" ? posted : calls); },
                          {.queue_depth_max = 256});
  trigger_port* port = nullptr;
  host.attach(std::make_unique<open_trigger>(port), work).value();
  int posts = 0;
  std::thread disturbing([&] {
    for (int n = 0; !over; ++n) {
      port->take_back();
      if (n % 8 == 0) host.pause(work).value();
      if (work.post(event{.type = "posted"})) ++posts;
      host.resume(work).value();
      std::this_thread::yield();
    }
  });
  const int accepted = submit_all(*port, ends, false, std::atomic<bool>{false});
  over = true;
  disturbing.join();
  CHECK(eventually(60s, [&] { return ends.all() == accepted && posted == posts; }));
  CHECK(ends.done == calls);
  CHECK(ends.done + ends.unseen == accepted);
  CHECK(ends.twice == 0);
}

TEST_CASE("undefine() in the midst of submitters: every end is told once", "[trigger_port]") {
  for (int round = 0; round < 20; ++round) {
    tally ends;
    std::atomic<int> calls{0};
    std::atomic<bool> over{false};
    std::atomic<int> accepted{-1};
    trigger_port* port = nullptr;
    runtime host({.compute_workers_max = 4});
    auto work = host.define("work", [&](const event&) { ++calls; }, {.queue_depth_max = 256});
    host.attach(std::make_unique<open_trigger>(port), work).value();
    std::thread submitting([&] { accepted = submit_all(*port, ends, false, over); });
    REQUIRE(eventually(20s, [&] { return calls > 50; }));
    CHECK(host.undefine(work, 20s).value() == 0);
    CHECK(ends.done == calls);
    over = true;
    submitting.join();
    host.close(20s);
    CHECK(ends.all() == accepted);
    CHECK(ends.twice == 0);
  }
}
