// SPDX-License-Identifier: MIT
#pragma once

// A queue whose calls are counted and timed: see metered.hpp. A receive() takes as long as it waits. Of a batch, calls
// are counted, not the answers within it.
// Threads, Blocking, Errors: as the inner one, which must outlive this one.

#include <dormouse/adapters/metered.hpp>
#include <dormouse/detail/forwarding_queue.hpp>
#include <dormouse/services/queue.hpp>

#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

class metered_queue final : public detail::forwarding_queue<detail::meter> {
 public:
  explicit metered_queue(queue& inner, metering_options options = {})
      : forwarding_queue(inner, service_operation::queue_send, service_operation::queue_watch, std::move(options)) {}
  // A snapshot; zero for the operations of other services.
  [[nodiscard]] operation_statistics statistics(service_operation what) const { return how().statistics(what); }
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
