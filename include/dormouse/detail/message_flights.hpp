// SPDX-License-Identifier: MIT
#pragma once

// Messages in the hands of a function: an event for each, or for several. A flight ends on the thread that ended its
// event, and may do so after the trigger is gone: what it needs then is shared.

#include <dormouse/clock.hpp>
#include <dormouse/event.hpp>
#include <dormouse/result.hpp>
#include <dormouse/runtime/trigger.hpp>
#include <dormouse/services/queue.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// A message that was received and is not settled.
struct held_message {
  std::string receipt{};
  unsigned deliveries = 0;
  // Extended in time before. max(): the queue has said that it is no longer ours.
  clock::time_point hidden_until{};
};

// How ends of events become settlements.
struct settling_rules {
  bool batches = false;
  std::chrono::milliseconds retry_delay{0};
  std::chrono::milliseconds retry_delay_max{0};
};

class message_flight;

// Where flights land. Threads: land() from any thread, the others one at a time.
class landing_place {
 public:
  // `port` is used until close().
  landing_place(queue& source, const settling_rules& how, trigger_port& port)
      : source_(source), rules_(how), port_(&port) {}
  // Never blocks before close(); afterwards it settles here.
  void land(std::shared_ptr<message_flight> flight) noexcept;
  // Those that have landed, the last one first, linked by `next`.
  [[nodiscard]] std::shared_ptr<message_flight> collect() noexcept;
  // The same, for the last time.
  [[nodiscard]] std::shared_ptr<message_flight> close() noexcept;
  [[nodiscard]] const settling_rules& rules() const noexcept { return rules_; }

 private:
  void settle(const message_flight& flight) noexcept;

  queue& source_;
  const settling_rules rules_;
  std::mutex mutex_{};
  trigger_port* port_;
  std::shared_ptr<message_flight> landed_{};
};

class message_flight final : public reply_receiver, public std::enable_shared_from_this<message_flight> {
 public:
  message_flight(std::shared_ptr<landing_place> to, std::vector<held_message> what, event form)
      : messages(std::move(what)), message(std::move(form)), to_(std::move(to)) {}
  void ended(result<reply>&& how) noexcept override {
    outcome.emplace(std::move(how));
    to_->land(shared_from_this());
  }

  std::vector<held_message> messages;            // the trigger's own until it lands
  event message;                                 // until it is accepted
  std::size_t place = 0;                         // among those that were accepted
  std::optional<result<reply>> outcome{};        // of one that has landed
  std::shared_ptr<message_flight> next{};        // the same
  [[nodiscard]] bool is_lost() const noexcept {  // the queue gives all of them to others
    for (const auto& each : messages) {
      if (each.hidden_until != clock::time_point::max()) return false;
    }
    return true;
  }

 private:
  const std::shared_ptr<landing_place> to_;
};

// What becomes of its messages, in their order. Precondition: it has landed.
[[nodiscard]] std::vector<queue_settlement> settlements_of(const message_flight& flight, const settling_rules& how);

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
