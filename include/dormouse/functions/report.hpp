// SPDX-License-Identifier: MIT
#pragma once

// What one invocation was, and what many were: the report given to an observer, and the sums kept of them.

#include <dormouse/failure.hpp>
#include <dormouse/histogram.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// One ended invocation. Views live for the call of the observer.
struct invocation_report {
  std::string_view function{};
  std::uint64_t invocation = 0;        // unique in its runtime
  std::chrono::nanoseconds queued{0};  // from acceptance to a worker; zero for a call on the caller's thread
  std::chrono::nanoseconds init{0};    // making the instance; zero when warm
  std::chrono::nanoseconds run{0};     // the handler itself
  std::chrono::nanoseconds total{0};   // from acceptance, or from the call, to the end of the handler
  bool cold = false;                   // an instance was made for it
  unsigned attempt = 1;
  std::optional<errc> outcome{};  // empty: the handler succeeded
};

// Called on the thread that ended the invocation, after the outcome is fixed; must not block for long. What it throws
// is dropped and counted in runtime_stats::observer_failures.
using invocation_observer = std::function<void(const invocation_report&)>;

// Sums since the function was defined. Read while invocations run, they may be a few behind each other.
struct function_stats {
  std::uint64_t invocations = 0;        // ended, whatever the outcome, handler entered
  std::uint64_t cold_starts = 0;        // instances made
  std::uint64_t function_failures = 0;  // the handler threw or returned a failure
  std::uint64_t init_failures = 0;
  std::uint64_t timeouts = 0;             // the handler ended after its deadline
  std::uint64_t refusals = 0;             // never ran: throttled, recursion, deadline, shutting down
  std::uint64_t destructor_failures = 0;  // an instance's destructor threw
  std::uint64_t spillovers = 0;           // starts beyond instances_provisioned, where there are any
  std::uint64_t prewarmed = 0;            // instances that a keep-alive policy had made ahead
  std::uint64_t prewarmed_unused = 0;     // and that were destroyed without a use
  std::chrono::nanoseconds resident{0};   // how long instances have existed, of those that exist no more
  std::uint64_t retries = 0;              // attempts after the first
  std::uint64_t retries_held_back = 0;    // times that the retry budget made one wait
  std::uint64_t deliveries = 0;           // outcomes that a destination has taken
  std::uint64_t delivery_failures = 0;    // and refused
  std::uint64_t dead_letters = 0;         // events that became one
  std::uint64_t cancelled = 0;            // events that were cancelled before their handler
  std::uint64_t queued_now = 0;           // accepted events that are not terminal, running ones included
  std::uint64_t waiting_now = 0;          // synchronous callers that wait for an instance
  std::uint64_t instances_now = 0;        // instances with state
  histogram queued{};
  histogram init{};
  histogram run{};
};

// The whole runtime, at one moment.
struct runtime_stats {
  std::size_t functions = 0;
  std::size_t threads = 0;              // alive and made by this runtime: workers, housekeeping, timekeeper
  std::size_t instances = 0;            // instances with state
  std::uint64_t queued = 0;             // accepted events that are not terminal
  std::uint64_t threads_started = 0;    // since the runtime was made
  std::uint64_t thread_failures = 0;    // threads that could not be started
  std::uint64_t observer_failures = 0;  // throws out of observers and log sinks
  std::size_t dead_letters = 0;         // kept now
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
