// SPDX-License-Identifier: MIT
// How many instances there may be: the runtime's ceiling, reserved and provisioned ones, inits that fail in a row.

#include "support/catch.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>
#include <dormouse/testing/manual_clock.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;
using dormouse::testing::manual_clock;

namespace {

struct instance_state {
  int calls = 0;
  void use() { ++calls; }
};

// Holds whoever enters until it is opened.
struct barrier {
  std::atomic<int> inside{0};
  std::atomic<bool> open{false};
  void pass() {
    ++inside;
    while (!open) std::this_thread::yield();
    --inside;
  }
};

}  // namespace

TEST_CASE("the runtime's instances_max holds for all functions together, and an idle instance makes room",
          "[instances][ceiling]") {
  runtime host({.instances_max = 3});
  std::vector<handle<int()>> functions;
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    functions.push_back(host.define(name, [state = instance_state{}]() mutable { return ++state.calls; }));
  }
  for (int round = 0; round < 2; ++round) {
    for (auto& each : functions) {
      REQUIRE(each());
      CHECK(host.stats().instances <= 3);
    }
  }
  for (auto& each : functions) {
    auto later = each.submit();
    REQUIRE(later);
    CHECK(later->get());
    CHECK(host.stats().instances <= 3);
  }
}

TEST_CASE("at the runtime's instances_max callers and events wait for whoever ends first", "[instances][ceiling]") {
  barrier gate;
  runtime host({.instances_max = 1, .compute_workers_max = 4});
  auto holder = host.define("holder", [&, state = instance_state{}]() mutable {
    state.use();
    gate.pass();
  });
  auto other = host.define("other", [state = instance_state{}]() mutable { return ++state.calls; });
  auto strict =
      host.define("strict", [state = instance_state{}]() mutable { state.use(); }, {.busy = when_busy::throttle});
  auto held = holder.submit();
  REQUIRE(eventually(5s, [&] { return gate.inside == 1; }));
  auto event = other.submit();
  REQUIRE(event);
  std::optional<result<int>> call;
  std::thread caller([&] { call = other(); });
  REQUIRE(eventually(5s, [&] { return other.stats().waiting_now == 1; }));
  CHECK(strict().error().reason == failure_reason::instances);
  CHECK(!event->ready());
  gate.open = true;
  CHECK(held->get());
  caller.join();
  CHECK(call->has_value());
  CHECK(event->get());
}

TEST_CASE("instances_reserved is there for its function whatever others take", "[instances][reserved]") {
  barrier gate;
  runtime host({.instances_max = 3, .compute_workers_max = 4});
  auto precious =
      host.define("precious", [state = instance_state{}]() mutable { state.use(); }, {.instances_reserved = 1});
  auto greedy = host.define("greedy", [&, state = instance_state{}]() mutable {
    state.use();
    gate.pass();
  });
  std::vector<pending<void>> held;
  for (int i = 0; i < 4; ++i) held.push_back(std::move(*greedy.submit()));
  REQUIRE(eventually(5s, [&] { return gate.inside == 2; }));
  CHECK(precious());
  CHECK(gate.inside == 2);
  CHECK(host.stats().instances <= 3);
  CHECK_THROWS_AS(host.define("more", [] {}, {.instances_reserved = 3}), std::invalid_argument);
  gate.open = true;
  for (auto& each : held) CHECK(each.get());
}

TEST_CASE("provisioned instances are made before they are needed and stay", "[instances][provisioned]") {
  manual_clock time;
  std::atomic<int> made{0};
  std::atomic<int> alive{0};
  struct state {
    state(std::atomic<int>& all, std::atomic<int>& count) : alive(all) {
      ++alive;
      ++count;
    }
    ~state() { --alive; }
    std::atomic<int>& alive;
    bool operator()(context& ctx) { return ctx.cold(); }
  };
  runtime host({.time = &time, .thread_idle_timeout = 0ns});
  auto work = host.define<bool()>("work", per_instance([&] { return state(alive, made); }),
                                  {.idle_timeout = 1s, .instances_provisioned = 2});
  REQUIRE(eventually(5s, [&] { return work.stats().instances_now == 2; }));
  CHECK(work().value() == false);  // never cold
  CHECK(work.stats().spillovers == 0);
  time.advance(10s);
  REQUIRE(eventually(5s, [&] { return host.stats().threads == 0; }));  // and nobody keeps watch over them
  CHECK(alive == 2);

  REQUIRE(host.replace(work, per_instance([&] { return state(alive, made); })));
  REQUIRE(eventually(5s, [&] { return made == 4 && alive == 2; }));
  CHECK(work().value() == false);
  CHECK_THROWS_AS(host.define("bad", [] {}, {.instances_max = 1, .instances_provisioned = 2}), std::invalid_argument);
}

TEST_CASE("an invocation that finds every provisioned instance busy spills over, and is counted",
          "[instances][provisioned]") {
  manual_clock time;
  barrier gate;
  runtime host({.time = &time, .compute_workers_max = 3});
  auto work = host.define("work",
                          [&, state = instance_state{}]() mutable {
                            state.use();
                            gate.pass();
                          },
                          {.instances_provisioned = 1});
  REQUIRE(eventually(5s, [&] { return work.stats().instances_now == 1; }));
  std::vector<pending<void>> held;
  for (int i = 0; i < 3; ++i) held.push_back(std::move(*work.submit()));
  REQUIRE(eventually(5s, [&] { return gate.inside == 3; }));
  CHECK(work.stats().spillovers == 2);
  gate.open = true;
  for (auto& each : held) CHECK(each.get());
  // What spilled over goes when idle, what is provisioned stays.
  REQUIRE(eventually(5s, [&] { return host.stats().queued == 0; }));
  for (int i = 0; i < 10 && work.stats().instances_now != 1; ++i) {
    time.advance(60s);
    [[maybe_unused]] const bool soon = eventually(50ms, [&] { return work.stats().instances_now == 1; });
  }
  time.advance(600s);
  CHECK(work.stats().instances_now == 1);
}

TEST_CASE("after three failed inits in a row starts are spaced, twice as far each time", "[instances][spacing]") {
  manual_clock time;
  std::atomic<int> tried{0};
  std::atomic<bool> broken{true};
  runtime host({.time = &time});
  struct state {
    void operator()() {}
  };
  auto work = host.define<void()>("work", per_instance([&] {
                                    ++tried;
                                    if (broken) throw std::runtime_error("no");
                                    return state{};
                                  }));
  for (int i = 0; i < 3; ++i) CHECK(work().error().reason == failure_reason::handler_threw);
  CHECK(tried == 3);
  const auto refused = work();
  REQUIRE(!refused);
  CHECK(refused.error().code == errc::init_failed);
  CHECK(refused.error().reason == failure_reason::init_spacing);
  CHECK(refused.error().retry_after == 100ms);
  CHECK(tried == 3);
  time.advance(100ms);
  CHECK(work().error().reason == failure_reason::handler_threw);
  CHECK(work().error().retry_after == 200ms);
  for (auto space = 200ms; space < 60s; space *= 2) {
    time.advance(space);
    CHECK(work().error().code == errc::init_failed);
  }
  CHECK(work().error().retry_after == 30s);

  const auto told = work.submit()->get();  // somebody waits for it: told at once
  CHECK(told.error().reason == failure_reason::init_spacing);
  CHECK(told.error().retry_after == 30s);
  const int before = tried;
  REQUIRE(work.post());  // waits for the next start, and costs no attempt meanwhile
  broken = false;
  CHECK(host.stats().queued == 1);
  for (int i = 0; i < 100 && host.stats().queued > 0; ++i) {
    CHECK((tried == before || tried == before + 1));
    time.advance(1s);
    [[maybe_unused]] const bool soon = eventually(20ms, [&] { return host.stats().queued == 0; });
  }
  CHECK(host.stats().queued == 0);
  CHECK(work.stats().retries == 0);
  CHECK(work());
  CHECK(work.stats().init_failures >= 4);
}
