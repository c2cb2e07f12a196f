// SPDX-License-Identifier: MIT
#pragma once

// What turns outside happenings into events for a function: the interface a trigger is written against.
// A trigger is attached to one function of one runtime, once: start(), any number of wake(), stop().
// Threads: the runtime never calls start(), wake() and stop() of one trigger at the same time.

#include <dormouse/clock.hpp>
#include <dormouse/event.hpp>
#include <dormouse/functions/reply_receiver.hpp>
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
  // `until_over` is let go of when the event is over: succeeded, delivered, cancelled or a dead letter; or refused.
  // That may be on any thread, inside post(), and after stop(): its destructor must not block and may call nothing here
  // but wake_soon(), and that only before stop() has returned.
  virtual result<void> post(event message, std::shared_ptr<void> until_over = {}) = 0;
  // Hands the event to the function for one attempt, whose end `tells` is told: no retry, no destination, no dead
  // letter, no cancel(). It counts in the bounds of the function's queue, and has its turn there. Refused, and then
  // nobody is told: throttled (queue_depth, queue_bytes; paused), not_found, shutting_down, cancelled (detached),
  // unavailable (no_threads), out_of_memory. What was accepted before a pause waits for its end.
  virtual result<void> submit(event message, std::shared_ptr<reply_receiver> tells) = 0;
  // Ends those of submit() that no handler has been given yet, as cancelled. Looks through the function's events.
  virtual void take_back() noexcept = 0;
  // Calls wake() at or soon after `due`; a later call replaces an earlier one, and one with time_point::max() takes it
  // back. Fails: unavailable (no_threads).
  virtual result<void> wake_at(clock::time_point due) = 0;
  // Calls wake() soon, whatever wake_at() was asked for: for what is told on another thread. The wake() that follows
  // sees all that the caller did before; many calls may make one wake(). Takes no lock that is held during wake(), and
  // never calls it. False when there is neither thread nor memory for it: then call again when there is more to tell.
  virtual bool wake_soon() noexcept = 0;
  // Calls wake() once when the descriptor, which stays the trigger's, can be read; to be called again for the next
  // time.
  // Fails: limit_exceeded (descriptors), unavailable (no_threads).
  virtual result<void> wake_on(int descriptor) = 0;
  // Takes back what wake_on was asked for. A descriptor that is no longer waited for keeps no thread.
  virtual void forget(int descriptor) noexcept = 0;
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
  // Something that wake_at, wake_soon or wake_on asked for has happened. On a library thread: see brief(). What it
  // throws is dropped and counted in runtime_stats::observer_failures.
  virtual void wake() = 0;
  // No event may be posted once this has returned.
  virtual void stop() noexcept {}
  // True promises that wake() neither blocks nor runs code of the user's: then the timekeeper itself calls it.
  [[nodiscard]] virtual bool brief() const noexcept { return false; }

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
