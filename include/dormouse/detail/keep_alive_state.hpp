// SPDX-License-Identifier: MIT
#pragma once

// Where a function with a keep-alive policy stands in its plan. Guarded by the function's lock.

#include <dormouse/clock.hpp>
#include <dormouse/functions/keep_alive.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// used -> kept -> away -> prewarmed -> over; each but the first is left by its timer, or by a use.
enum class keep_alive_stage : std::uint8_t {
  used = 1,   // or never used yet
  kept,       // unused, its idle instances are there
  away,       // none is; one will be made
  prewarmed,  // it is there, or being made
  over,       // the plan has no further step
};

struct keep_alive_state {
  std::unique_ptr<keep_alive_policy> policy{};  // null: the function has none
  keep_alive_plan plan{};
  keep_alive_stage stage = keep_alive_stage::used;
  std::size_t in_use = 0;  // leases that somebody has
  clock::time_point unused_since{};
  std::uint64_t timer = 0;  // the timekeeper's
  clock::time_point armed_for{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
