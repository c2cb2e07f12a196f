// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/events_in_flight.hpp>

#include <mutex>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// What is called under the mutex is wake_soon() alone.
struct events_in_flight::state {
  explicit state(trigger_port& to) : port(&to) {}

  void began() {
    const std::lock_guard lock(mutex);
    const std::size_t needed = over.size() + count + 1;  // so that an end needs no memory
    if (needed > over.capacity()) over.reserve(2 * needed);
    ++count;
  }
  void ended(std::uint64_t number, bool refused) noexcept {
    const std::lock_guard lock(mutex);
    --count;
    if (refused) return;
    over.push_back(number);
    tell();
  }
  // When it cannot be told (no thread), it is again at the next end.
  void tell() noexcept {
    if (awaited && port != nullptr && port->wake_soon()) awaited = false;
  }

  std::mutex mutex{};
  trigger_port* port;
  std::size_t count = 0;
  bool awaited = false;
  std::vector<std::uint64_t> over{};
};

class events_in_flight::token {
 public:
  token(std::shared_ptr<state> of, std::uint64_t number) : of_(std::move(of)), number_(number) { of_->began(); }
  token(const token&) = delete;
  token& operator=(const token&) = delete;
  ~token() { of_->ended(number_, refused); }

  bool refused = false;  // set by who posts, who holds the token until then

 private:
  const std::shared_ptr<state> of_;
  const std::uint64_t number_;
};

DORMOUSE_INLINE events_in_flight::events_in_flight(trigger_port& port) : state_(std::make_shared<state>(port)) {}

DORMOUSE_INLINE result<void> events_in_flight::post(event message, std::uint64_t number) {
  trigger_port* const port = state_->port;  // close() is not called at the same time
  const auto held = std::make_shared<token>(state_, number);
  auto posted = port->post(std::move(message), held);
  if (!posted) held->refused = true;
  return posted;
}

DORMOUSE_INLINE std::size_t events_in_flight::count() const {
  const std::lock_guard lock(state_->mutex);
  return state_->count;
}

DORMOUSE_INLINE void events_in_flight::collect(std::vector<std::uint64_t>& over) {
  over.clear();
  const std::lock_guard lock(state_->mutex);
  over.reserve(state_->count);  // it takes the place of the other: see began()
  state_->over.swap(over);
  state_->awaited = false;
}

DORMOUSE_INLINE void events_in_flight::wake_when_over() {
  const std::lock_guard lock(state_->mutex);
  state_->awaited = true;
  if (state_->count == 0 || !state_->over.empty()) state_->tell();
}

DORMOUSE_INLINE void events_in_flight::close() noexcept {
  const std::lock_guard lock(state_->mutex);
  state_->port = nullptr;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
