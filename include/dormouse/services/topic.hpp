// SPDX-License-Identifier: MIT
#pragma once

// Events that several want to hear of: the publish and subscribe service, after Google Pub/Sub's model and SNS's.
// A publisher knows the topic, not who listens. Each subscription is a queue of its own: it gets a message for every
// event that its filter matches, and is received from, settled and redriven as any queue is. What is sent to that queue
// is for this subscription alone.
//
//   auto paid = parse_event_pattern(R"({"type": ["order.paid"]})").value();
//   auto billing = orders->subscribe({.name = "billing", .filter = paid}).value();
//   orders->publish({.type = "order.paid", .data = "..."});
//   billing->receive();  // message_event() makes the event of it again
//
// Threads, blocking, errors: as queue.hpp. Owning: queues of subscriptions may outlive the topic object they came from.

#include <dormouse/clock.hpp>
#include <dormouse/event.hpp>
#include <dormouse/result.hpp>
#include <dormouse/services/call_options.hpp>
#include <dormouse/services/durability.hpp>
#include <dormouse/services/event_filter.hpp>
#include <dormouse/services/queue.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

struct topic_capabilities {
  bool shared_transactions = false;  // publish within
  // An event is in the queues of all subscriptions that match, or in none. Otherwise a publish that fails may have
  // reached some; repeated with the same event id it reaches the others, once each, within their dedup_window.
  bool atomic_fan_out = false;
};

struct subscription_settings {
  std::string name{};  // 1 .. 64 of [A-Za-z0-9_-]
  // Which events; null: all. Where a topic is stored, a filter whose text() it can read: an event pattern.
  std::shared_ptr<const event_filter> filter{};
  queue_settings queue{};
  // Which member of the event its messages are grouped by (queue_message::group). Subjects that begin with the same 128
  // bytes are one group; events without one have no order.
  enum class grouping : std::uint8_t { none = 0, subject } order_by = grouping::none;
};

struct subscription_info {
  std::string name{};
  std::string filter{};  // its text; empty: all
  queue_settings queue{};
};

struct published_event {
  std::string id{};               // the event's
  std::size_t subscriptions = 0;  // that got it
};

class topic {
 public:
  static constexpr std::size_t subscriptions_max = 1'000;
  static constexpr std::size_t batch_max = 1'000;

  virtual ~topic() = default;
  topic(const topic&) = delete;
  topic& operator=(const topic&) = delete;

  [[nodiscard]] virtual topic_capabilities capabilities() const noexcept = 0;
  [[nodiscard]] virtual durability_level durability() const noexcept = 0;

  // Stored for every subscription that wants it, as durably as durability() says, when it returns. An `id`, `source` or
  // `time` that is not given is filled in. Fails: invalid_argument (name: an extension that validate() refuses, or more
  // attributes than a message has; a time outside the years 1700 .. 2261), too_large (value_bytes: as a queue's
  // message), throttled or limit_exceeded (a subscription's queue is full: with atomic_fan_out nobody gets it),
  // unsupported, deadline_exceeded, unavailable, out_of_memory.
  result<published_event> publish(event message, const queue_send_options& options = {});
  // 1 .. 1,000 events, each with an answer of its own, in their order. Fails as a whole: invalid_argument (page_size),
  // unsupported, deadline_exceeded, unavailable.
  result<std::vector<result<published_event>>> publish_batch(std::vector<event> messages,
                                                             const queue_send_options& options = {});

  // The queue of the subscription of this name: made, with no messages, if there is none; otherwise the same, with what
  // waits in it, and filter and settings as they are given now. Fails: invalid_argument (name), unsupported (a filter
  // that cannot be stored), limit_exceeded (store_full: subscriptions_max), unavailable. Throws std::invalid_argument
  // for queue settings outside their bounds.
  result<std::unique_ptr<queue>> subscribe(const subscription_settings& what, const call_options& options = {});
  // Ends it, and with it all messages and dead letters in its queue, which gets nothing any more: who still has it
  // finds it empty, or is refused. Was it there? Fails: invalid_argument (name), deadline_exceeded, unavailable.
  result<bool> unsubscribe(std::string_view name, const call_options& options = {});
  // All of them, by name.
  result<std::vector<subscription_info>> subscriptions(const call_options& options = {});

 protected:
  // `time` decides deadlines, is the time of events without one, and must outlive the topic.
  explicit topic(const clock& time) noexcept : time_(time) {}
  [[nodiscard]] const clock& time() const noexcept { return time_; }

 private:
  // What an adapter overrides: arguments, capabilities and deadlines have been checked, attributes are filled in.
  virtual result<std::vector<result<published_event>>> do_publish(std::vector<event>&& messages,
                                                                  const queue_send_options& options) = 0;
  virtual result<std::unique_ptr<queue>> do_subscribe(const subscription_settings& what,
                                                      const call_options& options) = 0;
  virtual result<bool> do_unsubscribe(std::string_view name, const call_options& options) = 0;
  virtual result<std::vector<subscription_info>> do_subscriptions(const call_options& options) = 0;

  const clock& time_;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/services/topic.ipp>
#endif
