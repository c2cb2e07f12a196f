// SPDX-License-Identifier: MIT
#pragma once

// Subscriptions that are made, changed and ended. Part of topic_conformance.hpp.

#include <dormouse/testing/services/topic_harness.hpp>

#include <chrono>
#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::topic_conformance {

// Refused, or of an empty queue.
inline bool has_nothing(queue& ended) {
  const auto got = ended.receive({.count = 10});
  const auto letters = ended.dead_letters();
  return (!got || got->empty()) && (!letters || letters->letters.empty());
}

inline void check_renewed(const topic_harness& harness) {
  const auto store = harness.make_empty();
  SECTION("who subscribes twice has the same queue, with what is in it") {
    const auto first = subscribed(*store, {.name = "s"});
    REQUIRE(store->publish({.type = "t", .data = "1"}));
    const auto second = subscribed(*store, {.name = "s"});
    CHECK(published(*store, {.type = "t", .data = "2"}) == 1);
    CHECK((names(*store) == texts{"s"}));
    const auto got = second->receive({.count = 1}).value();
    REQUIRE(got.size() == 1);
    CHECK(got[0].data == "1");
    CHECK((take(*first) == texts{"2"}));  // the other one is hidden from it, too
    REQUIRE(first->ack(got[0].receipt));  // and may be settled by either
    CHECK((count_of(*first) == 0 && count_of(*second) == 0));
  }
  SECTION("a changed filter counts from then on") {
    const auto kept = subscribed(*store, {.name = "s", .filter = of_type(harness, "t")});
    CHECK(published(*store, {.type = "t", .data = "1"}) == 1);
    CHECK(published(*store, {.type = "u", .data = "2"}) == 0);
    REQUIRE(store->subscribe({.name = "s", .filter = of_type(harness, "u")}));
    CHECK(published(*store, {.type = "t", .data = "3"}) == 0);
    CHECK(published(*store, {.type = "u", .data = "4"}) == 1);
    REQUIRE(store->subscribe({.name = "s"}));
    CHECK(published(*store, {.type = "v", .data = "5"}) == 1);
    CHECK((take(*kept) == texts{"1", "4", "5"}));
  }
  SECTION("changed settings count from then on") {
    const queue_settings brief{.visibility = std::chrono::seconds(1), .deliveries_max = 2, .messages_max = 1};
    (void)subscribed(*store, {.name = "s"});
    const auto now = subscribed(*store, {.name = "s", .queue = brief});
    CHECK(now->settings() == brief);
    REQUIRE(store->publish({.type = "t"}));
    CHECK(refused(store->publish({.type = "t"}), errc::throttled, failure_reason::queue_depth));
    CHECK(now->receive().value().size() == 1);
    CHECK(now->receive().value().empty());
    harness.advance(std::chrono::seconds(1));
    CHECK(now->receive().value().size() == 1);
    const auto all = store->subscriptions().value();
    REQUIRE(all.size() == 1);
    CHECK(all[0].queue == brief);
  }
}

inline void check_ended(const topic_harness& harness) {
  const auto store = harness.make_empty();
  SECTION("a subscription that ends takes its messages and dead letters with it, and nobody else's") {
    const auto other = subscribed(*store, {.name = "other"});
    const auto ended = subscribed(*store, {.name = "s"});
    for (const char* data : {"1", "2", "3"}) CHECK(published(*store, {.type = "t", .data = data}) == 2);
    const auto held = ended->receive({.count = 2}).value();
    REQUIRE(held.size() == 2);
    REQUIRE(ended->reject(held[0].receipt, "bad"));
    CHECK(!store->unsubscribe("none").value());
    CHECK(store->unsubscribe("s").value());
    CHECK(!store->unsubscribe("s").value());
    CHECK((names(*store) == texts{"other"}));
    CHECK(published(*store, {.type = "t", .data = "4"}) == 1);
    CHECK(has_nothing(*ended));
    CHECK(!ended->nack(held[1].receipt));
    const auto anew = subscribed(*store, {.name = "s"});
    CHECK((count_of(*anew) == 0 && anew->counts().value().dead == 0));
    CHECK(published(*store, {.type = "t", .data = "5"}) == 2);
    CHECK(has_nothing(*ended));
    CHECK((take(*anew) == texts{"5"}));
    CHECK((take(*other) == texts{"1", "2", "3", "4", "5"}));
  }
}

inline void check_queues(const topic_harness& harness) {
  auto store = harness.make_empty();
  SECTION("a queue outlives the topic it came from") {
    const auto kept = subscribed(*store, {.name = "s"});
    REQUIRE(store->publish({.type = "t", .data = "1"}));
    store.reset();
    CHECK((take(*kept) == texts{"1"}));
  }
  SECTION("what is sent to the queue of a subscription is for it alone") {
    const auto first = subscribed(*store, {.name = "first"});
    const auto second = subscribed(*store, {.name = "second"});
    REQUIRE(first->send({.data = "1"}));
    CHECK((take(*first) == texts{"1"}));
    CHECK(count_of(*second) == 0);
  }
  SECTION("a queue is as durable as its topic, and has the settings it was asked to have") {
    const queue_settings asked{.visibility = std::chrono::seconds(7), .deliveries_max = 3, .messages_max = 11};
    const auto made = subscribed(*store, {.name = "s", .queue = asked});
    CHECK((made->settings() == asked && made->durability() == store->durability()));
  }
  SECTION("what does not succeed is a dead letter of this subscription, and can be redriven") {
    const auto first = subscribed(*store, {.name = "first", .queue = {.deliveries_max = 1}});
    const auto second = subscribed(*store, {.name = "second"});
    REQUIRE(store->publish({.type = "t", .data = "1"}));
    const auto got = first->receive().value();
    REQUIRE(got.size() == 1);
    REQUIRE(first->nack(got[0].receipt, {}, "no"));
    CHECK((first->counts().value().dead == 1 && second->counts().value().dead == 0));
    CHECK(first->redrive(10).value() == 1);
    CHECK((take(*first) == texts{"1"}));
    CHECK((take(*second) == texts{"1"}));
  }
}

inline void check_subscriptions(const topic_harness& harness) {
  SECTION("they are told by name, with filter and settings") {
    const auto store = harness.make_empty();
    CHECK(store->subscriptions().value().empty());
    const auto filter = of_type(harness, "t");
    (void)subscribed(*store, {.name = "b", .filter = filter, .queue = {.deliveries_max = 7}});
    (void)subscribed(*store, {.name = "a"});
    const auto all = store->subscriptions().value();
    REQUIRE(all.size() == 2);
    CHECK((all[0].name == "a" && all[0].filter.empty() && all[0].queue == queue_settings{}));
    CHECK((all[1].name == "b" && all[1].filter == filter->text() && all[1].queue.deliveries_max == 7));
  }
  check_renewed(harness);
  check_ended(harness);
  check_queues(harness);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::topic_conformance
