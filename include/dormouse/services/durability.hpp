// SPDX-License-Identifier: MIT
#pragma once

// How much of a disaster an adapter's acknowledged writes survive. Each service's adapters say it of themselves.

#include <dormouse/detail/config.hpp>

#include <cstdint>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// What a successful write has survived: the end of the call, of the process, or of the power supply.
enum class durability_level : std::uint8_t { memory = 1, process, power };

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
