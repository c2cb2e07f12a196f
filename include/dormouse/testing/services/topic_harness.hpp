// SPDX-License-Identifier: MIT
#pragma once

// A topic under test, and ways to look at it. Include Catch2 (either major version) before this header.

#include <dormouse/clock.hpp>
#include <dormouse/services/message_event.hpp>
#include <dormouse/services/service_transaction.hpp>
#include <dormouse/services/topic.hpp>
#include <dormouse/testing/services/service_harness.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifndef REQUIRE
#error "dormouse: include Catch2 before <dormouse/testing/services/topic_harness.hpp>"
#endif

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

struct topic_harness {
  std::function<std::unique_ptr<topic>()> make_empty{};      // fresh and empty at every call
  std::function<clock::time_point()> now{};                  // by the topic's clock
  std::function<void(std::chrono::milliseconds)> advance{};  // moves that clock
  // A filter that the topic takes, for events of this type. Empty: it takes any, and gets one of the suite's own.
  std::function<std::shared_ptr<const event_filter>(std::string_view type)> filter{};
  // For topics that share transactions: begins one of the engine of this one.
  std::function<std::unique_ptr<service_transaction>(topic&)> begin{};
  // For a topic that outlives its process: closes this one, whose queues are closed, and opens what it has stored.
  std::function<std::unique_ptr<topic>(std::unique_ptr<topic>)> reopen{};
};

namespace topic_conformance {

constexpr auto invalid = errc::invalid_argument;
using texts = std::vector<std::string>;

// Events of one type.
class type_filter final : public event_filter {
 public:
  explicit type_filter(std::string_view type) : type_(type) {}
  [[nodiscard]] bool matches(const event& message) const noexcept override { return message.type == type_; }
  [[nodiscard]] std::string_view text() const noexcept override { return type_; }

 private:
  const std::string type_;
};

inline std::shared_ptr<const event_filter> of_type(const topic_harness& harness, std::string_view type) {
  if (harness.filter) return harness.filter(type);
  return std::make_shared<const type_filter>(type);
}

// The subscription's queue, or a failed test.
inline std::unique_ptr<queue> subscribed(topic& to, const subscription_settings& what) {
  return to.subscribe(what).value();
}

// How many subscriptions got it, or a failed test.
inline std::size_t published(topic& to, event message) { return to.publish(std::move(message)).value().subscriptions; }

// The events that can be received now, taken away, each with what it was sent as.
inline std::vector<event> take_events(queue& from) {
  std::vector<event> all;
  for (;;) {
    const auto got = from.receive({.count = 100}).value();
    if (got.empty()) return all;
    for (const auto& each : got) {
      all.push_back(message_event(each));
      REQUIRE(from.ack(each.receipt));
    }
  }
}

// Their data.
inline texts take(queue& from) {
  texts all;
  for (const auto& each : take_events(from)) all.emplace_back(each.data.text());
  return all;
}

// What is received or could be, and what waits behind it.
inline std::size_t count_of(queue& of) {
  const auto counts = of.counts().value();
  return counts.visible + counts.waiting + counts.in_flight;
}

inline texts names(topic& of) {
  texts all;
  const auto known = of.subscriptions().value();
  for (const auto& each : known) all.push_back(each.name);
  return all;
}

}  // namespace topic_conformance

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing
