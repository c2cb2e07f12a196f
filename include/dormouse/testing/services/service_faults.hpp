// SPDX-License-Identifier: MIT
#pragma once

// Faults of a service on demand, for faulty_table, faulty_object_store, faulty_database and faulty_queue:
//
//   service_fault_plan plan(time);                     // the service's clock, for the faults that take time
//   faulty_object_store store(inner, plan);
//   plan.lose_reply({.of = service_operation::object_finish, .nth = 2});
//   ...                                                // the second put happens, and its caller hears `unavailable`
//   CHECK(plan.unfired() == "");                       // all that was asked for has happened
//
// A store whose plan is empty is as good as the one behind it. A stream is torn by a fault of object_write, object_read
// or object_finish. Each fault that happened is counted: a test in which fired(...) is 0 has shown nothing. The faults
// of testing/fault_schedule.hpp, as they are with services:
//   throttle   the service is not asked: throttled, not_applied
//   fail       it is not asked: the given failure
//   throws     it is not asked, and throws: std::runtime_error, an int and a C string in turn
//   kill       it is asked, and its answer lost: the given failure; of a write with effect unknown
//   delay      it is asked, and takes longer; beyond the call's deadline its answer is lost: deadline_exceeded
//   duplicate  it is asked twice, and the first answer is lost
// Threads: any. Ownership: the plan outlives the decorators. Errors: std::invalid_argument for what cannot be meant.

#include <dormouse/detail/forwarding_call.hpp>
#include <dormouse/failure.hpp>
#include <dormouse/services/service_operation.hpp>
#include <dormouse/testing/fault_schedule.hpp>
#include <dormouse/testing/manual_clock.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

// Which calls: from the n-th of the operation that has no other fault to come, counted from now on, so many.
struct fault_occasion {
  service_operation of{};
  std::uint64_t nth = 1;
  unsigned times = 1;
};

class service_fault_plan {
 public:
  explicit service_fault_plan(manual_clock& time) : time_(time) {}
  service_fault_plan(const service_fault_plan&) = delete;
  service_fault_plan& operator=(const service_fault_plan&) = delete;

  void throttle(const fault_occasion& when, std::chrono::milliseconds retry_after = {}) {
    add(when, {.what = fault::throttle,
               .why = {.code = errc::throttled, .effect = effect_kind::not_applied, .retry_after = retry_after}});
  }
  void fail(const fault_occasion& when, failure why = unavailable()) {
    add(when, {.what = fault::fail, .why = std::move(why)});
  }
  void throw_from(const fault_occasion& when) { add(when, {.what = fault::throws}); }
  void lose_reply(const fault_occasion& when, failure why = unavailable()) {
    add(when, {.what = fault::kill, .why = std::move(why)});
  }
  void delay(const fault_occasion& when, std::chrono::nanoseconds by) { add(when, {.what = fault::delay, .by = by}); }
  void duplicate(const fault_occasion& when) { add(when, {.what = fault::duplicate}); }
  // From now on, beside those above, any operation but these.
  void at_random(std::uint64_t seed, const fault_rates& rates, std::set<service_operation> spared = {}) {
    random_.at_random(seed, rates);
    const std::lock_guard lock(mutex_);
    spared_ = std::move(spared);
  }

  [[nodiscard]] std::uint64_t fired(fault which) const {
    const std::lock_guard lock(mutex_);
    std::uint64_t sum = random_.fired(which);
    for (const auto& [what, each] : asked_) sum += each.fired(which);
    return sum;
  }
  // Asked for and not happened yet, in words: "object.create: fail 2, kill 1"; empty when all have.
  [[nodiscard]] std::string unfired() const {
    const std::lock_guard lock(mutex_);
    std::string words;
    for (const auto& [what, each] : asked_) {
      const std::string left = each.unfired();
      if (left.empty()) continue;
      if (!words.empty()) words += "; ";
      words.append(to_string(what)).append(": ").append(left);
    }
    return words;
  }

 private:
  friend class service_faults;
  [[nodiscard]] static failure unavailable() {
    return {.code = errc::unavailable, .effect = effect_kind::not_applied, .detail = "a fault was asked for"};
  }
  void add(const fault_occasion& when, struck_fault like) {
    if (when.nth == 0) throw std::invalid_argument("dormouse: fault_occasion::nth is 0; the next one is 1");
    const std::lock_guard lock(mutex_);
    asked_[when.of].add(when.times, std::move(like), when.nth - 1);
  }
  [[nodiscard]] std::optional<struck_fault> take(service_operation what) {
    static constexpr auto all = {fault::throttle, fault::fail,  fault::throws,
                                 fault::kill,     fault::delay, fault::duplicate};
    const std::lock_guard lock(mutex_);
    if (const auto found = asked_.find(what); found != asked_.end()) {
      if (auto taken = found->second.take(all)) return taken;
    }
    return spared_.count(what) == 0 ? random_.take(all) : std::nullopt;
  }
  void take_time(std::chrono::nanoseconds by) {
    const std::lock_guard lock(time_mutex_);  // a manual clock is moved by one thread at a time
    time_.advance(by);
  }

  manual_clock& time_;
  mutable std::mutex mutex_{};  // guards what follows
  std::map<service_operation, fault_schedule> asked_{};
  fault_schedule random_{};
  std::set<service_operation> spared_{};  // by random_
  std::mutex time_mutex_{};
};

// The behaviour of the faulty decorators.
class service_faults {
 public:
  static constexpr bool calls_again = true;
  static constexpr bool counts_bytes = false;
  service_faults(const clock& time, service_fault_plan& plan) : time_(time), plan_(plan) {}

  template <class Call, class Measure>
  auto around(const detail::forwarded_call& what, Call&& call, Measure&&) -> decltype(call()) {
    const auto taken = plan_.take(what.what);
    if (!taken) return call();
    switch (taken->what) {
      case fault::throttle:
      case fault::fail: return before(*taken);
      case fault::throws: throw_something(taken->number);
      case fault::kill: static_cast<void>(call()); return after(*taken, what);
      case fault::duplicate: static_cast<void>(call()); return call();
      case fault::delay: break;
    }
    auto got = call();
    plan_.take_time(taken->by);
    if (!what.deadline || time_.now() < *what.deadline) return got;
    return failure{.code = errc::deadline_exceeded, .effect = what.unheard, .reason = failure_reason::caller_deadline};
  }

 private:
  [[nodiscard]] static failure before(const struck_fault& taken) {
    failure why = taken.why;
    if (taken.what == fault::throttle) why.code = errc::throttled;  // a drawn one has the failure of any
    return why;
  }
  [[nodiscard]] static failure after(const struck_fault& taken, const detail::forwarded_call& what) {
    failure why = taken.why;
    why.effect = what.unheard;
    return why;
  }
  [[noreturn]] static void throw_something(std::uint64_t number) {
    if (number % 3 == 1) throw std::runtime_error("a fault was asked for");
    if (number % 3 == 2) throw 42;
    throw "a fault was asked for";
  }

  const clock& time_;
  service_fault_plan& plan_;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing
