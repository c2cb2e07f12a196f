// SPDX-License-Identifier: MIT
// The tool itself: what advance() stops at, what waits do, and what a failing seed says.

#include "support/catch.hpp"

#include <dormouse/testing/simulation.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::for_each_seed;
using dormouse::testing::simulation;

namespace {

// What `body` writes to standard error.
template <class Body>
std::string written_by(const Body& body) {
  std::fflush(stderr);
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const int kept = ::dup(2);
  ::dup2(ends[1], 2);
  body();
  std::fflush(stderr);
  ::dup2(kept, 2);
  ::close(kept);
  ::close(ends[1]);
  std::string text(1'000, '\0');
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(ends[0], text.data(), text.size()))));
  ::close(ends[0]);
  return text;
}

}  // namespace

TEST_CASE("six hours of ticks, retries and idle instances pass in a moment, each at its time", "[simulation]") {
  std::vector<std::chrono::nanoseconds> ticks;
  int cold = 0;
  simulation sim(1);
  const auto begun = sim.time().now();
  struct counted {
    explicit counted(int& made) { ++made; }
    void operator()(std::vector<std::chrono::nanoseconds>& to, std::chrono::nanoseconds at) { to.push_back(at); }
  };
  auto tick = sim.host().define<void(const event&)>("tick", per_instance([&] {
                                                      return [&, state = counted(cold)](const event&) mutable {
                                                        state(ticks, sim.time().now() - begun);
                                                      };
                                                    }),
                                                    {.idle_timeout = 30s});
  sim.host().attach(every(1min), tick).value();
  const auto real = std::chrono::steady_clock::now();
  sim.advance(6h);
  CHECK(std::chrono::steady_clock::now() - real < 1s);
  REQUIRE(ticks.size() == 360);
  for (std::size_t i = 0; i < ticks.size(); ++i) CHECK(ticks[i] == (i + 1) * 1min);
  CHECK(cold == 360);  // each instance was idle for 30 s, and went
  CHECK(sim.time().now() - begun == 6h);
}

TEST_CASE("a wait in a simulation moves the clock to what is due next, or throws when nothing is", "[simulation]") {
  simulation sim(3);
  auto work = sim.host().define("work", [](int i) { return i; });
  auto tick = sim.host().define("tick", [&] { static_cast<void>(sim.host().resume(work)); });
  sim.host().pause(work).value();
  auto later = work.submit(5).value();
  CHECK_THROWS_AS(later.get(), std::logic_error);
  sim.host().attach(every(10s), tick).value();
  const auto begun = sim.time().now();
  CHECK(!later.wait_until(begun + 9s));
  CHECK(sim.time().now() == begun + 9s);
  CHECK(later.get().value() == 5);
  CHECK(sim.time().now() == begun + 10s);
}

TEST_CASE("drain_until_idle waits for retries and says when it cannot", "[simulation]") {
  int attempts = 0;
  simulation sim(3);
  auto work = sim.host().define("work", [&](int) -> result<void> {
    if (++attempts < 3) return failure{.code = errc::unavailable};
    return {};
  });
  CHECK(work.post(1));
  CHECK(sim.drain_until_idle());
  CHECK(attempts == 3);
  CHECK(sim.host().pause(work));
  CHECK(work.post(1));
  CHECK(!sim.drain_until_idle());
}

TEST_CASE("a failing seed is printed, and its failure goes on", "[simulation]") {
  int ran = 0;
  const auto text = written_by([&] {
    CHECK_THROWS_AS(for_each_seed({.first = 40, .count = 10},
                                  [&](std::uint64_t seed) {
                                    ++ran;
                                    if (seed == 43) throw std::domain_error("found");
                                  }),
                    std::domain_error);
    CHECK_THROWS_AS(for_each_seed({.first = 7, .count = 2}, [](std::uint64_t seed) { return seed != 8; }),
                    std::runtime_error);
  });
  CHECK(ran == 4);
  CHECK(text.find("seed 43 failed") != std::string::npos);
  CHECK(text.find("seed 8 failed") != std::string::npos);
  CHECK(text.find("seed 7 failed") == std::string::npos);
  CHECK_THROWS_AS(simulation(0), std::invalid_argument);
}
