// SPDX-License-Identifier: MIT
// Policies alone, and what a runtime makes of their plans.

#include "support/catch.hpp"
#include "support/scripted_keep_alive.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>
#include <dormouse/testing/manual_clock.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::manual_clock;
using support::script;
using support::scripted;

namespace {

struct scene {
  explicit scene(keep_alive_plan plan, function_options options = {}) {
    told.plan = plan;
    options.keep = keep_alive::custom([this] { return std::make_unique<scripted>(told); });
    work = host.define("work", per_instance([this] { return counted(made); }), options);
  }
  struct counted {
    explicit counted(int& count) { ++count; }
    int operator()(int value) { return value; }
  };
  void pass(std::chrono::nanoseconds by) {
    const auto end = time.now() + by;
    host.poll();
    for (auto next = host.next_deadline(); next && *next <= end; next = host.next_deadline()) {
      if (*next > time.now()) time.advance(*next - time.now());
      host.poll();
    }
    time.advance(end - time.now());
    host.poll();
  }
  std::size_t instances() { return host.stats().instances; }

  script told{};
  int made = 0;
  manual_clock time{};
  runtime host{{.time = &time, .drive = drive_mode::host}};
  std::optional<handle<int(int)>> work{};
  int operator()() { return (*work)(1).value(); }
};

}  // namespace

TEST_CASE("an idle instance is kept as long as the policy says", "[keep_alive]") {
  scene now({.keep = 5min}, {.idle_timeout = 1s});
  now();
  now.pass(4min);
  CHECK(now.instances() == 1);
  now();
  now.pass(5min - 1s);
  CHECK(now.instances() == 1);
  now.pass(2s);
  CHECK(now.instances() == 0);
  CHECK(!now.host.next_deadline());
  now();
  CHECK(now.made == 2);
  CHECK(now.told.plans == 3);
  CHECK(now.told.pauses == std::vector<std::chrono::nanoseconds>{4min, 5min + 1s});
}

TEST_CASE("a plan that keeps for no time ends the instance at once", "[keep_alive]") {
  scene now({.keep = 0s});
  now();
  now.pass(1ms);
  CHECK(now.instances() == 0);
}

TEST_CASE("an instance is made ahead, kept, and gone when nobody came", "[keep_alive][prewarm]") {
  scene now({.keep = 1min, .prewarm_after = 6min, .prewarm_keep = 2min});
  now();
  now.pass(2min);
  CHECK(now.instances() == 0);
  CHECK(now.host.next_deadline() == now.time.now() + 4min);
  now.pass(5min);
  CHECK(now.instances() == 1);
  now();
  CHECK(now.made == 2);
  auto sums = now.work->stats();
  CHECK(sums.cold_starts == 2);
  CHECK(sums.prewarmed == 1);
  CHECK(sums.prewarmed_unused == 0);
  now.pass(9min);
  CHECK(now.instances() == 0);
  CHECK(now.made == 3);
  CHECK(now.work->stats().prewarmed_unused == 1);
  CHECK(!now.host.next_deadline());
}

TEST_CASE("a use before the time takes a pre-warming back", "[keep_alive][prewarm]") {
  scene now({.keep = 0s, .prewarm_after = 10min, .prewarm_keep = 1min});
  now();
  now.pass(9min);
  now();  // a cold start
  CHECK(now.made == 2);
  now.pass(9min + 30s);
  CHECK(now.made == 2);
  now.pass(1min);
  CHECK(now.made == 3);
}

TEST_CASE("nothing is made ahead for a function that is paused, undefined or closed", "[keep_alive][prewarm]") {
  scene paused({.keep = 0s, .prewarm_after = 1min, .prewarm_keep = 1min});
  paused();
  CHECK(paused.host.pause(*paused.work));
  paused.pass(5min);
  CHECK(paused.made == 1);
  scene undefined({.keep = 0s, .prewarm_after = 1min, .prewarm_keep = 1min});
  undefined();
  CHECK(undefined.host.undefine(*undefined.work, 0s));
  CHECK(undefined.told.gone);
  undefined.pass(5min);
  CHECK(undefined.made == 1);
  CHECK(undefined.instances() == 0);
  scene closed({.keep = 0s, .prewarm_after = 1min, .prewarm_keep = 1min});
  closed();
  CHECK(closed.host.close(0s).empty());
  closed.time.advance(5min);
  CHECK(closed.made == 1);
}

TEST_CASE("replace goes on with the same policy", "[keep_alive]") {
  scene now({.keep = 5min});
  now();
  CHECK(now.host.replace(*now.work, per_instance([&now] { return scene::counted(now.made); })));
  now();
  CHECK(now.made == 2);
  now.pass(4min);
  CHECK(now.instances() == 1);
  now.pass(2min);
  CHECK(now.instances() == 0);
  CHECK(!now.told.gone);
}

TEST_CASE("while some are in use the others go by idle_timeout", "[keep_alive]") {
  manual_clock time;
  std::atomic<bool> inside{false};
  std::atomic<bool> hold{true};
  int made = 0;
  runtime host{{.time = &time, .drive = drive_mode::host}};
  auto work = host.define<int(int)>("work", per_instance([&] {
                                      return [&, state = scene::counted(made)](int waits) mutable {
                                        inside = waits != 0;
                                        while (waits != 0 && hold) std::this_thread::yield();
                                        return state(waits);
                                      };
                                    }),
                                    {.timeout = 1h, .idle_timeout = 1min, .keep = keep_alive::fixed(30min)});
  std::thread caller([&] { static_cast<void>(work(1)); });
  REQUIRE(testing::eventually(10s, [&] { return inside.load(); }));
  CHECK(work(0));
  CHECK(host.stats().instances == 2);
  time.advance(59s);
  host.poll();
  CHECK(host.stats().instances == 2);
  time.advance(2s);
  host.poll();
  CHECK(host.stats().instances == 1);
  hold = false;
  caller.join();
  time.advance(29min);
  host.poll();
  CHECK(host.stats().instances == 1);
  time.advance(2min);
  host.poll();
  CHECK(host.stats().instances == 0);
}

TEST_CASE("a regular function is away between its uses and there for each", "[keep_alive][histogram]") {
  manual_clock time;
  int made = 0;
  int cold_to_callers = 0;
  runtime host{{.observer = [&](const invocation_report& each) { cold_to_callers += each.cold ? 1 : 0; },
                .time = &time,
                .drive = drive_mode::host}};
  auto work = host.define("work", per_instance([&] { return scene::counted(made); }),
                          {.keep = keep_alive::histogram({.otherwise = 2min})});
  int at_rest = 0;
  for (int i = 0; i < 100; ++i) {
    CHECK(work(1));
    for (int minute = 0; minute < 15; ++minute) {
      time.advance(1min);
      host.poll();
      if (i > 20 && host.stats().instances == 0) ++at_rest;
    }
  }
  CHECK(cold_to_callers <= 7);  // while it learns
  CHECK(at_rest > 79 * 10);     // of 15 minutes each
}

TEST_CASE("a histogram says nothing before it has seen enough, or when pauses are all alike or too long",
          "[keep_alive][histogram]") {
  const histogram_options options{.bins = 60, .pauses_min = 5, .otherwise = 7min};
  const auto plan_after = [&](const std::vector<std::chrono::minutes>& pauses) {
    const auto policy = keep_alive::histogram(options).make();
    for (const auto each : pauses) policy->used_after(each);
    return policy->plan();
  };
  CHECK(plan_after({30min, 30min, 30min, 30min}).keep == 7min);
  const auto learned = plan_after({30min, 30min, 30min, 30min, 30min});
  CHECK(learned.keep == 1min);
  CHECK(learned.prewarm_after == 27min);
  CHECK(learned.prewarm_keep == 31min + 186s - 27min);
  CHECK(plan_after({2h, 2h, 2h, 2h, 2h, 2h}).keep == 7min);
  std::vector<std::chrono::minutes> everything;
  for (int i = 0; i < 60; ++i) everything.emplace_back(i);
  CHECK(plan_after(everything).keep == 7min);
  // Uses in bursts hide nothing of the pauses between them.
  std::vector<std::chrono::minutes> bursts(95, 0min);
  bursts.insert(bursts.end(), 5, 30min);
  CHECK(plan_after(bursts).prewarm_after == 27min);
  // More than half of the pauses are longer than it looks.
  CHECK(plan_after({30min, 30min, 30min, 30min, 30min, 2h, 2h, 2h, 2h, 2h}).prewarm_after == 27min);
  CHECK(plan_after({30min, 30min, 30min, 30min, 30min, 2h, 2h, 2h, 2h, 2h, 2h}).keep == 7min);
  const auto often = plan_after({1min, 1min, 0min, 1min, 0min, 1min, 1min});
  CHECK(often.keep == 132s);
  CHECK(!often.prewarm_after);
}

