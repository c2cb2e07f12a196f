// SPDX-License-Identifier: MIT
#pragma once

// Faults on demand, to see what your functions and their callers make of them:
//
//   fault_plan plan(time);                         // a manual clock, for the faults that take time
//   auto charge = host.define("charge", plan.around([](int cents) { ... }));
//   plan.fail_next(2);                             // the next two invocations fail, the third runs
//
// around() gives a handler of the same signature. For state per instance wrap what the factory makes:
// per_instance([&] { return plan.around(thumbnailer(photos)); }). through() gives a handle's calls with throttling.
// Faults are taken in the order throttle, fail, throw, kill, delay, duplicate: one for each invocation. Each one that
// happened is counted: a test in which fired(...) is 0 has shown nothing.
// Threads: any. Ownership: the plan outlives the runtime and what it was wrapped around.

#include <dormouse/detail/random.hpp>
#include <dormouse/functions/context.hpp>
#include <dormouse/functions/handle.hpp>
#include <dormouse/functions/handler.hpp>
#include <dormouse/testing/manual_clock.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

enum class fault : std::uint8_t {
  throttle = 0,  // a call or post through() is refused: throttled, nothing happened
  fail,          // the handler is not entered, and a failure is returned for it
  throws,        // the handler is not entered; std::runtime_error, an int and a C string are thrown in turn
  kill,          // the handler runs, and does not come back in time: its outcome is lost, its instance destroyed
  delay,         // the handler runs, and takes longer
  duplicate,     // the handler runs twice with the same argument: an event that is delivered at least once
};
inline constexpr std::size_t fault_count = 6;

// So many of 1,000 invocations, each drawn from the seed; all together at most 1,000.
struct fault_rates {
  unsigned throttle = 0;
  unsigned fail = 0;
  unsigned throws = 0;
  unsigned kill = 0;
  unsigned delay = 0;
  unsigned duplicate = 0;
  std::chrono::nanoseconds delayed_by{std::chrono::seconds{1}};
};

class fault_plan {
 public:
  // `time` is what delay and kill move; it is the runtime's clock.
  explicit fault_plan(manual_clock& time) : time_(time) {}

  // The next `n` invocations or calls that have no other fault to come. Added to those asked for before.
  void throttle_next(unsigned n) { add(fault::throttle, n); }
  void fail_next(unsigned n, failure why = {.code = errc::unavailable, .effect = effect_kind::not_applied}) {
    add(fault::fail, n);
    const std::lock_guard lock(mutex_);
    why_ = std::move(why);
  }
  void throw_next(unsigned n) { add(fault::throws, n); }
  void kill_next(unsigned n) { add(fault::kill, n); }
  void delay_next(unsigned n, std::chrono::nanoseconds by) {
    add(fault::delay, n);
    const std::lock_guard lock(mutex_);
    delayed_by_ = by;
  }
  void duplicate_next(unsigned n) { add(fault::duplicate, n); }
  // From now on, beside those above. Throws std::invalid_argument for rates of more than 1,000 together.
  void at_random(std::uint64_t seed, const fault_rates& rates) {
    const unsigned all = rates.throttle + rates.fail + rates.throws + rates.kill + rates.delay + rates.duplicate;
    if (all > 1'000) throw std::invalid_argument("dormouse: fault_rates: more than 1,000 of 1,000");
    const std::lock_guard lock(mutex_);
    random_.emplace(seed);
    rates_ = {rates.throttle, rates.fail, rates.throws, rates.kill, rates.delay, rates.duplicate};
    delayed_by_ = rates.delayed_by;
  }

  [[nodiscard]] std::uint64_t fired(fault which) const {
    const std::lock_guard lock(mutex_);
    return fired_[static_cast<std::size_t>(which)];
  }
  // Asked for and not happened yet.
  [[nodiscard]] unsigned left(fault which) const {
    const std::lock_guard lock(mutex_);
    return next_[static_cast<std::size_t>(which)];
  }

  // A handler like the given one, with the plan's faults.
  template <class Handler>
  auto around(Handler handler) {
    return faulty<std::decay_t<Handler>, detail::signature_of<Handler>>(*this, std::move(handler));
  }

  // The calls and posts of a handle, with the plan's throttling.
  template <class R, class... A>
  auto through(handle<R(A...)> target) {
    return gate<R(A...)>(*this, target);
  }

 private:
  template <class Handler, class Signature>
  class faulty;
  template <class Signature>
  class gate;

  void add(fault which, unsigned n) {
    const std::lock_guard lock(mutex_);
    next_[static_cast<std::size_t>(which)] += n;
  }
  [[nodiscard]] bool takes(std::size_t which) {
    if (next_[which] == 0) return false;
    --next_[which];
    ++fired_[which];
    return true;
  }
  // The fault of one call (first .. last), if any.
  [[nodiscard]] std::optional<fault> take(fault first, fault last) {
    const std::lock_guard lock(mutex_);
    const auto from = static_cast<std::size_t>(first);
    const auto to = static_cast<std::size_t>(last);
    for (std::size_t which = from; which <= to; ++which) {
      if (takes(which)) return static_cast<fault>(which);
    }
    if (!random_) return std::nullopt;
    std::size_t drawn = random_->below(1'000);
    for (std::size_t which = 0; which < fault_count; drawn -= rates_[which], ++which) {
      if (drawn >= rates_[which]) continue;
      if (which < from || which > to) return std::nullopt;
      ++fired_[which];
      return static_cast<fault>(which);
    }
    return std::nullopt;
  }
  [[nodiscard]] failure why() const {
    const std::lock_guard lock(mutex_);
    return why_;
  }
  [[noreturn]] void throw_something() const {
    const std::uint64_t turn = fired(fault::throws) % 3;
    if (turn == 1) throw std::runtime_error("a fault was asked for");
    if (turn == 2) throw 42;
    throw "a fault was asked for";
  }
  // Before the handler; what is left to do after it.
  [[nodiscard]] std::optional<fault> strike() {
    const auto what = take(fault::fail, fault::duplicate);
    if (what == fault::throws) throw_something();
    return what;
  }
  void take_time(fault what, context& ctx) {
    if (what == fault::delay) {
      mutex_.lock();
      const auto by = delayed_by_;
      mutex_.unlock();
      time_.advance(by);
    } else if (what == fault::kill) {
      time_.advance(ctx.remaining() + std::chrono::milliseconds{1});
    }
  }

  manual_clock& time_;
  mutable std::mutex mutex_{};  // guards what follows
  std::array<unsigned, fault_count> next_{};
  std::array<std::uint64_t, fault_count> fired_{};
  std::array<unsigned, fault_count> rates_{};
  std::optional<detail::random_source> random_{};
  std::chrono::nanoseconds delayed_by_{std::chrono::seconds{1}};
  failure why_{.code = errc::unavailable, .effect = effect_kind::not_applied};
};

template <class Handler, class R, class... A>
class fault_plan::faulty<Handler, R(A...)> {
 public:
  faulty(fault_plan& plan, Handler handler) : plan_(&plan), handler_(std::move(handler)) {}

  result<R> operator()(A... argument, context& ctx) {
    const auto what = plan_->strike();
    if (what == fault::fail) return plan_->why();
    if constexpr ((std::is_copy_constructible_v<std::remove_cvref_t<A>> && ...)) {
      if (what == fault::duplicate) static_cast<void>(call(ctx, std::remove_cvref_t<A>(argument)...));
    }
    result<R> given = call(ctx, std::forward<A>(argument)...);
    if (what) plan_->take_time(*what, ctx);
    return given;
  }

 private:
  template <class... Given>
  result<R> call(context& ctx, Given&&... given) {
    const auto run = [&]() -> decltype(auto) {
      if constexpr (std::is_invocable_v<Handler&, A..., context&>) {
        return handler_(static_cast<A>(given)..., ctx);
      } else {
        return handler_(static_cast<A>(given)...);
      }
    };
    if constexpr (std::is_void_v<decltype(run())>) {
      run();
      return {};
    } else {
      return run();
    }
  }
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
  [[nodiscard]] bool refuses() const { return plan_->take(fault::throttle, fault::throttle).has_value(); }
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
