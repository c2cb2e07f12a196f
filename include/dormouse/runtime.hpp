// SPDX-License-Identifier: MIT
#pragma once

// Ties functions, threads, time and triggers together. Two runtimes in one process share nothing.
// Threads:  every member function but the destructor may be called from any thread, inside handlers too.
// Blocking: said at each member; define, submit, post, attach and stop never wait for a handler.
// At rest:  constructing one starts no thread and opens nothing; when nothing is left to do, it has none again.
// Lifetime: what handlers refer to (services, clock) outlives it: declare those first.
// fork(2):  in the child every member is refused, unavailable (forked_child), and the destructor does nothing; the
//           child may make runtimes of its own.

#include <dormouse/detail/entry.hpp>
#include <dormouse/detail/handler_adapter.hpp>
#include <dormouse/event.hpp>
#include <dormouse/functions/context.hpp>
#include <dormouse/functions/function_options.hpp>
#include <dormouse/functions/handle.hpp>
#include <dormouse/functions/handler.hpp>
#include <dormouse/functions/invocation_status.hpp>
#include <dormouse/functions/pending.hpp>
#include <dormouse/functions/reply.hpp>
#include <dormouse/functions/report.hpp>
#include <dormouse/result.hpp>
#include <dormouse/runtime/dead_letter.hpp>
#include <dormouse/runtime/runtime_options.hpp>
#include <dormouse/runtime/trigger.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// A trigger attached to a function. Copyable, owns nothing.
struct binding {
  std::uint64_t id = 0;
};

struct invoke_options {
  // The caller's deadline by the runtime's clock; the function's timeout applies as well. Empty: none.
  std::optional<clock::time_point> deadline{};
  // Runs the function on a worker, so that this thread is free at the deadline even when the handler is not.
  bool release_at_deadline = false;
};

class runtime {
 public:
  // Throws std::invalid_argument naming the option that is outside its bounds.
  explicit runtime(runtime_options options = {});
  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;
  // close(0): ends without waiting for handlers. What a handler that has not returned touches of this runtime stays
  // alive until it does. No other thread may be inside a member function, except from a handler.
  ~runtime();

  // Registers a function: see functions/handler.hpp for what may be a handler. Throws std::invalid_argument: name
  // malformed (1..64 of [A-Za-z0-9_-], optionally ":" and a qualifier of the same), name taken, option out of bounds.
  template <class Handler>
  auto define(std::string_view name, Handler&& handler, const function_options& options = {}) {
    using signature = detail::signature_of<Handler>;
    return define_as<signature>(name, std::forward<Handler>(handler), options);
  }
  // For generic or overloaded handlers: define<R(Arg)>(name, handler). R is what a caller gets, without result<>.
  template <class Signature, class Handler>
  requires std::is_function_v<Signature> handle<Signature> define(std::string_view name, Handler&& handler,
                                                                  const function_options& options = {}) {
    using object = detail::handler_object_t<std::decay_t<Handler>>;
    static_assert(sizeof(detail::checked_signature<object, Signature>) != 0);
    return define_as<Signature>(name, std::forward<Handler>(handler), options);
  }

  // Gives a function another handler of the same typed signature; name, options, handles and triggers stay. What runs
  // ends on the former handler; every event and call from now on, the queued ones included, gets the new one. The
  // former handler and its instances are destroyed as their last invocation ends. Fails: not_found when the function
  // is undefined. Throws std::invalid_argument when the handler does not fit the options (instance_concurrency).
  template <class Signature, class Handler>
  result<void> replace(const handle<Signature>& which, Handler&& handler) {
    using object = detail::handler_object_t<std::decay_t<Handler>>;
    static_assert(sizeof(detail::checked_signature<object, Signature>) != 0);
    using kept = std::decay_t<Handler>;
    return replace_erased(which, detail::handler_adapter<kept, Signature>::ops,
                          detail::make_prototype<kept>(std::forward<Handler>(handler)));
  }
  // Takes the function out; its name is free. Calls fail with not_found, queued and waiting events become dead letters
  // (undefined). Waits up to `wait_for` for what runs, unless that is on this thread; returns how much still runs or is
  // being destroyed. At 0 the library has let go of the handler and its code, which may be unloaded. Fails: not_found.
  result<std::size_t> undefine(const function_handle& which,
                               std::chrono::nanoseconds wait_for = std::chrono::nanoseconds{0});
  // Nothing of the function starts until resume(): calls are throttled (paused), posted and submitted events wait.
  // What runs goes on. Idempotent. Fail: not_found.
  result<void> pause(const function_handle& which);
  result<void> resume(const function_handle& which);

  // Runs the function of that name on this thread with an event, and returns its reply as bytes. Fails as
  // handle::operator(), and: not_found for an unknown name, invalid_argument (payload_type) for data the handler does
  // not take, unsupported when a type of the handler has no codec.
  result<reply> invoke(std::string_view name, const event& message);
  result<reply> invoke(std::string_view name, const event& message, const invoke_options& options);
  // Hands the event to a worker and returns what will become the reply. Fails as handle::submit, and not_found.
  // Attributes that CloudEvents requires are filled where they are empty.
  result<pending<reply>> submit(std::string_view name, event message);
  // Hands the event over: a failed attempt is repeated, then delivered or kept as a dead letter
  // (function_options::retry, on_failure). Fails as handle::post, and not_found.
  result<acceptance> post(std::string_view name, event message);

