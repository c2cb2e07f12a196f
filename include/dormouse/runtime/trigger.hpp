// SPDX-License-Identifier: MIT
#pragma once

// What turns outside happenings into events for a function: the interface a trigger is written against.
// A trigger is attached to one function of one runtime, once: start(), any number of wake(), stop().
// Threads: the runtime never calls start(), wake() and stop() of one trigger at the same time.

#include <dormouse/clock.hpp>
#include <dormouse/event.hpp>
#include <dormouse/result.hpp>

#include <chrono>
#include <cstdint>
#include <memory>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// What a started trigger may do; given by the runtime, valid from start() until stop() has returned.
// Every member may be called from any thread.
class trigger_port {
 public:
  trigger_port(const trigger_port&) = delete;
  trigger_port& operator=(const trigger_port&) = delete;

  // Hands an event to the function. Fails as runtime::post does; the trigger decides what a refusal means.
  virtual result<void> post(event message) = 0;
  // Calls wake() at or soon after `due`; a later call replaces an earlier one. Fails: unavailable (no_threads).
  virtual result<void> wake_at(clock::time_point due) = 0;
  // Calls wake() once when the descriptor, which stays the trigger's, can be read; to be called again for the next
  // time.
  // Fails: limit_exceeded (descriptors), unavailable (no_threads).
  virtual result<void> wake_on(int descriptor) = 0;
  // Takes back what wake_on was asked for. A descriptor that is no longer waited for keeps no thread.
  virtual void forget(int descriptor) noexcept = 0;
  // How many of the events posted here are not over: accepted, and neither succeeded, delivered, cancelled nor a dead
  // letter yet. This and the next are for a trigger that counts_events().
  [[nodiscard]] virtual std::size_t in_flight() const noexcept = 0;
  // Calls wake() once when the next of them is over; at once when there is none.
  virtual void wake_when_over() = 0;
  // The runtime's clock.
  [[nodiscard]] virtual const clock& time() const noexcept = 0;

 protected:
  trigger_port() = default;
  ~trigger_port() = default;
};

class trigger {
 public:
  virtual ~trigger() = default;
  trigger(const trigger&) = delete;
  trigger& operator=(const trigger&) = delete;

  // Called by attach() on its caller's thread. A failure is attach()'s; then neither wake() nor stop() follows.
  virtual result<void> start(trigger_port& port) = 0;
  // Something that wake_at or wake_on asked for has happened. On a library thread: see brief(). What it throws is
  // dropped and counted in runtime_stats::observer_failures.
  virtual void wake() = 0;
  // No event may be posted once this has returned.
  virtual void stop() noexcept {}
  // True promises that wake() neither blocks nor runs code of the user's: then the timekeeper itself calls it.
  [[nodiscard]] virtual bool brief() const noexcept { return false; }
  // True: the port counts its events until they are over, which costs each an allocation.
  [[nodiscard]] virtual bool counts_events() const noexcept { return false; }

 protected:
  trigger() = default;
};

// An event every `period`, 1 us .. 365 days, the first one after one period. Events are of type "dormouse.timer", their
// `time` is the nominal one. Periods that pass while the process does not run are skipped, not made up for; an event
// that the function's queue refuses is counted there and not repeated.
// Throws std::invalid_argument for a period outside the bounds.
[[nodiscard]] std::unique_ptr<trigger> every(std::chrono::nanoseconds period);

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/every.ipp>
#endif
