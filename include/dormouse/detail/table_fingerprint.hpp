// SPDX-License-Identifier: MIT
#pragma once

// A number for what a call asks, the same for the same question on every machine: cursors and tokens carry it, so that
// those of another call are recognised. It is no signature.

#include <dormouse/services/table_types.hpp>

#include <cstdint>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// Of one write; of a transaction.
[[nodiscard]] std::uint64_t fingerprint_of(const table_write& what) noexcept;
[[nodiscard]] std::uint64_t fingerprint_of(const std::vector<table_write>& writes) noexcept;
// Of a walk, whatever its page size.
[[nodiscard]] std::uint64_t fingerprint_of(const table_query& what) noexcept;
[[nodiscard]] std::uint64_t fingerprint_of(const table_scan& what) noexcept;

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/services/table_fingerprint.ipp>
#endif
