// SPDX-License-Identifier: MIT
#pragma once

// A table whose calls are made again when that is harmless: see retrying.hpp. A put, update or erase of which nothing
// is known is made again only with a token. The answers within a write_batch() that has succeeded are the caller's to
// look at.
// Threads, Blocking, Errors: as the inner table, which must outlive this one; and for the delays.

#include <dormouse/adapters/retrying.hpp>
#include <dormouse/detail/forwarding_table.hpp>
#include <dormouse/services/table.hpp>

#include <cstdint>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

class retrying_table final : public detail::forwarding_table<detail::retries> {
 public:
  // Throws std::invalid_argument naming the option that is outside its bounds.
  explicit retrying_table(table& inner, retrying_options options = {}) : forwarding_table(inner, std::move(options)) {}
  // Attempts after a first one, of all calls.
  [[nodiscard]] std::uint64_t repeated() const noexcept { return how().repeated(); }
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
