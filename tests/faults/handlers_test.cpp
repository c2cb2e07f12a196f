// SPDX-License-Identifier: MIT
// Handlers that do what they must not: throw anything, never return, close, post to themselves for ever.

#include "support/catch.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;

namespace {

struct mute : std::exception {
  const char* what() const noexcept override { return nullptr; }
};
struct bare {};
struct heavy {
  std::array<char, 4096> bytes{};
};

constexpr int zoo_size = 11;

void throw_kind(int kind) {
  switch (kind) {
    case 0: throw std::runtime_error("plain");
    case 1: throw 1;
    case 2: throw nullptr;
    case 3: throw "text";
    case 4: throw mute{};
    case 5: throw bare{};
    case 6: throw heavy{};
    case 7: throw std::bad_alloc{};
    case 8: throw std::runtime_error(std::string(1'000'000, 'x'));
    case 9: try { throw std::logic_error("inner");
      } catch (...) {
        std::throw_with_nested(std::runtime_error("outer"));
      }
    case 10: throw failure{.code = errc::conflict, .detail = "a failure, thrown"};
    default: return;
  }
}

// Throws when it is made, used or gone, whichever is asked for.
struct thrower {
  enum class when { made, used, gone };
  thrower(when asked, int what) : moment(asked), kind(what) {
    if (moment == when::made) throw_kind(kind);
  }
  ~thrower() noexcept(false) {
    if (moment == when::gone) throw_kind(kind);
  }
  void operator()() {
    if (moment == when::used) throw_kind(kind);
  }
  when moment;
  int kind;
};

}  // namespace

TEST_CASE("whatever is thrown, wherever: one invocation fails, typed, and the rest goes on", "[faults][zoo]") {
  const auto moment = GENERATE(thrower::when::made, thrower::when::used, thrower::when::gone);
  std::atomic<std::uint64_t> thrown{0};
  runtime host({.observer = [&](const invocation_report&) { throw_kind(static_cast<int>(thrown++ % zoo_size)); }});
  auto good = host.define("good", [] { return 1; });
  int wrong = 0;
  for (int kind = 0; kind < zoo_size; ++kind) {
    const std::string name = std::string("bad").append(std::to_string(kind));
    auto bad = host.define<void()>(name, per_instance([=] { return thrower(moment, kind); }),
                                   {.idle_timeout = 0ns, .retry = {.attempts_max = 1}});
    for (int i = 0; i < 100; ++i) {
      const auto called = bad();
      auto later = bad.submit();
      const auto got = later->get();
      if (moment == thrower::when::gone) {
        wrong += called && got ? 0 : 1;
      } else {
        const bool made = moment == thrower::when::made;
        for (const auto* each : {&called, &got}) {
          const bool typed = !*each && ((*each).error().code == (made ? errc::init_failed : errc::function_failed) ||
                                        (*each).error().code == errc::out_of_memory);
          wrong += typed ? 0 : 1;
        }
      }
      wrong += good() ? 0 : 1;
    }
    wrong += bad.post() ? 0 : 1;
  }
  CHECK(wrong == 0);
  REQUIRE(eventually(10s, [&] { return host.stats().queued == 0; }));
  CHECK(host.stats().observer_failures == thrown);
  CHECK(thrown > 1'000);
  CHECK(host.dead_letters().size() == (moment == thrower::when::gone ? 0 : zoo_size));
}

TEST_CASE("a destination that throws anything is asked again", "[faults][zoo]") {
  std::atomic<int> asked{0};
  runtime host;
  auto work =
      host.define("work", [] {},
                  {.retry = {.delay_first = 0ns}, .on_success = destination::sink([&](const outcome&) -> result<void> {
                                                    throw_kind(asked++);
                                                    return {};
                                                  })});
  REQUIRE(work.post());
  REQUIRE(eventually(5s, [&] { return host.stats().queued == 0; }));
  CHECK(asked == zoo_size + 1);
}

TEST_CASE("handlers that never return are told of, and keep nobody else from running or ending", "[faults][stuck]") {
  const int stuck_count = GENERATE(1, 2, 4);
  std::atomic<bool> release{false};
  std::atomic<int> inside{0};
  std::atomic<int> outside{0};
  {
    runtime host({.compute_workers_max = 2});
    auto stuck = host.define("stuck", [&release, &inside, &outside] {
      ++inside;
      while (!release) std::this_thread::yield();
      ++outside;
    });
    auto good = host.define("good", [] { return 1; });
    auto blocking = host.define("blocking", [] { return 2; }, {.kind = function_kind::blocking});
    for (int i = 0; i < stuck_count; ++i) REQUIRE(stuck.post());
    const int running = std::min(stuck_count, 2);
    REQUIRE(eventually(5s, [&] { return inside == running; }));
    const auto limit = std::chrono::steady_clock::now() + 50ms;
    const auto late = host.invoke("stuck", {.type = "t"}, {.deadline = limit, .release_at_deadline = true});
    REQUIRE(!late);
    CHECK(late.error().code == errc::deadline_exceeded);
    CHECK(good().value() == 1);
    CHECK(blocking.submit()->get().value() == 2);
    if (stuck_count == 1) CHECK(eventually(5s, [&] { return inside == 2; }));  // the one with the deadline
    const auto begun = std::chrono::steady_clock::now();
    const auto left = host.close(200ms);
    CHECK(std::chrono::steady_clock::now() - begun < 2s);
    CHECK(left.size() == static_cast<std::size_t>(stuck_count) + 1);
  }
  const int in = inside;
  release = true;
  CHECK(eventually(5s, [&] { return outside == in; }));
}

TEST_CASE("a handler that posts to itself for ever ends at depth_max, and is nobody's burden", "[faults][loop]") {
  std::atomic<int> runs{0};
  std::atomic<int> ends{0};
  runtime host({.depth_max = 10});
  std::optional<handle<void()>> self;
  self = host.define("self", [&] {
    ++runs;
    const auto again = self->post();
    const auto called = (*self)();
    if (!again && again.error().code == errc::recursion_limit) ++ends;
    if (!called && called.error().code == errc::recursion_limit) ++ends;
  });
  REQUIRE(self->post());
  REQUIRE(eventually(20s, [&] { return host.stats().queued == 0; }));
  CHECK(runs == (1 << 10) - 1);  // two further calls each, ten deep
  CHECK(ends == 2 << 9);
}

TEST_CASE("nested calls end, whatever the number of workers", "[faults][nested]") {
  const auto workers = GENERATE(std::size_t{1}, std::size_t{2}, std::size_t{8});
  const int fan_out = GENERATE(1, 2);
  std::atomic<int> wrong{0};
  runtime host({.compute_workers_max = workers});
  std::optional<handle<int(int)>> down;
  down = host.define("down", [&](int depth) -> result<int> {
    int sum = 1;
    if (depth == 0) return sum;
    for (int i = 0; i < fan_out; ++i) {
      auto later = down->submit(depth - 1);
      if (!later) return later.error();
      const auto got = later->get();
      if (!got) return got.error();
      sum += *got;
    }
    return sum;
  });
  for (int depth = 1; depth <= 20; depth += fan_out == 1 ? 1 : 3) {
    if (fan_out == 2 && depth > 10) break;
    const auto got = (*down)(depth);
    const bool expected =
        depth < 16 ? got.has_value()
                   : !got && (got.error().code == errc::recursion_limit || got.error().cause == errc::recursion_limit ||
                              got.error().cause == errc::function_failed);
    if (!expected) ++wrong;
  }
  CHECK(wrong == 0);
  std::optional<handle<int()>> a;
  auto b = host.define("b", [&]() -> result<int> { return (*a)(); }, {.instances_max = 1});
  a = host.define("a", [&]() -> result<int> { return b(); }, {.instances_max = 1});
  const auto circle = (*a)();
  REQUIRE(!circle);
}

TEST_CASE("a handler may close its runtime, again and again", "[faults][close]") {
  std::atomic<int> calls{0};
  runtime host;
  auto work = host.define("work", [&] {
    for (int i = 0; i < 10; ++i) calls += host.close(1s).empty() ? 1 : 0;
  });
  auto later = work.submit();
  REQUIRE(later);
  CHECK(later->get());
  CHECK(calls == 10);
  CHECK(host.close(5s).empty());
  CHECK(work().error().code == errc::shutting_down);
}

TEST_CASE("two runtimes share nothing, and call each other", "[faults][two]") {
  std::atomic<unsigned> depth{0};
  auto second = std::make_unique<runtime>();
  auto inner = second->define("work", [&](context& ctx) {
    depth = ctx.depth();
    return 2;
  });
  runtime first;
  auto outer = first.define("work", [&]() -> result<int> { return inner(); });
  CHECK(outer.submit()->get().value() == 2);
  CHECK(depth == 2);
  CHECK(outer.stats().invocations == 1);
  CHECK(inner.stats().invocations == 1);
  second.reset();
  auto alone = first.define("alone", [] { return 3; });
  CHECK(alone.submit()->get().value() == 3);
}
