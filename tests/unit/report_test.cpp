// SPDX-License-Identifier: MIT
// What is told about invocations: the report of each, the sums of a function, the state of the runtime.

#include "support/catch.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>
#include <dormouse/testing/manual_clock.hpp>

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;
using dormouse::testing::manual_clock;

namespace {
// The reports in the order they were made, with their own copy of the name.
class notebook {
 public:
  struct line {
    invocation_report report{};
    std::string function{};
  };
  invocation_observer observer() {
    return [this](const invocation_report& report) {
      const std::lock_guard lock(mutex_);
      lines_.push_back({report, std::string(report.function)});
    };
  }
  std::vector<line> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_{};
  std::vector<line> lines_{};
};

// Costs `init` to make and `run` to call, by the clock it is given.
struct costly {
  costly(manual_clock& clock, std::chrono::nanoseconds init, std::chrono::nanoseconds run) : time(clock), cost(run) {
    time.advance(init);
  }
  int operator()(int value) {
    time.advance(cost);
    if (value < 0) throw std::runtime_error("negative");
    return value;
  }
  manual_clock& time;
  std::chrono::nanoseconds cost;
};
}  // namespace

TEST_CASE("a report tells the cold start from the run, to the nanosecond", "[report]") {
  manual_clock time;
  notebook seen;
  runtime host({.observer = seen.observer(), .time = &time});
  auto work = host.define("work", per_instance([&time] { return costly(time, 300ms, 20ms); }));
  REQUIRE(work(1));
  REQUIRE(work(2));
  const auto lines = seen.lines();
  REQUIRE(lines.size() == 2);
  const auto& cold = lines[0].report;
  CHECK(lines[0].function == "work");
  CHECK(cold.cold);
  CHECK(cold.queued == 0ns);
  CHECK(cold.init == 300ms);
  CHECK(cold.run == 20ms);
  CHECK(cold.total == 320ms);
  CHECK(cold.attempt == 1);
  CHECK(cold.outcome == std::nullopt);
  const auto& warm = lines[1].report;
  CHECK_FALSE(warm.cold);
  CHECK(warm.init == 0ns);
  CHECK(warm.run == 20ms);
  CHECK(warm.total == 20ms);
  CHECK(warm.invocation != cold.invocation);
}

TEST_CASE("a report says how long the event had been queued", "[report]") {
  manual_clock time;
  notebook seen;
  runtime host({.observer = seen.observer(), .time = &time, .compute_workers_max = 1});
  std::atomic<bool> holding{false};
  std::atomic<bool> release{false};
  auto hold = host.define("hold", [&] {
    holding = true;
    while (!release) std::this_thread::yield();
  });
  auto work = host.define("work", per_instance([&time] { return costly(time, 2s, 1s); }));
  REQUIRE(hold.post());
  REQUIRE(eventually(5s, [&] { return holding.load(); }));
  auto later = work.submit(1);  // behind the only worker
  REQUIRE(later);
  time.advance(5s);
  release = true;
  REQUIRE(later->get());
  REQUIRE(eventually(5s, [&] { return seen.lines().size() == 2; }));
  const auto report = seen.lines().back().report;
  CHECK(seen.lines().back().function == "work");
  CHECK(report.queued == 5s);
  CHECK(report.init == 2s);
  CHECK(report.run == 1s);
  CHECK(report.total == 8s);
  CHECK(work.stats().queued.count() == 1);
  CHECK(work.stats().queued.percentile(1) > 4s);
}