TEST_CASE("keep_alive options outside their bounds are refused", "[keep_alive]") {
  CHECK_THROWS_AS(keep_alive::fixed(-1s), std::invalid_argument);
  CHECK_THROWS_AS(keep_alive::histogram({.bins = 1}), std::invalid_argument);
  CHECK_THROWS_AS(keep_alive::histogram({.bin = 0s}), std::invalid_argument);
  CHECK_THROWS_AS(keep_alive::histogram({.head_percent = 60}), std::invalid_argument);
  CHECK_THROWS_AS(keep_alive::histogram({.tail_percent = 40}), std::invalid_argument);
  CHECK_THROWS_AS(keep_alive::histogram({.variation_min = -1}), std::invalid_argument);
  CHECK_THROWS_AS(keep_alive::custom(nullptr), std::invalid_argument);
  runtime host;
  CHECK_THROWS_AS(host.define("work", [] {}, {.keep = keep_alive::custom([] { return nullptr; })}),
                  std::invalid_argument);
  CHECK_NOTHROW(host.define("work", [] {}));
  CHECK(keep_alive::fixed(1s) != keep_alive::fixed(1s));
  CHECK(keep_alive{} == keep_alive{});
}

TEST_CASE("an instance that could not be made ahead is not counted as one", "[keep_alive][prewarm]") {
  manual_clock time;
  int tries = 0;
  script told;
  told.plan = {.keep = 0s, .prewarm_after = 1min, .prewarm_keep = 1min};
  runtime host{{.time = &time, .drive = drive_mode::host}};
  auto work = host.define("work", per_instance([&] {
                            if (++tries == 2) throw std::runtime_error("not now");
                            return [state = 0](int value) mutable { return value + state++; };
                          }),
                          {.keep = keep_alive::custom([&] { return std::make_unique<scripted>(told); })});
  CHECK(work(1));
  host.poll();
  time.advance(1min);
  host.poll();
  REQUIRE(tries == 2);
  const auto sums = work.stats();
  CHECK(sums.init_failures == 1);
  CHECK(sums.cold_starts == 1);
  CHECK(sums.prewarmed == 0);
}

TEST_CASE("a plan for ever is one for 30 days", "[keep_alive]") {
  constexpr auto ever = std::chrono::nanoseconds::max();
  scene kept({.keep = ever});
  kept();
  kept.pass(24h * 29);
  CHECK(kept.instances() == 1);
  kept.pass(24h * 2);
  CHECK(kept.instances() == 0);
  scene ahead({.keep = 0s, .prewarm_after = 1min, .prewarm_keep = ever});
  ahead();
  ahead.pass(24h * 29);
  CHECK(ahead.instances() == 1);
  scene negative({.keep = -ever, .prewarm_after = -ever, .prewarm_keep = 1min});
  negative();
  negative.pass(30s);
  CHECK(negative.instances() == 1);
  negative.pass(1min);
  CHECK(negative.instances() == 0);
}

TEST_CASE("a factory of policies may use the runtime", "[keep_alive]") {
  runtime host;
  host.define("work", [] {}, {.keep = keep_alive::custom([&] {
                                host.define("other", [] {});
                                return keep_alive::fixed(1s).make();
                              })});
  CHECK(host.stats().functions == 2);
}

TEST_CASE("what is made ahead after a replace is the new handler's", "[keep_alive][prewarm]") {
  scene now({.keep = 0s, .prewarm_after = 5min, .prewarm_keep = 2min});
  now();
  now.pass(1min);
  int newer = 0;
  CHECK(now.host.replace(*now.work, per_instance([&newer] { return scene::counted(newer); })));
  now.pass(4min + 1s);
  CHECK(now.made == 1);
  CHECK(newer == 1);
  CHECK(now.instances() == 1);
  CHECK(now.host.replace(*now.work, per_instance([&newer] { return scene::counted(newer); })));
  CHECK(now.work->stats().prewarmed_unused == 1);
  CHECK(now.instances() == 0);
}
