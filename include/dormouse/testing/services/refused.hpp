// SPDX-License-Identifier: MIT
#pragma once

// What conformance suites ask of every refusal.

#include <dormouse/result.hpp>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

// Was it refused so, with nothing done?
template <class T>
bool refused(const result<T>& got, errc code, failure_reason reason = failure_reason::none) {
  return !got && got.error().code == code && got.error().reason == reason &&
         got.error().effect == effect_kind::not_applied;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing
