// SPDX-License-Identifier: MIT
#pragma once

// Who gets an event, and as what. Part of topic_conformance.hpp.

#include <dormouse/testing/services/topic_harness.hpp>

#include <chrono>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::topic_conformance {

inline void check_fan_out(const topic_harness& harness) {
  const auto store = harness.make_empty();
  SECTION("every subscription gets an event of its own, and what one does with it is nothing to the others") {
    const auto first = subscribed(*store, {.name = "first"});
    const auto second = subscribed(*store, {.name = "second"});
    CHECK(published(*store, {.type = "t", .data = "1"}) == 2);
    CHECK(published(*store, {.type = "t", .data = "2"}) == 2);
    CHECK((take(*first) == texts{"1", "2"}));
    CHECK(count_of(*second) == 2);
    CHECK((take(*second) == texts{"1", "2"}));
    CHECK((count_of(*first) == 0 && count_of(*second) == 0));
  }
  SECTION("a subscription with a filter gets what matches, one without all; the answer says how many") {
    const auto all = subscribed(*store, {.name = "all"});
    const auto paid = subscribed(*store, {.name = "paid", .filter = of_type(harness, "order.paid")});
    const auto sent = subscribed(*store, {.name = "sent", .filter = of_type(harness, "order.sent")});
    CHECK(published(*store, {.type = "order.paid", .data = "1"}) == 2);
    CHECK(published(*store, {.type = "order.sent", .data = "2"}) == 2);
    CHECK(published(*store, {.type = "order", .data = "3"}) == 1);
    CHECK((take(*paid) == texts{"1"}));
    CHECK((take(*sent) == texts{"2"}));
    CHECK((take(*all) == texts{"1", "2", "3"}));
  }
  SECTION("an event that nobody wants is published, to none") {
    const auto got = store->publish({.type = "t", .id = "7"});
    REQUIRE(got);
    CHECK((got->id == "7" && got->subscriptions == 0));
    const auto late = subscribed(*store, {.name = "late", .filter = of_type(harness, "u")});
    CHECK(take(*late).empty());
    CHECK(published(*store, {.type = "t"}) == 0);
  }
  SECTION("each event of a batch is answered by itself, in their order") {
    const auto all = subscribed(*store, {.name = "all"});
    const auto some = subscribed(*store, {.name = "some", .filter = of_type(harness, "u")});
    std::vector<event> batch;
    for (const char* data : {"1", "2", "3"}) batch.push_back({.type = "t", .id = data, .data = data});
    batch[1].type = "u";
    const auto answers = store->publish_batch(batch).value();
    REQUIRE(answers.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
      REQUIRE(answers[i]);
      CHECK((answers[i]->id == batch[i].id && answers[i]->subscriptions == (i == 1 ? 2 : 1)));
    }
    CHECK((take(*all) == texts{"1", "2", "3"}));
    CHECK((take(*some) == texts{"2"}));
  }
}

// Its own extensions, by name; those of the delivery must be there and sound.
inline std::vector<std::pair<std::string, std::string>> own_extensions(const event& got) {
  std::vector<std::pair<std::string, std::string>> own;
  for (const auto& each : got.extensions) {
    if (each.first != "deliveries" && each.first != "sequence") own.push_back(each);
  }
  REQUIRE(own.size() + 2 == got.extensions.size());
  CHECK(*find_extension(got, "deliveries") == "1");
  CHECK(find_extension(got, "sequence")->find_first_not_of("0123456789") == std::string::npos);
  return own;
}

