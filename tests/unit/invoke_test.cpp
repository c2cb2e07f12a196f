// SPDX-License-Identifier: MIT
// Calls on the caller's thread: where they run, what they cost, how they fail.

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/threads.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/testing/manual_clock.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;

TEST_CASE("a warm call runs on the caller's thread, allocates nothing and starts no thread", "[invoke]") {
  runtime host;
  auto where = host.define("where", [calls = 0]() mutable { return ++calls, std::this_thread::get_id(); });
  REQUIRE(*where() == std::this_thread::get_id());  // cold: may allocate, and starts the timekeeper
  const std::size_t threads_before = host.stats().threads;
  const auto allocated = support::allocations_during([&] {
    for (int i = 0; i < 1'000; ++i) CHECK_FALSE(!where());
  });
  CHECK(allocated == 0);  // says nothing in sanitizer builds, where allocations are not counted
  CHECK(host.stats().threads == threads_before);
  CHECK(host.stats().queued == 0);
  CHECK(where.stats().invocations == 1'001);
  CHECK(where.stats().cold_starts == 1);
}

TEST_CASE("the cold start's timekeeper is started after the handler has returned", "[invoke]") {
  runtime host;
  std::size_t during = 99;
  auto look = host.define("look", [&host, &during, state = 1]() mutable {
    ++state;
    during = host.stats().threads;
  });
  REQUIRE(look());
  CHECK(during == 0);
  CHECK(host.stats().threads == 1);
}

TEST_CASE("a captureless handler has no cold start and wakes nothing", "[invoke]") {
  runtime host;
  auto next = host.define("next", [](int n, context& ctx) { return ctx.cold() ? -1 : n + 1; });
  REQUIRE(*next(1) == 2);
  REQUIRE(*next(2) == 3);
  CHECK(host.stats().threads == 0);
  CHECK(host.stats().instances == 0);
}

TEST_CASE("an invocation that did not run and one that ran and failed are never mixed up", "[invoke]") {
  runtime host;
  int entered = 0;
  auto picky = host.define("picky", [&entered](int n) -> result<int> {
    ++entered;
    if (n < 0) return failure{.code = errc::conflict, .effect = effect_kind::not_applied, .detail = "negative"};
    if (n == 0) throw std::runtime_error("zero");
    return n;
  });
  SECTION("it did not run: the data is not what it takes") {
    const auto got = host.invoke("picky", {.type = "t", .data = "many"});
    REQUIRE(!got);
    CHECK(got.error().code == errc::invalid_argument);
    CHECK(got.error().effect == effect_kind::not_applied);
    CHECK(entered == 0);
    CHECK(picky.stats().invocations == 0);
    CHECK(picky.stats().function_failures == 0);
  }
  SECTION("it ran and returned a failure, which stays as the cause") {
    const auto got = picky(-1);
    REQUIRE(!got);
    CHECK(got.error().code == errc::function_failed);
    CHECK(got.error().cause == errc::conflict);
    CHECK(got.error().effect == effect_kind::not_applied);
    CHECK(got.error().detail == "negative");
    CHECK(entered == 1);
  }
  SECTION("it ran and threw") {
    const auto got = picky(0);
    REQUIRE(!got);
    CHECK(got.error().code == errc::function_failed);
    CHECK(got.error().reason == failure_reason::handler_threw);
    CHECK(got.error().effect == effect_kind::unknown);
    CHECK(got.error().detail == "zero");
    CHECK(picky.stats().function_failures == 1);
  }
}

namespace {
struct rude {
  explicit rude(int how) : how_(how) {
    if (how == 1) throw 42;
    if (how == 2) throw std::bad_alloc{};
    if (how == 3) throw std::runtime_error("no luck");
  }
  int operator()() const { return how_; }
  int how_;
};
struct throws_when_gone {
  throws_when_gone() = default;
  throws_when_gone(const throws_when_gone&) = default;
  ~throws_when_gone() noexcept(false) { throw std::runtime_error("destructor"); }
  int operator()() const { return 1; }
};
struct nasty_what : std::exception {
  const char* what() const noexcept override { return "nasty"; }
};
}  // namespace

TEST_CASE("whatever a handler throws costs its own invocation and nothing else", "[invoke]") {
  runtime host;
  const int kind = GENERATE(0, 1, 2, 3, 4);
  auto thrower = host.define("thrower", [kind](context&) {
    switch (kind) {
      case 0: throw 7;
      case 1: throw nullptr;
      case 2: throw std::bad_alloc{};
      case 3: throw nasty_what{};
      default: throw std::string(100'000, 'x');
    }
  });
  auto good = host.define("good", [] { return 1; });
  for (int i = 0; i < 100; ++i) {
    const auto got = thrower();
    REQUIRE(!got);
    CHECK(got.error().code == errc::function_failed);
  }
  CHECK(*good() == 1);
  CHECK(thrower.stats().function_failures == 100);
}

TEST_CASE("a failing init costs the event that met it and is never cached", "[invoke]") {
  testing::manual_clock time;
  runtime host({.time = &time});
  int attempts = 0;
  auto late = host.define("late", per_instance([&attempts] { return rude(++attempts <= 3 ? attempts : 9); }));
  const auto int_thrown = late();
  REQUIRE(!int_thrown);
  CHECK(int_thrown.error().code == errc::init_failed);
  const auto memory = late();
  REQUIRE(!memory);
  CHECK(memory.error().code == errc::out_of_memory);
  const auto text = late();
  REQUIRE(!text);
  CHECK(text.error().detail == "no luck");
  CHECK(text.error().effect == effect_kind::not_applied);
  time.advance(100ms);  // the third in a row: starts are spaced from here on
  CHECK(*late() == 9);
  CHECK(late.stats().init_failures == 3);
  CHECK(late.stats().function_failures == 0);
  CHECK(host.stats().instances == 1);
}

TEST_CASE("a throwing destructor of an instance is contained and counted", "[invoke]") {
  runtime host;
  auto bad = host.define("bad", per_instance([] { return throws_when_gone{}; }), {.idle_timeout = 0ns});
  CHECK(*bad() == 1);
  CHECK(*bad() == 1);
  CHECK(bad.stats().destructor_failures == 2);
  CHECK(host.stats().instances == 0);
}

TEST_CASE("a value that arrives after the deadline is dropped, and its instance destroyed", "[invoke]") {
  testing::manual_clock time;
  runtime host({.time = &time});
  auto slow = host.define("slow",
                          [&time, uses = 0](bool late) mutable {
                            if (late) time.advance(2s);
                            return ++uses;
                          },
                          {.timeout = 1s});
  CHECK(*slow(false) == 1);
  CHECK(*slow(false) == 2);
  const auto got = slow(true);
  REQUIRE(!got);
  CHECK(got.error().code == errc::deadline_exceeded);
  CHECK(got.error().effect == effect_kind::unknown);
  CHECK(got.error().reason == failure_reason::timeout);
  CHECK(host.stats().instances == 0);
  CHECK(*slow(false) == 1);  // a new instance
  CHECK(slow.stats().timeouts == 1);
}

TEST_CASE("a deadline that has passed before entry is not applied", "[invoke]") {
  testing::manual_clock time;
  runtime host({.time = &time});
  int entered = 0;
  auto count = host.define("count", [&entered] { return ++entered; });
  const auto got = host.invoke("count", {.type = "t"}, {.deadline = time.now() - 1s});
  REQUIRE(!got);
  CHECK(got.error().code == errc::deadline_exceeded);
  CHECK(got.error().effect == effect_kind::not_applied);
  CHECK(entered == 0);
  CHECK(*count() == 1);
}

TEST_CASE("remaining time and the stop request follow the clock", "[invoke][context]") {
  testing::manual_clock time;
  runtime host({.time = &time});
  host.define("watch",
              [&time](context& ctx) {
                CHECK(ctx.remaining() == 10s);
                CHECK_FALSE(ctx.stop_requested());
                time.advance(10s);
                CHECK(ctx.remaining() == 0s);
                CHECK_FALSE(ctx.stop_requested());  // at the deadline, not past it
                time.advance(1ns);
                CHECK(ctx.stop_requested());
              },
              {.timeout = 10s});
  CHECK_FALSE(host.invoke("watch", {.type = "t"}));
}

TEST_CASE("the inner call inherits depth and the earlier deadline", "[invoke][lineage]") {
  testing::manual_clock time;
  runtime outer({.time = &time});
  runtime other({.time = &time});
  auto inner = other.define("inner",
                            [](context& ctx) {
                              CHECK(ctx.depth() == 2);
                              CHECK(ctx.remaining() == 5s);
                              CHECK(ctx.lineage() == "outer > inner");
                            },
                            {.timeout = 60s});
  auto middle = outer.define("outer",
                             [&](context& ctx) {
                               CHECK(ctx.depth() == 1);
                               REQUIRE(inner());
                             },
                             {.timeout = 5s});
  REQUIRE(middle());
}

TEST_CASE("a chain deeper than depth_max is refused with the chain", "[invoke][lineage]") {
  runtime host({.depth_max = 5});
  int deepest = 0;
  std::string chain;
  host.define("down", [&](context& ctx) -> result<void> {
    deepest = static_cast<int>(ctx.depth());
    const auto got = ctx.invoke("down", {.type = "t"});
    if (got) return {};
    if (got.error().code == errc::recursion_limit) chain = got.error().detail;
    return got.error();
  });
  const auto got = host.invoke("down", {.type = "t"});
  REQUIRE(!got);
  CHECK(deepest == 5);
  CHECK(chain.find("down > down > down") != std::string::npos);
  CHECK(host.stats().queued == 0);
}

TEST_CASE("a function that is in its own chain and has no free instance fails at once", "[invoke][lineage]") {
  runtime host;
  failure_reason reason{};
  host.define("self",
              [&](context& ctx) {
                const auto got = ctx.invoke("self", {.type = "t"});
                REQUIRE(!got);
                CHECK(got.error().code == errc::recursion_limit);
                reason = got.error().reason;
              },
              {.instances_max = 1});
  REQUIRE(host.invoke("self", {.type = "t"}));
  CHECK(reason == failure_reason::chain);
}

TEST_CASE("an observer gets one report an invocation, after its outcome is fixed", "[invoke][report]") {
  std::vector<invocation_report> seen;
  runtime* known = nullptr;
  runtime host({.observer = [&](const invocation_report& what) {
    seen.push_back(what);
    seen.back().function = {};
    if (known != nullptr && known->stats().instances != 1) FAIL("the instance is given back first");
  }});
  known = &host;
  auto half = host.define("half", [n = 0](int value) mutable -> result<int> {
    ++n;
    if (value % 2 != 0) throw std::runtime_error("odd");
    return value / 2;
  });
  CHECK(*half(4) == 2);
  CHECK_FALSE(half(3));
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].cold);
  CHECK(!seen[0].outcome);
  CHECK(seen[0].total >= seen[0].run);
  CHECK(seen[0].total >= seen[0].init);
  CHECK_FALSE(seen[1].cold);
  CHECK(seen[1].outcome == errc::function_failed);
  CHECK(seen[1].attempt == 1);
  CHECK(seen[0].invocation != seen[1].invocation);
}

TEST_CASE("a throwing observer costs nothing but a count", "[invoke][report]") {
  runtime host({.observer = [](const invocation_report&) { throw 1; }});
  auto one = host.define("one", [] { return 1; });
  CHECK(*one() == 1);
  CHECK(host.stats().observer_failures == 1);
}

TEST_CASE("a caller that must be free at the deadline is", "[invoke]") {
  runtime host;
  std::atomic<bool> release{false};
  host.define("stuck", [&release] {
    while (!release) std::this_thread::yield();
  });
  const auto got =
      host.invoke("stuck", {.type = "t"}, {.deadline = host.time().now() + 20ms, .release_at_deadline = true});
  REQUIRE(!got);
  CHECK(got.error().code == errc::deadline_exceeded);
  CHECK(got.error().effect == effect_kind::unknown);
  release = true;
  CHECK(host.close(std::chrono::seconds(10)).empty());
}
