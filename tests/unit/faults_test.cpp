// SPDX-License-Identifier: MIT
// Faults that were asked for happen, as often as asked, and are counted.

#include "support/catch.hpp"

#include <dormouse/testing/faults.hpp>
#include <dormouse/testing/simulation.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::fault;
using dormouse::testing::fault_plan;
using dormouse::testing::manual_clock;

namespace {

struct scene {
  manual_clock time{};
  fault_plan plan{time};
  int ran = 0;
  int made = 0;
  runtime host{{.time = &time, .drive = drive_mode::host}};
  handle<int(int)> work = host.define("work", plan.around([this](int i) {
    ++ran;
    return i * 2;
  }),
                                      {.timeout = 5s, .retry = {.attempts_max = 2, .delay_first = 0s}});
};

}  // namespace

TEST_CASE("without faults a wrapped handler is the handler", "[faults]") {
  scene now;
  CHECK(now.work(4).value() == 8);
  auto text = now.host.define("text", now.plan.around([](std::string_view who) { return std::string(who) + "!"; }));
  CHECK(text("ann").value() == "ann!");
  auto nothing = now.host.define("nothing", now.plan.around([](context& ctx) { CHECK(ctx.attempt() == 1); }));
  CHECK(nothing());
  auto fails = now.host.define("fails", now.plan.around([](const std::string& why) -> result<int> {
    return failure{.code = errc::conflict, .detail = why};
  }));
  CHECK(fails("no").error().cause == errc::conflict);
}

TEST_CASE("the next n fail, throw, are delayed, run twice, and then no more", "[faults]") {
  scene now;
  now.plan.fail_next(2, {.code = errc::conflict, .effect = effect_kind::not_applied});
  CHECK(now.work(1).error().cause == errc::conflict);
  CHECK(now.plan.left(fault::fail) == 1);
  CHECK(!now.work(1));
  CHECK(now.work(1));
  CHECK(now.ran == 1);
  now.plan.throw_next(3);
  for (int i = 0; i < 3; ++i) CHECK(now.work(1).error().reason == failure_reason::handler_threw);
  CHECK(now.work(1));
  CHECK(now.ran == 2);
  const auto before = now.time.now();
  now.plan.delay_next(1, 2s);
  CHECK(now.work(1));
  CHECK(now.time.now() == before + 2s);
  now.plan.duplicate_next(1);
  CHECK(now.work(3).value() == 6);
  CHECK(now.ran == 5);
  CHECK(now.plan.fired(fault::fail) == 2);
  CHECK(now.plan.fired(fault::throws) == 3);
  CHECK(now.plan.fired(fault::delay) == 1);
  CHECK(now.plan.fired(fault::duplicate) == 1);
  CHECK(now.plan.fired(fault::kill) == 0);
}

TEST_CASE("what is killed has run, its outcome is lost and its instance gone", "[faults]") {
  manual_clock time;
  fault_plan plan(time);
  int made = 0;
  int ran = 0;
  runtime host{{.time = &time, .drive = drive_mode::host}};
  auto work = host.define("work", per_instance([&] {
                            ++made;
                            return plan.around([&ran](int i) {
                              ++ran;
                              return i;
                            });
                          }),
                          {.timeout = 5s, .retry = {.attempts_max = 3, .delay_first = 0s, .jitter_percent = 0}});
  plan.kill_next(1);
  auto lost = work(1);
  CHECK(lost.error().code == errc::deadline_exceeded);
  CHECK(lost.error().effect == effect_kind::unknown);
  CHECK(ran == 1);
  CHECK(work(1));
  CHECK(made == 2);
  plan.kill_next(2);
  CHECK(work.post(7));
  host.poll();
  CHECK(ran == 5);
  CHECK(made == 4);
  CHECK(host.stats().dead_letters == 0);
}

TEST_CASE("a throttled call or post has not happened", "[faults]") {
  scene now;
  auto calls = now.plan.through(now.work);
  now.plan.throttle_next(3);
  CHECK(calls(1).error().code == errc::throttled);
  CHECK(calls.post(1).error().code == errc::throttled);
  CHECK(calls.submit(1).error().effect == effect_kind::not_applied);
  CHECK(calls(1).value() == 2);
  CHECK(calls.post(1));
  CHECK(calls.submit(4)->get().value() == 8);
  CHECK(now.ran == 3);
  CHECK(now.plan.fired(fault::throttle) == 3);
}

TEST_CASE("faults at random come at their rates, the same for the same seed", "[faults]") {
  const auto history = [](std::uint64_t seed) {
    scene now;
    now.plan.at_random(seed, {.fail = 100, .throws = 50, .kill = 20, .delay = 100, .duplicate = 30});
    std::string trace;
    for (int i = 0; i < 2'000; ++i) trace += now.work(1) ? '.' : 'x';
    CHECK(now.plan.fired(fault::fail) > 120);
    CHECK(now.plan.fired(fault::fail) < 280);
    CHECK(now.plan.fired(fault::throws) > 50);
    CHECK(now.plan.fired(fault::kill) > 10);
    CHECK(now.plan.fired(fault::delay) > 120);
    CHECK(now.plan.fired(fault::duplicate) > 20);
    return trace;
  };
  CHECK(history(1) == history(1));
  CHECK(history(1) != history(2));
  scene now;
  CHECK_THROWS_AS(now.plan.at_random(1, {.fail = 600, .delay = 500}), std::invalid_argument);
}

TEST_CASE("a pipeline under faults at random ends each event once", "[faults][simulation]") {
  testing::for_each_seed({.count = 50}, [](std::uint64_t seed) {
    testing::simulation sim(seed);
    fault_plan plan(sim.time());
    plan.at_random(seed, {.fail = 150, .throws = 50, .kill = 50, .delay = 50});
    int done = 0;
    auto last = sim.host().define("last", plan.around([&done](int) { ++done; }), {.retry = {.attempts_max = 100}});
    auto first = sim.host().define("first", plan.around([&last](int i) -> result<void> {
      auto posted = last.post(i);
      return posted ? result<void>{} : result<void>(posted.error());
    }),
                                   {.retry = {.attempts_max = 100}});
    for (int i = 0; i < 100; ++i) {
      if (!first.post(i)) return false;
    }
    const bool idle = sim.drain_until_idle();
    const bool hurt = plan.fired(fault::fail) > 0 && plan.fired(fault::kill) > 0;
    return idle && hurt && sim.host().stats().dead_letters == 0 && done >= 100;
  });
}

namespace {

int twice(int i) { return i * 2; }

// Immovable, with state of its own.
struct counting_instance {
  explicit counting_instance(int& made_so_far) { ++made_so_far; }
  counting_instance(const counting_instance&) = delete;
  counting_instance& operator=(const counting_instance&) = delete;
  int operator()(int i) { return i + ++calls; }
  int calls = 0;
};

}  // namespace

TEST_CASE("a wrapped handler defines as the original does", "[faults]") {
  manual_clock time;
  fault_plan plan(time);
  int made = 0;
  int sum = 0;
  runtime host{{.time = &time, .drive = drive_mode::host}};
  CHECK(host.define("function", plan.around(twice), {.instance_concurrency = 4})(4).value() == 8);
  CHECK(host.define("const", plan.around([](int i) { return i; }), {.instance_concurrency = 4})(4).value() == 4);
  CHECK_THROWS_AS(
      host.define("mutable", plan.around([n = 0](int i) mutable { return n += i; }), {.instance_concurrency = 4}),
      std::invalid_argument);
  auto immovable = host.define("immovable", plan.around(per_instance([&] { return counting_instance{made}; })));
  CHECK(immovable(10).value() == 11);
  CHECK(immovable(10).value() == 12);
  CHECK(made == 1);
  plan.kill_next(1);
  CHECK(immovable(10).error().code == errc::deadline_exceeded);
  CHECK(immovable(10).value() == 11);
  CHECK(made == 2);
  auto moves = host.define("moves", plan.around([](std::unique_ptr<int> what) { return *what; }));
  CHECK(moves(std::make_unique<int>(7)).value() == 7);
  auto takes =
      host.define("takes", plan.around([](std::string&& text, context&) { return std::string(std::move(text)); }));
  CHECK(takes(std::string("text")).value() == "text");
  const auto adds = [&sum](const event& message) { sum += static_cast<int>(message.data.size()); };
  host.define("event", plan.around(adds));
  CHECK(host.invoke("event", {.type = "t", .data = "abc"}));
  CHECK(sum == 3);
}

TEST_CASE("each fault comes as it was asked for", "[faults]") {
  scene now;
  now.plan.fail_next(1, {.code = errc::conflict});
  now.plan.fail_next(1, {.code = errc::not_found});
  CHECK(now.work(1).error().cause == errc::conflict);
  CHECK(now.work(1).error().cause == errc::not_found);
  now.plan.delay_next(1, 1s);
  now.plan.delay_next(1, 3s);
  now.plan.at_random(1, {.delayed_by = 2s});
  const auto before = now.time.now();
  CHECK(now.work(1));
  CHECK(now.time.now() == before + 1s);
  CHECK(now.work(1));
  CHECK(now.time.now() == before + 4s);
  CHECK_THROWS_AS(now.plan.delay_next(1, -1s), std::invalid_argument);
  CHECK_THROWS_AS(now.plan.at_random(1, {.delayed_by = -1s}), std::invalid_argument);
  CHECK_THROWS_AS(now.plan.at_random(1, {.fail = 4'294'967'295U, .throws = 2}), std::invalid_argument);
}

TEST_CASE("what has not happened is told, and not counted", "[faults]") {
  scene now;
  CHECK(now.plan.unfired().empty());
  now.plan.fail_next(2);
  now.plan.kill_next(1);
  now.plan.delay_next(0, 1s);
  CHECK(now.plan.unfired() == "fail 2, kill 1");
  CHECK(!now.work(1));
  CHECK(now.plan.unfired() == "fail 1, kill 1");
  CHECK(!now.work(1));
  CHECK(!now.work(1));
  CHECK(now.plan.unfired().empty());
  // What cannot be copied cannot come twice: the fault waits for a handler that it can happen to.
  auto moves = now.host.define("moves", now.plan.around([](std::unique_ptr<int> what) { return *what; }));
  now.plan.duplicate_next(1);
  CHECK(moves(std::make_unique<int>(7)));
  CHECK(now.plan.fired(fault::duplicate) == 0);
  CHECK(now.plan.unfired() == "duplicate 1");
  const int before = now.ran;
  CHECK(now.work(1));
  CHECK(now.ran == before + 2);
  CHECK(now.plan.fired(fault::duplicate) == 1);
}

TEST_CASE("a handler that throws is delayed and killed all the same, and repeated", "[faults]") {
  scene now;
  int entered = 0;
  auto throws = now.host.define("throws", now.plan.around([&entered](int i) -> int {
    if (++entered != 3 || i == 0) throw std::runtime_error("its own");
    return i;
  }),
                                {.timeout = 5s});
  const auto before = now.time.now();
  now.plan.delay_next(1, 2s);
  CHECK(throws(1).error().reason == failure_reason::handler_threw);
  CHECK(now.time.now() == before + 2s);
  now.plan.duplicate_next(1);
  CHECK(throws(1).value() == 1);
  CHECK(entered == 3);
  now.plan.kill_next(1);
  CHECK(!throws(0));
  CHECK(now.time.now() > before + 7s);
  CHECK(now.plan.unfired().empty());
}

TEST_CASE("a delay beyond the timeout is a timeout, and the event is tried again", "[faults]") {
  scene now;
  now.plan.delay_next(1, 6s);
  CHECK(now.work.post(1));
  now.host.poll();
  CHECK(now.ran == 2);
  CHECK(now.host.stats().dead_letters == 0);
  now.plan.delay_next(1, 6s);
  CHECK(now.work(1).error().reason == failure_reason::timeout);
}

TEST_CASE("a fault that cannot happen on one occasion shifts no other", "[faults]") {
  // A throttle that is drawn inside a handler cannot happen there, and shifts nothing.
  const auto history = [](unsigned throttle) {
    scene now;
    now.plan.at_random(7, {.throttle = throttle, .fail = 500 - throttle});
    std::string trace;
    for (int i = 0; i < 200; ++i) trace += now.work(1) ? '.' : 'x';
    return trace;
  };
  const std::string all = history(0);
  const std::string some = history(200);
  int lost = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK((some[i] != 'x' || all[i] == 'x'));
    if (some[i] != all[i]) ++lost;
  }
  CHECK(lost > 20);
}
