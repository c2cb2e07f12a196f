// SPDX-License-Identifier: MIT
#pragma once

// A reply that is on its way: what submit() returns. Completed exactly once, with shutting_down at the latest.
// Lifetime: may outlive the runtime once it is completed; before, closing the runtime completes it.
// Threads:  one at a time.

#include <dormouse/clock.hpp>
#include <dormouse/detail/entry.hpp>
#include <dormouse/detail/work_item.hpp>
#include <dormouse/result.hpp>

#include <optional>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

template <class T>
class [[nodiscard]] pending {
 public:
  pending(pending&&) noexcept = default;
  pending& operator=(pending&&) noexcept = default;
  // Neither waits nor cancels: the event runs all the same.
  ~pending() = default;

  // Blocks until the reply is there and takes it. Once; afterwards valid() is false. Inside a handler the invocation
  // runs on this thread if no worker has started it. Precondition: valid().
  [[nodiscard]] result<T> get() {
    DORMOUSE_ASSERT(valid());
    detail::wait_ended(*item_.get());
    result<T> taken = std::move(**out_);
    item_ = detail::item_pointer{};
    return taken;
  }
  // Blocks until the reply is there (true) or the runtime's clock has reached `limit` (false). Precondition: valid().
  [[nodiscard]] bool wait_until(clock::time_point limit) {
    DORMOUSE_ASSERT(valid());
    return detail::wait_ended_until(*item_.get(), limit);
  }
  // Is the reply there? Precondition: valid().
  [[nodiscard]] bool ready() const noexcept {
    DORMOUSE_ASSERT(valid());
    return detail::has_ended(*item_.get());
  }
  [[nodiscard]] bool valid() const noexcept { return item_.get() != nullptr; }

  // For the library: an item that was handed over, and where its outcome is put.
  pending(detail::item_pointer item, std::optional<result<T>>& out) noexcept : item_(std::move(item)), out_(&out) {}

 private:
  detail::item_pointer item_;
  std::optional<result<T>>* out_;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/functions/handle.hpp>  // and with it the bodies
#endif
