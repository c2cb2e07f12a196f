// SPDX-License-Identifier: MIT
#pragma once

// Faults on demand, to see what your functions and their callers make of them:
//
//   fault_plan plan(time);                         // a manual clock, for the faults that take time
//   auto charge = host.define("charge", plan.around([](int cents) { ... }));
//   plan.fail_next(2);                             // the next two invocations fail, the third runs
//   ...
//   CHECK(plan.unfired() == "");                   // all that was asked for has happened
//
// around() gives a handler of the same signature, const when the handler is; a lambda, a function, an object, or what
// per_instance(make) gives, so that each instance is made as before, with the faults around it. through() gives a
// handle's calls with throttling: a call that is refused meets no handler, so that fault is the caller's to ask for.
// Faults are taken in the order throttle, fail, throw, kill, delay, duplicate: one for each invocation. Each one that
// happened is counted: a test in which fired(...) is 0 has shown nothing.
//
// What kill models: an instance that is lost in its work, with its machine or its power. The handler runs to its end,
// so what it did to others is done; then the clock passes its deadline: the outcome is dropped (deadline_exceeded,
// effect unknown), the instance destroyed, and a posted event tried again. What it does not: the destructor runs, what
// the handler does after half of its work is done too, other instances live on, and time passes for all of them. A
// process that ends needs a process: tests/faults has those.
//
// Threads: any. Ownership: the plan outlives the runtime and what it was wrapped around. Blocking: never.

#include <dormouse/detail/wrapped_call.hpp>
#include <dormouse/functions/context.hpp>
#include <dormouse/functions/handle.hpp>
#include <dormouse/functions/handler.hpp>
#include <dormouse/testing/fault_schedule.hpp>
#include <dormouse/testing/manual_clock.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

class fault_plan {
 public:
  // `time` is what delay and kill move; it is the runtime's clock.
  explicit fault_plan(manual_clock& time) : time_(time) {}
  fault_plan(const fault_plan&) = delete;
  fault_plan& operator=(const fault_plan&) = delete;

  // The next `n` invocations or calls that have no other fault to come, after those asked for before, each with the
  // failure or the delay that it was asked for with. A negative delay: std::invalid_argument.
  void throttle_next(unsigned n) { schedule_.add(n, {.what = fault::throttle}); }
  void fail_next(unsigned n, failure why = {.code = errc::unavailable, .effect = effect_kind::not_applied}) {
    schedule_.add(n, {.what = fault::fail, .why = std::move(why)});
  }
  void throw_next(unsigned n) { schedule_.add(n, {.what = fault::throws}); }
  void kill_next(unsigned n) { schedule_.add(n, {.what = fault::kill}); }
  void delay_next(unsigned n, std::chrono::nanoseconds by) { schedule_.add(n, {.what = fault::delay, .by = by}); }
  // Handlers whose argument cannot be copied are passed over.
  void duplicate_next(unsigned n) { schedule_.add(n, {.what = fault::duplicate}); }
  // From now on, beside those above. Throws std::invalid_argument for rates of more than 1,000 together.
  void at_random(std::uint64_t seed, const fault_rates& rates) { schedule_.at_random(seed, rates); }

  [[nodiscard]] std::uint64_t fired(fault which) const { return schedule_.fired(which); }
  // Asked for by the calls above and not happened yet: of one kind; of all, in words ("fail 2, kill 1") or empty.
  [[nodiscard]] std::uint64_t left(fault which) const { return schedule_.left(which); }
  [[nodiscard]] std::string unfired() const { return schedule_.unfired(); }

  // A handler like the given one, with the plan's faults.
  template <class Handler>
  auto around(Handler&& handler) {
    using plain = std::decay_t<Handler>;
    using signature = detail::signature_of<plain>;
    using object = detail::handler_object_t<plain>;
    if constexpr (detail::is_per_instance<plain>) {
      return per_instance([this, given = plain(std::forward<Handler>(handler))] {
        return faulty<object, signature>(*this, [&given] { return given.make(); });
      });
    } else {
      return faulty<object, signature>(*this, [&handler]() -> object { return std::forward<Handler>(handler); });
    }
  }

  // The calls and posts of a handle, with the plan's throttling.
  template <class R, class... A>
  auto through(handle<R(A...)> target) {
    return gate<R(A...)>(*this, target);
  }

 private:
  template <class Handler, class Signature>
  struct shape;
  template <class Handler, class Signature, bool IsConst>
  class faulty_handler;
  template <class Handler, class Signature>
  using faulty = faulty_handler<Handler, Signature, shape<Handler, Signature>::is_const>;
  template <class Signature>
  class gate;

  [[noreturn]] static void throw_something(std::uint64_t number) {
    if (number % 3 == 1) throw std::runtime_error("a fault was asked for");
    if (number % 3 == 2) throw 42;
    throw "a fault was asked for";
  }
  // The handler has run: it took longer than it seemed.
  void take_time(const struck_fault& what, context& ctx) {
    if (what.what == fault::delay) time_.advance(what.by);
    if (what.what == fault::kill) time_.advance(ctx.remaining() + std::chrono::milliseconds{1});
  }

  manual_clock& time_;
  fault_schedule schedule_{};
};

template <class Handler, class R, class... A>
struct fault_plan::shape<Handler, R(A...)> {
  static constexpr bool is_const = detail::is_const_handler<Handler, A...>;
  static constexpr bool can_repeat = (std::is_copy_constructible_v<std::remove_cvref_t<A>> && ...);

  template <class Given>
  static result<R> run(fault_plan& plan, Given& handler, context& ctx, std::remove_reference_t<A>&... argument) {
    const auto what = take(plan);
    if (!what) return detail::call_for_result<R, A...>(handler, ctx, argument...);
    if (what->what == fault::fail) return what->why;
    if (what->what == fault::throws) throw_something(what->number);
    if constexpr (can_repeat) {
      if (what->what == fault::duplicate) run_unheard(handler, ctx, std::remove_cvref_t<A>(argument)...);
    }
    try {
      auto outcome = detail::call_for_result<R, A...>(handler, ctx, argument...);
      plan.take_time(*what, ctx);
      return outcome;
    } catch (...) {
      plan.take_time(*what, ctx);
      throw;
    }
  }

 private:
  static std::optional<struck_fault> take(fault_plan& plan) {
    if (can_repeat)
      return plan.schedule_.take({fault::fail, fault::throws, fault::kill, fault::delay, fault::duplicate});
    return plan.schedule_.take({fault::fail, fault::throws, fault::kill, fault::delay});
  }
  template <class Given>
  static void run_unheard(Given& handler, context& ctx, std::remove_cvref_t<A>... copy) {
    try {
      static_cast<void>(detail::call_for_result<R, A...>(handler, ctx, copy...));
    } catch (...) {  // whoever sent the event has not heard of it, and sends it again
    }
  }
};

template <class Handler, class R, class... A>
class fault_plan::faulty_handler<Handler, R(A...), true> {
 public:
  template <class Make>
  faulty_handler(fault_plan& plan, const Make& make) : plan_(&plan), handler_(make()) {}
  result<R> operator()(A... argument, context& ctx) const {
    return shape<Handler, R(A...)>::run(*plan_, handler_, ctx, argument...);
  }

 private:
  fault_plan* plan_;
  Handler handler_;
};

template <class Handler, class R, class... A>
class fault_plan::faulty_handler<Handler, R(A...), false> {
 public:
  template <class Make>
  faulty_handler(fault_plan& plan, const Make& make) : plan_(&plan), handler_(make()) {}
  result<R> operator()(A... argument, context& ctx) {
    return shape<Handler, R(A...)>::run(*plan_, handler_, ctx, argument...);
  }

 private:
  fault_plan* plan_;
  Handler handler_;
};

template <class R, class... A>
class fault_plan::gate<R(A...)> {
 public:
  gate(fault_plan& plan, handle<R(A...)> target) : plan_(&plan), target_(target) {}

  template <class... Given>
  result<R> operator()(Given&&... given) const {
    if (refuses()) return refusal();
    return target_(std::forward<Given>(given)...);
  }
  template <class... Given>
  result<acceptance> post(Given&&... given) const {
    if (refuses()) return refusal();
    return target_.post(std::forward<Given>(given)...);
  }
  template <class... Given>
  result<pending<R>> submit(Given&&... given) const {
    if (refuses()) return refusal();
    return target_.submit(std::forward<Given>(given)...);
  }

 private:
  [[nodiscard]] bool refuses() const { return plan_->schedule_.take({fault::throttle}).has_value(); }
  static failure refusal() {
    return {.code = errc::throttled,
            .effect = effect_kind::not_applied,
            .reason = failure_reason::queue_depth,
            .detail = "a fault was asked for",
            .retry_after = std::chrono::seconds{1}};
  }
  fault_plan* plan_;
  handle<R(A...)> target_;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing
