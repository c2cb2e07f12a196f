// SPDX-License-Identifier: MIT
#pragma once

// What no topic takes. Part of topic_conformance.hpp.

#include <dormouse/testing/services/topic_harness.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::topic_conformance {

inline void check_refused_events(const topic_harness& harness) {
  const auto store = harness.make_empty();
  const auto all = subscribed(*store, {.name = "all"});
  SECTION("an event that no message can be is refused, alone in its batch") {
    const auto refuses = [&](event bad, errc code, failure_reason why) {
      bad.type = "t";
      CHECK(refused(store->publish(bad), code, why));
      const auto answers = store->publish_batch({{.data = "1"}, bad, {.data = "2"}}).value();
      REQUIRE(answers.size() == 3);
      CHECK((answers[0] && refused(answers[1], code, why) && answers[2]));
      CHECK((take(*all) == texts{"1", "2"}));
    };
    for (const char* bad : {"", "A", "a_b", "aaaaaaaaaaaaaaaaaaaaa", "id", "data", "specversion"}) {
      refuses({.extensions = {{bad, "v"}}}, invalid, failure_reason::name);
    }
    refuses({.extensions = {{"a", "1"}, {"a", "1"}}}, invalid, failure_reason::name);
    event many;
    for (std::size_t i = 0; i < queue::attributes_max; ++i) many.extensions.emplace_back("a" + std::to_string(i), "");
    refuses(many, invalid, failure_reason::name);
    refuses({.time = calendar_time::min()}, invalid, failure_reason::none);
    refuses({.data = std::string(queue::message_bytes_max, 'x')}, errc::too_large, failure_reason::value_bytes);
    refuses({.subject = std::string(queue::message_bytes_max, 'x')}, errc::too_large, failure_reason::value_bytes);
  }
  SECTION("the largest event, and one with the most attributes, is taken whole") {
    const event named{.type = "t", .source = "s", .id = "1", .time = calendar_time{}};
    event most = named;
    most.subject = "s";
    most.datacontenttype = "c";
    for (std::size_t i = 0; i < queue::attributes_max - 7; ++i) {
      most.extensions.emplace_back("a" + std::to_string(i), "v");
    }
    REQUIRE(store->publish(most));
    CHECK(take_events(*all).at(0).extensions.size() == most.extensions.size() + 2);
    std::size_t own = 0;
    for (const auto& [name, value] : event_message(named).attributes) own += name.size() + value.size();
    event largest = named;
    largest.data = std::string(queue::message_bytes_max - own, 'x');
    REQUIRE(store->publish(largest));
    CHECK((take_events(*all).at(0).data == largest.data));
    largest.id += "2";
    CHECK(refused(store->publish(largest), errc::too_large, failure_reason::value_bytes));
  }
  SECTION("a batch is 1 .. 1,000 events") {
    std::vector<event> batch(topic::batch_max, {.type = "t"});
    CHECK(store->publish_batch(batch).value().size() == topic::batch_max);
    CHECK(count_of(*all) == topic::batch_max);
    batch.push_back({});
    CHECK(refused(store->publish_batch(batch), invalid, failure_reason::page_size));
    CHECK(refused(store->publish_batch({}), invalid, failure_reason::page_size));
    CHECK(count_of(*all) == topic::batch_max);
  }
}

inline void check_refused_subscriptions(const topic_harness& harness) {
  const auto store = harness.make_empty();
  SECTION("names are 1 .. 64 of [A-Za-z0-9_-]") {
    const std::string longest(64, 'x');
    REQUIRE(store->subscribe({.name = longest}));
    for (const auto& bad :
         {std::string(), longest + "x", std::string("a b"), std::string("a/b"), std::string(1, '\0')}) {
      CHECK(refused(store->subscribe({.name = bad}), invalid, failure_reason::name));
      CHECK(refused(store->unsubscribe(bad), invalid, failure_reason::name));
    }
    CHECK((names(*store) == texts{longest}));
  }
  SECTION("settings of a queue outside their bounds are a mistake of the program") {
    CHECK_THROWS_AS((void)store->subscribe({.name = "s", .queue = {.deliveries_max = 0}}), std::invalid_argument);
    CHECK_THROWS_AS((void)store->subscribe({.name = "s", .queue = {.messages_max = 0}}), std::invalid_argument);
    CHECK(names(*store).empty());
  }
  SECTION("a thousand subscriptions, and not one more") {
    for (std::size_t i = 0; i < topic::subscriptions_max; ++i) REQUIRE(store->subscribe({.name = std::to_string(i)}));
    CHECK(refused(store->subscribe({.name = "one_more"}), errc::limit_exceeded, failure_reason::store_full));
    CHECK(published(*store, {.type = "t"}) == topic::subscriptions_max);
    const auto known = store->subscribe({.name = "7"});  // that is none more
    REQUIRE(known);
    CHECK(take(**known).size() == 1);
    CHECK(store->unsubscribe("7").value());
    CHECK(store->subscribe({.name = "one_more"}));
    CHECK(store->subscriptions().value().size() == topic::subscriptions_max);
  }
}

inline void check_deadlines(const topic_harness& harness) {
  const auto store = harness.make_empty();
  SECTION("a call whose deadline has passed does nothing") {
    const auto kept = subscribed(*store, {.name = "s"});
    const auto due = harness.now() + std::chrono::milliseconds(10);
    REQUIRE(store->publish({.data = "1"}, {.deadline = due}));
    harness.advance(std::chrono::milliseconds(10));
    const auto late = [](const auto& got) {
      return refused(got, errc::deadline_exceeded, failure_reason::caller_deadline);
    };
    CHECK(late(store->publish({.data = "2"}, {.deadline = due})));
    CHECK(late(store->publish_batch({{.data = "3"}}, {.deadline = due})));
    CHECK(late(store->subscribe({.name = "t"}, {.deadline = due})));
    CHECK(late(store->unsubscribe("s", {.deadline = due})));
    CHECK(late(store->subscriptions({.deadline = due})));
    CHECK((names(*store) == texts{"s"}));
    CHECK((take(*kept) == texts{"1"}));
  }
}

inline void check_limits(const topic_harness& harness) {
  check_refused_events(harness);
  check_refused_subscriptions(harness);
  check_deadlines(harness);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::topic_conformance
