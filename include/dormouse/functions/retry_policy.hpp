// SPDX-License-Identifier: MIT
#pragma once

// How often and when a posted event is tried again after its handler, or the making of its instance, has failed.
// Calls that somebody waits for (a call by handle, invoke, submit) are never repeated: their caller decides.

#include <dormouse/detail/config.hpp>

#include <chrono>
#include <cstdint>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// define() throws std::invalid_argument, naming the field and its bounds, for a value outside them.
struct retry_policy {
  // Attempts of one event, the first included, 1 .. 100. Waiting for an instance, a pause and a spaced init are none.
  unsigned attempts_max = 3;
  // From the end of the first attempt to the second, 0 .. 24 h.
  std::chrono::nanoseconds delay_first{std::chrono::seconds{1}};
  // Each later delay is the one before times this, 1 .. 100,
  unsigned delay_factor = 10;
  // and no longer than this, 0 .. 24 h. A failure's own retry_after counts when it is longer than all of these.
  std::chrono::nanoseconds delay_max{std::chrono::minutes{5}};
  // Each delay is moved at random by up to so many percent either way, 0 .. 100: events that failed together do not
  // come back together.
  unsigned jitter_percent = 20;
  // From acceptance on, 1 ms .. 30 days. An older event is not started: its dead letter says event_age_exceeded.
  std::chrono::nanoseconds event_age_max{std::chrono::hours{6}};
  // The retry budget of the function: so many retries per 100 first attempts, 0 .. 10,000,
  unsigned budget_percent = 10;
  // and so many per second at least, 1 .. 1,000,000. It limits the rate: a retry over it waits and keeps its number.
  unsigned budget_per_second_min = 1;

  friend bool operator==(const retry_policy&, const retry_policy&) = default;
};

namespace profile {
// What AWS Lambda does with an asynchronous event by default: two retries, after one and two minutes (AWS Lambda
// Developer Guide, "How Lambda handles errors and retries with asynchronous invocation").
inline constexpr retry_policy lambda{.delay_first = std::chrono::minutes{1}, .delay_factor = 2};
}  // namespace profile

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