inline void check_attributes(const topic_harness& harness) {
  const auto store = harness.make_empty();
  const auto all = subscribed(*store, {.name = "all"});
  SECTION("every attribute survives, and the time to its last digit") {
    using namespace std::chrono;
    const calendar_time when{duration_cast<system_clock::duration>(nanoseconds{1'700'000'000'123'456'789})};
    for (const calendar_time time : {when, calendar_time{seconds{1'700'000'000}}, calendar_time{} - seconds{1}}) {
      const event sent{.type = "com.example.\xc3\xa9",
                       .source = "/a?b#c",
                       .subject = "s p a c e",
                       .id = std::string(300, 'i'),
                       .time = time,
                       .datacontenttype = "application/json; charset=utf-8",
                       .data = payload(std::string("\0\x80\n\xff", 4)),
                       .extensions = {{"a", ""}, {"traceparent", "00-1"}, {"zzzzzzzzzzzzzzzzzzzz", "\"'%"}}};
      CHECK(store->publish(sent).value().id == sent.id);
      const auto got = take_events(*all);
      REQUIRE(got.size() == 1);
      CHECK((got[0].type == sent.type && got[0].source == sent.source && got[0].subject == sent.subject));
      CHECK((got[0].id == sent.id && got[0].time == sent.time && got[0].data == sent.data));
      CHECK(got[0].datacontenttype == sent.datacontenttype);
      CHECK((own_extensions(got[0]) == sent.extensions));
    }
  }
  SECTION("what is not said stays unsaid, but for the id, the source and the time") {
    std::set<std::string> ids;
    for (int i = 0; i < 3; ++i) ids.insert(store->publish({}).value().id);
    CHECK((ids.size() == 3 && ids.count("") == 0));
    const auto got = take_events(*all);
    REQUIRE(got.size() == 3);
    for (const auto& each : got) {
      CHECK((ids.count(each.id) == 1 && each.source == "dormouse" && each.time.has_value()));
      CHECK((each.type.empty() && each.subject.empty() && each.datacontenttype.empty() && each.data.empty()));
      CHECK(own_extensions(each).empty());
    }
  }
  SECTION("an event that was received can be published again, and a filter sees it as it was") {
    const auto some = subscribed(*store, {.name = "some", .filter = of_type(harness, "t")});
    REQUIRE(store->publish({.type = "t", .id = "1", .data = "x"}));
    auto got = take_events(*some);
    REQUIRE(got.size() == 1);
    got[0].id = "2";
    CHECK(published(*store, got[0]) == 2);
    CHECK((take(*all) == texts{"x", "x"}));
    CHECK((take(*some) == texts{"x"}));
  }
}

inline void check_groups(const topic_harness& harness) {
  const auto store = harness.make_empty();
  const subscription_settings by_subject{.name = "ordered", .order_by = subscription_settings::grouping::subject};
  const auto probe = subscribed(*store, {.name = "free"});
  if (!probe->capabilities().groups) {
    CHECK(refused(store->subscribe(by_subject), errc::unsupported));
    CHECK((names(*store) == texts{"free"}));
    return;
  }
  const auto ordered = subscribed(*store, by_subject);
  const std::string beyond(200, 's');  // longer than a group's name may be
  for (const char* data : {"a1", "b1", "a2", "x1", "b2", "a3", "x2"}) {
    const std::string subject = data[0] == 'x' ? beyond : std::string(1, data[0]);
    CHECK(published(*store, {.type = "t", .subject = subject, .data = data}) == 2);
  }
  CHECK(published(*store, {.type = "t", .data = "free1"}) == 2);
  CHECK(published(*store, {.type = "t", .data = "free2"}) == 2);
  const auto received = [](queue& from) {
    texts all;
    const auto got = from.receive({.count = 100}).value();
    for (const auto& each : got) all.emplace_back(each.data.text());
    return std::pair(all, got);
  };
  const auto [heads, deliveries] = received(*ordered);
  CHECK((heads == texts{"a1", "b1", "x1", "free1", "free2"}));
  CHECK(received(*ordered).first.empty());
  REQUIRE(deliveries.size() == 5);
  CHECK((deliveries[0].group == "a" && deliveries[3].group.empty()));
  CHECK(message_event(deliveries[2]).subject == beyond);
  REQUIRE(ordered->ack(deliveries[0].receipt));
  CHECK((received(*ordered).first == texts{"a2"}));
  REQUIRE(ordered->ack(deliveries[2].receipt));
  CHECK((received(*ordered).first == texts{"x2"}));
  CHECK(received(*probe).first.size() == 9);  // it has not asked for an order
}

inline void check_events(const topic_harness& harness) {
  check_fan_out(harness);
  check_attributes(harness);
  SECTION("by subject, the next event of one comes when the one before is done") { check_groups(harness); }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::topic_conformance
