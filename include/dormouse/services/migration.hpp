// SPDX-License-Identifier: MIT
#pragma once

// A step of the history of a database's schema: see database::migrate().

#include <dormouse/detail/config.hpp>

#include <cstdint>
#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// Never changed once released: its SQL is compared with what was done.
struct migration {
  std::uint32_t number = 0;  // 1 .. , ascending; gaps are allowed
  std::string name{};        // 1 .. 128 bytes
  std::string sql{};         // one statement or several
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
