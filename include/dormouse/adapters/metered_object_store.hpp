// SPDX-License-Identifier: MIT
#pragma once

// An object store whose calls are counted and timed: see metered.hpp.
// Threads, Blocking, Errors: as the inner one, which must outlive this one.

#include <dormouse/adapters/metered.hpp>
#include <dormouse/detail/forwarding_object_store.hpp>
#include <dormouse/services/object_store.hpp>

#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

class metered_object_store final : public detail::forwarding_object_store<detail::meter> {
 public:
  explicit metered_object_store(object_store& inner, metering_options options = {})
      : forwarding_object_store(inner, service_operation::object_create, service_operation::object_watch,
                                std::move(options)) {}
  // A snapshot; zero for the operations of other services.
  [[nodiscard]] operation_statistics statistics(service_operation what) const { return how().statistics(what); }
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
