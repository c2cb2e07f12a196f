// SPDX-License-Identifier: MIT
#pragma once

// How one function runs. Every field has a default that a first use need not know.

#include <dormouse/detail/config.hpp>
#include <dormouse/functions/destination.hpp>
#include <dormouse/functions/keep_alive.hpp>
#include <dormouse/functions/retry_policy.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// What a handler spends its time with, and so on whose workers its posted and submitted events run.
enum class function_kind : std::uint8_t {
  compute = 1,  // computing: as many workers as there are processors
  blocking,     // waiting, for a disk, a network or a lock: workers of their own, up to blocking_workers_max
};

// What a synchronous call does when every instance is busy and instances_max is reached.
enum class when_busy : std::uint8_t {
  wait = 1,  // until an instance is free or the deadline passes
  throttle,  // fails at once: throttled (instances)
};

// define() throws std::invalid_argument, naming the field and its bounds, for a value outside them.
struct function_options {
  // Behaviour -------------------------------------------------------------
  function_kind kind = function_kind::compute;
  // Longest run of the handler, 1 us .. 24 h. Cooperative: a handler that overruns is not stopped; its value is
  // dropped.
  std::chrono::nanoseconds timeout{std::chrono::seconds{30}};
  // Longest making of an instance, 1 us .. 24 h. Cooperative likewise: an instance made too late is thrown away.
  std::chrono::nanoseconds init_timeout{std::chrono::seconds{10}};
  // Instances that may exist at once, 1 .. 1,000,000, those in their destructor included. While replace() lets calls
  // finish on the former handler, that one's are not counted.
  std::size_t instances_max = 1'000;
  // Invocations that may be inside one instance at once, 1 .. 65,536. More than one needs a const operator().
  std::size_t instance_concurrency = 1;
  // How long an instance stays unused before it is destroyed, 0 .. 30 days. Zero: destroyed after each use.
  std::chrono::nanoseconds idle_timeout{std::chrono::seconds{60}};
  // Decides instead of idle_timeout, for the function as a whole, and may make an instance ahead of need.
  keep_alive keep{};
  when_busy busy = when_busy::wait;
  // Of the runtime's instances_max, so many are this function's alone, 0 .. 1,000,000; all functions together not more
  // than there are. It may have more, while there is room.
  std::size_t instances_reserved = 0;
  // Instances that are made before they are needed, when the function is defined, and are not destroyed when idle,
  // 0 .. instances_max. Invocations that find them all busy are counted: function_stats::spillovers.
  std::size_t instances_provisioned = 0;

  // Bounds ----------------------------------------------------------------
  // Accepted events that are not yet terminal, 1 .. 100,000,000. Beyond: throttled (queue_depth).
  std::size_t queue_depth_max = 10'000;
  // Bytes of their data, 1 .. 1 TiB. Beyond: throttled (queue_bytes).
  std::size_t queue_bytes_max = std::size_t{64} << 20U;

  // Posted events ---------------------------------------------------------
  // What becomes of one that failed,
  retry_policy retry{};
  // and where its outcome goes. Empty: a success is counted; an event that used up its attempts is a dead letter.
  destination on_success{};
  destination on_failure{};

  friend bool operator==(const function_options&, const function_options&) = default;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
