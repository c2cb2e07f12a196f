// SPDX-License-Identifier: MIT
#pragma once

// Where the outcome of a posted event goes: another function of the same runtime, or a callable of the host's.
//
//   runtime.define("resize", resize, {.on_success = destination::function("publish"),
//                                     .on_failure = destination::sink([&](const outcome& what) { ... })});
//
// The event keeps its place in its function's bounds until the destination has taken the outcome: a destination that
// refuses (a full queue, a sink that returns a failure or throws) is tried again after the delays of the function's
// retry policy, until event_age_max. Then the event becomes a dead letter that says why.

#include <dormouse/event.hpp>
#include <dormouse/functions/acceptance.hpp>
#include <dormouse/result.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// One posted event at its end. Views and references live for the call of the sink.
struct outcome {
  std::string_view function{};
  invocation_id id{};
  unsigned attempts = 1;
  // Null when the handler succeeded.
  const failure* why = nullptr;
  // What a function as destination gets. Its type is "dormouse.invocation.succeeded" or "dormouse.invocation.failed",
  // its subject the function; extensions: invocation, attempts and, when it failed, errorcode, errorreason,
  // errordetail, eventtype. Its data: the reply, or the data of the event that failed; empty when their type has no
  // codec.
  const event& message;
};

// Runs on a library thread, one call at a time for one event, any number for several. Must not block for long.
using outcome_sink = std::function<result<void>(const outcome&)>;

// Copyable; two are equal when one is a copy of the other.
class destination {
 public:
  // None: a success is only counted, a failure becomes a dead letter.
  destination() = default;
  // The function that has this name when the outcome is delivered. It gets one call more in its chain than the event
  // had, so that functions which name each other end at depth_max.
  [[nodiscard]] static destination function(std::string name);
  [[nodiscard]] static destination sink(outcome_sink takes);

  [[nodiscard]] bool empty() const noexcept { return target_ == nullptr; }
  friend bool operator==(const destination& a, const destination& b) noexcept { return a.target_ == b.target_; }

  // For the library: exactly one of the two is set.
  struct target {
    std::string name{};
    outcome_sink sink{};
  };
  [[nodiscard]] const target* get() const noexcept { return target_.get(); }

 private:
  std::shared_ptr<const target> target_{};
};

inline destination destination::function(std::string name) {
  destination made;
  made.target_ = std::make_shared<const target>(target{.name = std::move(name)});
  return made;
}

inline destination destination::sink(outcome_sink takes) {
  destination made;
  made.target_ = std::make_shared<const target>(target{.sink = std::move(takes)});
  return made;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
