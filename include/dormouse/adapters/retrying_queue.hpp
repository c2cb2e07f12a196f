// SPDX-License-Identifier: MIT
#pragma once

// A queue whose calls are made again when that is harmless: see retrying.hpp. A send of which nothing is known is made
// again only if all its messages have a dedup_id, by which the queue knows them, for half of its dedup_window; what was
// stored by the first attempt is answered as a duplicate. An ack is made again whatever became of it; a receive, and
// all else that settles, only when it has changed nothing. What is part of a transaction is never made again.
// A queue that is full (throttled) is waited for, too. The answers within a batch of several that has succeeded are the
// caller's to look at.
// Threads, Blocking, Errors: as the inner queue, which must outlive this one; and for the delays.

#include <dormouse/adapters/retrying.hpp>
#include <dormouse/detail/forwarding_queue.hpp>
#include <dormouse/services/queue.hpp>

#include <cstdint>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

class retrying_queue final : public detail::forwarding_queue<detail::retries> {
 public:
  // Throws std::invalid_argument naming the option that is outside its bounds.
  explicit retrying_queue(queue& inner, retrying_options options = {}) : forwarding_queue(inner, std::move(options)) {}
  // Attempts after a first one, of all calls.
  [[nodiscard]] std::uint64_t repeated() const noexcept { return how().repeated(); }
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
