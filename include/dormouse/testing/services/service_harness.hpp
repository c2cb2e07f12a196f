// SPDX-License-Identifier: MIT
#pragma once

// What every conformance suite needs: a service under test with its clock, and what is asked of every refusal.

#include <dormouse/clock.hpp>
#include <dormouse/result.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

template <class Service>
struct service_harness {
  std::function<std::unique_ptr<Service>()> make_empty{};    // fresh and empty at every call
  std::function<clock::time_point()> now{};                  // by the service's clock
  std::function<void(std::chrono::milliseconds)> advance{};  // moves that clock
};

// Was it refused so, with nothing done?
template <class T>
bool refused(const result<T>& got, errc code, failure_reason reason = failure_reason::none) {
  return !got && got.error().code == code && got.error().reason == reason &&
         got.error().effect == effect_kind::not_applied;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing
