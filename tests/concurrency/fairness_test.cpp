// SPDX-License-Identifier: MIT
// Nobody keeps anybody out: quantum, ring, and events that nobody has started are anybody's.

#include "support/catch.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;

namespace {
#if defined(DORMOUSE_THREAD_SANITIZER) || defined(DORMOUSE_ADDRESS_SANITIZER)
constexpr std::size_t many_events = 50'000;
#else
constexpr std::size_t many_events = 1'000'000;
#endif
}  // namespace

namespace {
// How many events of a function with very many start between the post of another's event and its start, ascending.
std::vector<std::size_t> started_between(std::size_t workers, std::size_t asked) {
  std::atomic<std::size_t> served{0};
  std::vector<std::size_t> between(asked);
  std::atomic<std::size_t> answered{0};
  runtime host({.compute_workers_max = workers});
  auto other = host.define("other",
                           [&](std::size_t posted_at) {
                             const std::size_t now = served;
                             between[answered] = now > posted_at ? now - posted_at : 0;  // one instance: one at a time
                             ++answered;
                           },
                           {.instances_max = 1});
  // By value: the last of them may still be looking at it when this function has returned.
  const std::size_t step = many_events / asked;
  auto many = host.define("many",
                          [&, step] {
                            const std::size_t now = ++served;
                            if (now % step == 0) [[maybe_unused]]
                              const auto posted = other.post(now);
                          },
                          {.queue_depth_max = many_events});
  REQUIRE(host.pause(many));
  for (std::size_t i = 0; i < many_events; ++i) {
    if (!many.post()) FAIL("not accepted");
  }
  REQUIRE(host.resume(many));
  REQUIRE(eventually(60s, [&] { return served == many_events && answered == asked; }));
  std::sort(between.begin(), between.end());
  return between;
}

constexpr std::size_t quantum_events = 32;
}  // namespace

TEST_CASE("with a million events queued for one function, another's starts after a quantum and what is left of one",
          "[fairness]") {
  // One worker, so this is exact: what it was at when the event came, and the turn that was in the ring before it.
  CHECK(started_between(1, 99).back() < 2 * quantum_events);
}

TEST_CASE("with a million events queued for one function, another's next starts within a quantum of each worker",
          "[fairness]") {
  constexpr std::size_t workers = 2;
  constexpr std::size_t asked = 100;
  const std::vector<std::size_t> between = started_between(workers, asked);
  // What the workers were at when it came, and what one starts while the other is about to take it: a switch takes as
  // long as many of these events, and for ever while the machine lends the processor to somebody else. That spoils
  // single figures, not nine out of ten.
  CHECK(between[asked * 9 / 10] <= 2 * workers * quantum_events);
}

TEST_CASE("a handler that takes its time delays no event while a worker is free", "[fairness]") {
  std::atomic<int> quick{0};
  runtime host({.compute_workers_max = 2});
  // The slow one is among the quick ones, and ends well only when all that were queued behind it have been served.
  auto work = host.define("work", [&](int n) {
    if (n != 0) {
      ++quick;
      return true;
    }
    return eventually(5s, [&] { return quick == 1'000; });
  });
  REQUIRE(host.pause(work));
  std::optional<pending<bool>> slow;
  for (int n = 1; n <= 1'000; ++n) {
    if (n == 10) slow = std::move(*work.submit(0));
    REQUIRE(work.post(n));
  }
  REQUIRE(host.resume(work));
  CHECK(slow->get().value());
}
