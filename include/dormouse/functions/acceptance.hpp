// SPDX-License-Identifier: MIT
#pragma once

// What post() answers: the event is accepted, under this id, and kept this well.

#include <dormouse/detail/config.hpp>

#include <cstdint>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// An accepted event in its runtime. `number` alone is unique there; what reports, logs and contexts show is the number.
struct invocation_id {
  std::uint64_t number = 0;
  std::uint32_t function = 0;  // which one; for the runtime

  friend bool operator==(const invocation_id&, const invocation_id&) = default;
};

// What an acceptance survives.
enum class durability : std::uint8_t {
  memory = 1,  // nothing: it is lost with the process
  stored,      // the end of the process
};

struct acceptance {
  invocation_id id{};
  durability kept = durability::memory;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
