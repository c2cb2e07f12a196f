// SPDX-License-Identifier: MIT
#pragma once

// A memory barrier on every thread of this process at once, paid by the caller alone: 0.1 us while no other processor
// runs our threads, ten times and more when one does. What the asymmetric half of parking.hpp stands on.

#include <dormouse/detail/config.hpp>

#if DORMOUSE_PLATFORM_LINUX
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

#if DORMOUSE_PLATFORM_LINUX

// False when the kernel has no such call (ENOSYS) or a sandbox forbids it (EPERM).
[[nodiscard]] inline bool register_membarrier() noexcept {
  return ::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

// False when a sandbox that came after the registration forbids it: then there was no barrier.
[[nodiscard]] inline bool membarrier_all_threads() noexcept {
  return ::syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
}

#else

[[nodiscard]] inline bool register_membarrier() noexcept { return false; }
[[nodiscard]] inline bool membarrier_all_threads() noexcept { return false; }

#endif

// Registers once per process.
[[nodiscard]] inline bool has_membarrier() noexcept {
  static const bool registered = register_membarrier();
  return registered;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