TEST_CASE("every outcome is reported by its own code", "[report]") {
  manual_clock time;
  notebook seen;
  runtime host({.observer = seen.observer(), .time = &time});
  int made = 0;
  auto work = host.define("work", per_instance([&time, &made] {
                            if (++made == 1) throw std::runtime_error("no luck");
                            return costly(time, 0s, 1s);
                          }),
                          {.timeout = 10s});
  CHECK(!work(1));                                                     // no instance
  CHECK(work(1));                                                      // well
  CHECK(!work(-1));                                                    // it threw
  CHECK(!host.invoke("work", {.type = "t", .data = "not a number"}));  // not entered
  CHECK(!host.invoke("work", {.type = "t", .data = "1"}, {.deadline = time.now() - 1s}));
  CHECK(!host.invoke("work", {.type = "t", .data = "1"}, {.deadline = time.now() + 500ms}));
  std::vector<std::optional<errc>> outcomes;
  for (const auto& line : seen.lines()) outcomes.push_back(line.report.outcome);
  CHECK(outcomes == std::vector<std::optional<errc>>{errc::init_failed, std::nullopt, errc::function_failed,
                                                     errc::invalid_argument, errc::deadline_exceeded,
                                                     errc::deadline_exceeded});
  const auto sums = work.stats();
  CHECK(sums.invocations == 3);  // entered: well, threw, too late
  CHECK(sums.cold_starts == 1);
  CHECK(sums.init_failures == 1);
  CHECK(sums.function_failures == 1);
  CHECK(sums.timeouts == 1);
  CHECK(sums.run.count() == 3);
  CHECK(sums.init.count() == 1);
}

TEST_CASE("a call that never ran counts as a refusal, whatever refused it", "[report]") {
  manual_clock time;
  runtime host({.time = &time});
  auto work = host.define("work", [n = 0](int by) mutable { return n += by; }, {.queue_depth_max = 1});
  REQUIRE(work(1));
  SECTION("its deadline had passed") {
    CHECK(!host.invoke("work", {.type = "t", .data = "1"}, {.deadline = time.now() - 1s}));
  }
  SECTION("its data was not what the handler takes") { CHECK(!host.invoke("work", {.type = "t", .data = "x"})); }
  SECTION("the runtime is closed") {
    host.close(0s);
    CHECK(work(1).error().code == errc::shutting_down);
  }
  CHECK(work.stats().refusals == 1);
  CHECK(work.stats().invocations == 1);
}

TEST_CASE("the sums of a function outlive its instances", "[report]") {
  manual_clock time;
  runtime host({.time = &time});
  auto work = host.define("work", per_instance([&time] { return costly(time, 1ms, 1ms); }), {.idle_timeout = 60s});
  for (int i = 0; i < 10; ++i) REQUIRE(work(i));
  CHECK(work.stats().instances_now == 1);
  time.advance(61s);
  REQUIRE(eventually(5s, [&] { return host.stats().instances == 0; }));
  CHECK(work.stats().instances_now == 0);
  CHECK(work.stats().invocations == 10);
  CHECK(work.stats().cold_starts == 1);
  CHECK(work.stats().run.count() == 10);
  REQUIRE(work(1));
  CHECK(work.stats().invocations == 11);
  CHECK(work.stats().cold_starts == 2);
}

TEST_CASE("a function that was never called has nothing but zeros", "[report]") {
  runtime host;
  auto idle = host.define("idle", [] {});
  const auto sums = idle.stats();
  CHECK(sums.invocations == 0);
  CHECK(sums.refusals == 0);
  CHECK(sums.queued_now == 0);
  CHECK(sums.instances_now == 0);
  CHECK(sums.run.count() == 0);
  CHECK(idle.name() == "idle");
  const auto now = host.stats();
  CHECK(now.functions == 1);
  CHECK(now.threads == 0);
  CHECK(now.threads_started == 0);
  CHECK(now.instances == 0);
  CHECK(now.queued == 0);
}

TEST_CASE("the runtime counts what is queued and running as long as it is", "[report]") {
  runtime host({.compute_workers_max = 1});
  std::atomic<bool> release{false};
  auto hold = host.define("hold", [&release] {
    while (!release) std::this_thread::yield();
  });
  for (int i = 0; i < 3; ++i) REQUIRE(hold.post());
  CHECK(host.stats().queued == 3);
  CHECK(hold.stats().queued_now == 3);
  CHECK(host.stats().threads == 1);
  release = true;
  REQUIRE(eventually(5s, [&] { return host.stats().queued == 0; }));
  CHECK(hold.stats().queued_now == 0);
  CHECK(hold.stats().invocations == 3);
}
