// SPDX-License-Identifier: MIT
#pragma once

// A database whose calls are counted and timed: see metered.hpp. Bytes are those of the SQL.
// Threads, Blocking, Errors: as the inner one, which must outlive this one.

#include <dormouse/adapters/metered.hpp>
#include <dormouse/detail/forwarding_database.hpp>
#include <dormouse/services/database.hpp>

#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

class metered_database final : public detail::forwarding_database<detail::meter> {
 public:
  explicit metered_database(database& inner, metering_options options = {})
      : forwarding_database(inner, service_operation::database_query, service_operation::transaction_commit,
                            std::move(options)) {}
  // A snapshot; zero for the operations of other services.
  [[nodiscard]] operation_statistics statistics(service_operation what) const { return how().statistics(what); }
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
