// SPDX-License-Identifier: MIT
#pragma once

// Which events does somebody want? A question about one event at a time, asked where events are shared out.
// Threads: a filter never changes; any thread may ask, several at once.

#include <dormouse/event.hpp>

#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR {

class event_filter {
 public:
  virtual ~event_filter() = default;
  event_filter(const event_filter&) = delete;
  event_filter& operator=(const event_filter&) = delete;

  // The same answer for the same event, always; false when it cannot be found out, for instance without memory. Does
  // not block. `message` is only looked at during the call.
  [[nodiscard]] virtual bool matches(const event& message) const noexcept = 0;
  // What the filter was made of, so that it can be stored and made again by whoever made it. Lives as long as *this.
  [[nodiscard]] virtual std::string_view text() const noexcept = 0;

 protected:
  event_filter() = default;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
