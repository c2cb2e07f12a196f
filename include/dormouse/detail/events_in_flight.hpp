// SPDX-License-Identifier: MIT
#pragma once

// The events of one trigger that are accepted and not over, for triggers that must know: because the next must wait for
// the end of one, or because what was done must be remembered.
// Threads: but for the end of events, one at a time, as the trigger itself.

#include <dormouse/event.hpp>
#include <dormouse/result.hpp>
#include <dormouse/runtime/trigger.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class events_in_flight {
 public:
  // `port` is used until close().
  explicit events_in_flight(trigger_port& port);

  // Fails as trigger_port::post; an event that is refused is not in flight.
  result<void> post(event message, std::uint64_t number = 0);
  [[nodiscard]] std::size_t count() const;
  // The numbers of those that are over since the last call, in the order of their ends, in the place of what was there.
  void collect(std::vector<std::uint64_t>& over);
  // Calls wake() once: when the next is over, or soon if one is over that was not collected, or none is in flight.
  void wake_when_over();
  void close() noexcept;

 private:
  struct state;
  class token;
  const std::shared_ptr<state> state_;  // with the tokens, which may outlive the trigger
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
