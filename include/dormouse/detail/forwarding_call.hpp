// SPDX-License-Identifier: MIT
#pragma once

// A call on its way through a decorator. The forwarding_ classes beside this one override every function of a service
// and hand each call, with what is known of it, to their behaviour:
//
//   template <class Call, class Measure>
//   auto around(const forwarded_call& what, Call&& call, Measure&& bytes_of) -> decltype(call());
//
// `call` asks the inner service and never throws; `bytes_of` counts a value that it gave. A behaviour says by
// `calls_again` whether it may use `call` more than once: then arguments are copied for each, else moved; by
// `counts_bytes` whether it wants to know how many bytes are in an item.

#include <dormouse/clock.hpp>
#include <dormouse/detail/service_call.hpp>
#include <dormouse/result.hpp>
#include <dormouse/services/service_operation.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// When may a call that has failed be made once more, so that all of them together do it once?
enum class repetition : std::uint8_t {
  never,           // it is a part of something that can only be begun anew
  if_not_applied,  // when it is known to have changed nothing
  with_token,      // for as long as the service knows the token
  always,          // a read, or a write that ends in the same state
};

struct forwarded_call {
  service_operation what{};
  repetition again = repetition::never;
  std::optional<clock::time_point> deadline{};
  std::uint64_t bytes = 0;  // that the caller gave, where they are known
  // Of a call that was made and of which nothing was heard.
  effect_kind unheard = effect_kind::unknown;
  // with_token: for how long after the first attempt the service is sure to know the token.
  std::chrono::nanoseconds token_age_max = std::chrono::nanoseconds::max();
};

[[nodiscard]] inline forwarded_call read_call(service_operation what,
                                              const std::optional<clock::time_point>& deadline) {
  return {.what = what, .again = repetition::always, .deadline = deadline, .unheard = effect_kind::not_applied};
}
[[nodiscard]] inline forwarded_call write_call(service_operation what, repetition again,
                                               const std::optional<clock::time_point>& deadline,
                                               std::uint64_t bytes = 0) {
  return {.what = what, .again = again, .deadline = deadline, .bytes = bytes};
}

struct no_bytes {
  template <class T>
  std::uint64_t operator()(const T&) const noexcept {
    return 0;
  }
};

// The inner service's own functions are called, behind its checks: they have been made by the decorator's interface.
// What they throw ends here, so that behaviours see failures only.
template <class Behaviour, class Call, class Measure = no_bytes>
auto forward_call(Behaviour& how, const forwarded_call& what, Call&& call, Measure&& bytes_of = {})
    -> decltype(call()) {
  const auto ask = [&] {
    return contained([&](effect_kind& effect) {
      effect = what.unheard;
      return call();
    });
  };
  return how.around(what, ask, std::forward<Measure>(bytes_of));
}

// Does nothing: for decorators that only change what goes in and comes out.
class plain_forwarding {
 public:
  static constexpr bool calls_again = false;
  static constexpr bool counts_bytes = false;
  explicit plain_forwarding(const clock&) noexcept {}
  template <class Call, class Measure>
  auto around(const forwarded_call&, Call&& call, Measure&&) -> decltype(call()) {
    return call();
  }
};

// An argument for the inner service: a copy if there may be another call.
template <class Behaviour, class T>
[[nodiscard]] std::remove_reference_t<T> handed_on(T& argument) {
  if constexpr (Behaviour::calls_again) {
    return argument;
  } else {
    return std::move(argument);
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
