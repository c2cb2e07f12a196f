// SPDX-License-Identifier: MIT
#pragma once

// Hours of a runtime in milliseconds, on the calling thread alone: a manual clock and a runtime without threads, whose
// ready work is run in an order drawn from a seed. The same seed gives the same interleaving on every machine, so a
// failure that one seed in ten thousand finds can be looked at again and again.
//
//   simulation sim(seed);
//   auto work = sim.host().define("work", handler);
//   work.post(1).value();
//   sim.advance(6h);
//
// What interleaves: functions, timers that are due together, chores, and handlers that wait for others. A handler is
// not interrupted; time stands still inside it, unless it moves sim.time() itself, which is how long it then took, or
// waits (pending::get, a call whose instances are busy): then others run, and when none is ready the clock jumps to
// what is due next. A wait for what will never happen throws std::logic_error.
// The state that handlers refer to outlives the simulation: declare it before.
// Threads: one.

#include <dormouse/detail/random.hpp>
#include <dormouse/runtime.hpp>
#include <dormouse/testing/manual_clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

class simulation {
 public:
  // `options.time`, `.drive`, `.shuffle` and `.seed` are the simulation's. Any seed but 0, which throws
  // std::invalid_argument: it would not be repeatable.
  explicit simulation(std::uint64_t seed, runtime_options options = {})
      : seed_(seed), random_(~seed), host_(mine(std::move(options))) {}
  simulation(const simulation&) = delete;
  simulation& operator=(const simulation&) = delete;

  [[nodiscard]] runtime& host() noexcept { return host_; }
  [[nodiscard]] manual_clock& time() noexcept { return time_; }
  [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }

  // For the choices of the test itself: from the same seed, so that they repeat with everything else.
  [[nodiscard]] std::uint64_t random() noexcept { return random_.next(); }
  // 0 .. below - 1; below must not be 0.
  [[nodiscard]] std::size_t random_below(std::size_t below) noexcept { return random_.below(below); }
  // True in so many of 100 cases.
  [[nodiscard]] bool chance(unsigned percent) noexcept { return random_below(100) < percent; }

  // Everything that is ready, and what becomes ready by it, at this time. How many turns that were.
  std::size_t run_ready() { return host_.poll(); }

  // Moves the clock by `by`, stopping at each time at which something is due, and runs what is ready there.
  void advance(std::chrono::nanoseconds by) {
    const auto end = time_.now() + by;
    run_ready();
    while (step(end)) {}
    if (time_.now() < end) time_.advance(end - time_.now());
    run_ready();
  }

  // Advances until no event is queued, running, waiting or on its way to a destination. False when some still are after
  // `limit`, or for ever: a paused function's, say.
  [[nodiscard]] bool drain_until_idle(std::chrono::nanoseconds limit = std::chrono::hours{24}) {
    const auto end = time_.now() + limit;
    run_ready();
    while (host_.stats().queued != 0 && step(end)) {}
    return host_.stats().queued == 0;
  }

 private:
  // To the next time that something is due, if that comes before `end`.
  bool step(clock::time_point end) {
    const auto next = host_.next_deadline();
    if (!next || *next > end) return false;
    if (*next > time_.now()) time_.advance(*next - time_.now());
    run_ready();
    return true;
  }
  [[nodiscard]] runtime_options mine(runtime_options options) {
    if (seed_ == 0) throw std::invalid_argument("dormouse: simulation: give a seed other than 0");
    options.time = &time_;
    options.drive = drive_mode::host;
    options.shuffle = true;
    options.seed = seed_;
    return options;
  }

  const std::uint64_t seed_;
  detail::random_source random_;
  manual_clock time_{std::chrono::system_clock::time_point{std::chrono::seconds{1'700'000'000}}, true};
  runtime host_;
};

struct seed_range {
  std::uint64_t first = 1;
  std::uint64_t count = 100;
};

// Calls body(seed) for each. When one throws, or returns false, its seed is written to standard error and that is the
// end: what it threw is thrown on, or std::runtime_error.
template <class Body>
void for_each_seed(seed_range seeds, Body&& body) {
  for (std::uint64_t seed = seeds.first; seed - seeds.first < seeds.count; ++seed) {
    const auto tell = [seed] {
      std::fprintf(stderr, "dormouse: seed %llu failed; alone it is seed_range{.first = %llu, .count = 1}\n",
                   static_cast<unsigned long long>(seed), static_cast<unsigned long long>(seed));
    };
    try {
      if constexpr (std::is_convertible_v<std::invoke_result_t<Body&, std::uint64_t>, bool>) {
        if (!body(seed)) throw std::runtime_error("dormouse: the body of for_each_seed returned false");
      } else {
        body(seed);
      }
    } catch (...) {
      tell();
      throw;
    }
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing
