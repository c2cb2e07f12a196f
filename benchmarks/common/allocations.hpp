// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace bench {

// Calls of malloc and its kin in this process, by whatever library.
[[nodiscard]] std::uint64_t allocations() noexcept;

}  // namespace bench
