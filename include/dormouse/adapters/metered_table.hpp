// SPDX-License-Identifier: MIT
#pragma once

// A table whose calls are counted and timed: see metered.hpp.
// Threads, Blocking, Errors: as the inner one, which must outlive this one.

#include <dormouse/adapters/metered.hpp>
#include <dormouse/detail/forwarding_table.hpp>
#include <dormouse/services/table.hpp>

#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

class metered_table final : public detail::forwarding_table<detail::meter> {
 public:
  explicit metered_table(table& inner, metering_options options = {})
      : forwarding_table(inner, service_operation::table_get, service_operation::table_watch, std::move(options)) {}
  // A snapshot; zero for the operations of other services.
  [[nodiscard]] operation_statistics statistics(service_operation what) const { return how().statistics(what); }
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
