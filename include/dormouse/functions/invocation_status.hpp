// SPDX-License-Identifier: MIT
#pragma once

// Where a posted event stands: what runtime::status() answers when runtime_options::status_count_max is above zero.

#include <dormouse/failure.hpp>

#include <cstdint>
#include <optional>

namespace dormouse::inline DORMOUSE_FLAVOUR {

enum class invocation_state : std::uint8_t {
  queued = 1,  // accepted, not started
  running,     // its handler has been entered, or its instance is being made
  waiting,     // failed, to be tried again
  delivering,  // ended, its outcome is on the way to a destination
  succeeded,
  failed,  // ended without success, its outcome is with the failure destination
  dead,    // a dead letter
  cancelled,
};

struct invocation_status {
  invocation_state state = invocation_state::queued;
  unsigned attempts = 0;           // begun
  std::optional<errc> last_error;  // of the last attempt that failed
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