  // Takes a posted event back. Says where it was: queued or waiting, and it will not be started any more; running, and
  // its handler is asked to stop (context::stop_requested, stop_token) and not repeated; delivering, and nothing is
  // changed. Fails: not_found, also for events that have ended. Looks through the function's events.
  result<invocation_state> cancel(const invocation_id& id);
  // Empty for an event that is not known: see runtime_options::status_count_max.
  [[nodiscard]] std::optional<invocation_status> status(const invocation_id& id) const;

  // Copies of dead letters, the oldest first. Runs the codecs of typed arguments. May throw std::bad_alloc.
  [[nodiscard]] std::vector<dead_letter> dead_letters(const dead_letter_filter& which = {}) const;
  // Accepts them anew, with all their attempts before them. How many; the others stay: their function's queue is full,
  // or no function of that name is defined. Throws std::invalid_argument for an option outside its bounds.
  std::size_t redrive(const dead_letter_filter& which = {}, const redrive_options& options = {});
  // Forgets them. How many.
  std::size_t discard_dead_letters(const dead_letter_filter& which = {});

  // Binds a trigger to a function. Fails as the trigger's start() does (a folder that does not exist, say), with
  // not_found for an unknown name, shutting_down after close().
  result<binding> attach(std::unique_ptr<trigger> source, const function_handle& target);
  result<binding> attach(std::unique_ptr<trigger> source, std::string_view name);
  // The trigger is stopped and destroyed; events it has posted stay. Waits for its wake() if that runs on another
  // thread. False when it is not attached.
  bool detach(binding which);

  // Lends this thread: the library sleeps on it instead of on one of its own, until stop(). Then drains as close() does
  // and returns what it returned. Fails: conflict (already running), limit_exceeded (descriptors).
  result<std::vector<unfinished>> run(const run_options& options = {});
  // Ends run(), or the next one if none is running. Does not wait.
  void stop() noexcept;
  // As stop(); async-signal-safe while run() runs.
  void stop_from_signal() noexcept;

  // drive_mode::host only; with threads of its own they throw std::invalid_argument.
  //
  // Fires the timers that are due, looks at watched descriptors, and runs chores and accepted events in turn, until
  // nothing is ready or `budget` of real time is used up; at least one turn, whose handler may exceed it. Returns how
  // many it ran. Any thread, one at a time: 0 and nothing done while another one drives, and from inside a handler.
  std::size_t poll(std::chrono::nanoseconds budget = std::chrono::nanoseconds::max());
  // When poll() has to be called next, by the runtime's clock, if nothing happens before: now if something is ready.
  // Empty: not before something happens.
  [[nodiscard]] std::optional<clock::time_point> next_deadline() const;
  // For the host's event loop: can be read when poll() has something to do, a timer that is due included (but not one
  // of a manual clock, which tells when it is moved). Level triggered, the runtime's own: do not read or close it. It
  // stays the same. Fails: limit_exceeded (descriptors). Where the library has no epoll, it tells of events only: call
  // poll() at next_deadline() as well.
  result<int> descriptor();

  // Triggers stop; calls from outside get shutting_down, running handlers may still call; accepted events run until
  // `drain_for` (0 .. 24 h) is over, the rest ends with shutting_down. Returns what was not terminal by then.
  // Blocks. Idempotent; a second caller waits for the first and gets an empty list. From a handler it begins and
  // returns.
  std::vector<unfinished> close(std::chrono::nanoseconds drain_for);

  // Writes a page about what is going on: threads, the functions that have anything, with their queues and instances,
  // and the handlers that run, with their ages and whether they are past their deadline. For a program that is stuck:
  // allocates nothing and waits for no lock; a function whose lock is held is named as such.
  void dump(std::FILE* out) const noexcept;
  [[nodiscard]] runtime_stats stats() const;
  [[nodiscard]] const clock& time() const noexcept;

 private:
  friend struct detail::function_probe;
  class bindings;

  template <class Signature, class Handler>
  handle<Signature> define_as(std::string_view name, Handler&& handler, const function_options& options) {
    using kept = std::decay_t<Handler>;
    static_assert(std::is_constructible_v<kept, Handler>,
                  "dormouse: the handler must be copyable or movable into define");
    void* prototype = detail::make_prototype<kept>(std::forward<Handler>(handler));
    return handle<Signature>(define_erased(name, detail::handler_adapter<kept, Signature>::ops, prototype, options));
  }
  // Takes `prototype` over, also when it throws.
  detail::function_reference define_erased(std::string_view name, const detail::handler_ops& ops, void* prototype,
                                           const function_options& options);
  // As define_erased.
  result<void> replace_erased(const function_handle& which, const detail::handler_ops& ops, void* prototype);
  result<std::vector<unfinished>> run_driven(const run_options& options);
  [[nodiscard]] detail::host_driver& driver() const;
  [[nodiscard]] detail::function_reference find(std::string_view name) const noexcept;

  std::shared_ptr<detail::core> core_;
  std::shared_ptr<bindings> bindings_;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/bodies.hpp>
#endif
