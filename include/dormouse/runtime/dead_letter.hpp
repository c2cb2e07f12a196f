// SPDX-License-Identifier: MIT
#pragma once

// Accepted events that came to no good end and have no failure destination: kept, with every attempt, until somebody
// redrives or discards them. runtime_options bounds their number and bytes; at the bound, post() refuses new events and
// an event that fails keeps its place in its function's queue, so that none is ever dropped.

#include <dormouse/event.hpp>
#include <dormouse/failure.hpp>
#include <dormouse/functions/acceptance.hpp>
#include <dormouse/functions/attempt_record.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

struct dead_letter {
  invocation_id id{};
  std::string function{};
  // The event as it was posted. For a typed call its data is what the codec of the argument writes, empty without one.
  event message{};
  // The last failure; event_age_exceeded when it grew too old, not_found (undefined) when its function was removed.
  failure why{};
  std::vector<attempt_record> attempts{};
  std::chrono::system_clock::time_point died{};
};

// Which dead letters. A field that is empty excludes none; count_max takes the oldest of the rest.
struct dead_letter_filter {
  std::string function{};
  std::optional<errc> code{};
  std::optional<invocation_id> id{};
  std::size_t count_max = std::numeric_limits<std::size_t>::max();
};

struct redrive_options {
  // So many events per second, 1 .. 1,000,000; empty: all at once.
  std::optional<std::uint32_t> per_second_max{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
