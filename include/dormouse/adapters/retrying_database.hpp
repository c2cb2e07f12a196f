// SPDX-License-Identifier: MIT
#pragma once

// A database whose calls are made again when that is harmless: see retrying.hpp. A query is, as long as no row of it
// has been taken; a statement with execute(), and the beginning of a transaction, when nothing has changed. What is
// within a transaction is not: retry_transaction() begins it anew.
// Threads, Blocking, Errors: as the inner database, which must outlive this one; and for the delays.

#include <dormouse/adapters/retrying.hpp>
#include <dormouse/detail/forwarding_database.hpp>
#include <dormouse/services/database.hpp>

#include <cstdint>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

class retrying_database final : public detail::forwarding_database<detail::retries> {
 public:
  // Throws std::invalid_argument naming the option that is outside its bounds.
  explicit retrying_database(database& inner, retrying_options options = {})
      : forwarding_database(inner, std::move(options)) {}
  // Attempts after a first one, of all calls.
  [[nodiscard]] std::uint64_t repeated() const noexcept { return how().repeated(); }
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
