// SPDX-License-Identifier: MIT

#include "support/catch.hpp"

#include <dormouse/event.hpp>
#include <dormouse/services/message_event.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;

namespace {

// As a queue delivers what it was sent.
queue_delivery delivered(const queue_message& sent) {
  return {.id = "m1",
          .sequence = 42,
          .data = sent.data,
          .attributes = sent.attributes,
          .group = sent.group,
          .receipt = "r",
          .deliveries = 3,
          .sent_at = calendar_time{5s}};
}

event there_and_back(const event& message) { return message_event(delivered(event_message(message))); }

const event whole{.type = "t",
                  .source = "/s",
                  .subject = "key",
                  .id = "7",
                  .time = calendar_time{1'700'000'000s} + 123'456'789ns,
                  .datacontenttype = "text/plain",
                  .data = payload(std::string("\0\xff", 2)),
                  .extensions = {{"a", ""}, {"b", "\n"}}};

// Is it no event of ours, but a message that is seen as one?
bool is_foreign(const event& seen) { return seen.type == "dormouse.queue.message" && seen.id == "m1"; }

}  // namespace

TEST_CASE("the attributes of an event are named as Kafka's binding names them", "[message_event]") {
  const auto made = event_message(whole);
  CHECK(
      (made.attributes == std::map<std::string, std::string, std::less<>>{{"ce_specversion", "1.0"},
                                                                          {"ce_type", "t"},
                                                                          {"ce_source", "/s"},
                                                                          {"ce_subject", "key"},
                                                                          {"ce_id", "7"},
                                                                          {"ce_time", "2023-11-14T22:13:20.123456789Z"},
                                                                          {"content-type", "text/plain"},
                                                                          {"ce_a", ""},
                                                                          {"ce_b", "\n"}}));
  CHECK((made.data == whole.data && made.group.empty() && made.dedup_id.empty() && made.delay == 0ms));
}

TEST_CASE("an event comes back as it was, and says which delivery it is", "[message_event]") {
  const auto back = there_and_back(whole);
  CHECK((back.type == whole.type && back.source == whole.source && back.subject == whole.subject));
  CHECK((back.id == whole.id && back.time == whole.time && back.datacontenttype == whole.datacontenttype));
  CHECK(back.data == whole.data);
  using list = std::vector<std::pair<std::string, std::string>>;
  CHECK((back.extensions == list{{"a", ""}, {"b", "\n"}, {"deliveries", "3"}, {"sequence", "42"}}));
}

TEST_CASE("members that are empty come back empty", "[message_event]") {
  const auto back = there_and_back({.source = "s", .id = "1", .time = calendar_time{}});
  CHECK((back.type.empty() && back.subject.empty() && back.datacontenttype.empty() && back.data.empty()));
  CHECK(back.extensions.size() == 2);
  CHECK(back.time == calendar_time{});
  CHECK(!there_and_back({.source = "s", .id = "1"}).time);
}

TEST_CASE("times come back to the nanosecond, from 1700 to 2261", "[message_event]") {
  const auto first = std::chrono::sys_days{std::chrono::year{1700} / 1 / 1};
  const auto last = std::chrono::sys_days{std::chrono::year{2262} / 1 / 1};
  for (const calendar_time when : {calendar_time{first}, calendar_time{last} - 1ns, calendar_time{} - 1ns,
                                   calendar_time{} + 1ns, calendar_time{1s}, calendar_time{1s} + 500ms}) {
    event message = whole;
    message.time = when;
    CHECK((there_and_back(message).time == when));
  }
}

TEST_CASE("the extensions of a delivery take the place of the event's own", "[message_event]") {
  event message = there_and_back(whole);
  message.extensions[0].second = "changed";
  message.extensions[1].second = "one line";
  const auto back = there_and_back(message);
  CHECK(back.extensions == message.extensions);
  CHECK(validate(back));
}

TEST_CASE("a message of another make is an event about it", "[message_event]") {
  queue_message sent{.data = "x", .group = "g"};
  sent.attributes = {{"content-type", "a/b"}, {"trace", "1"}, {"Trace", "2"}, {"a_b", "3"}, {"id", "4"},
                     {"sequence", "5"}};
  sent.attributes.emplace(std::string(20, 'l'), "6");
  sent.attributes.emplace(std::string(21, 'l'), "7");
  const auto seen = message_event(delivered(sent));
  CHECK(is_foreign(seen));
  CHECK((seen.data == "x" && seen.subject == "g" && seen.datacontenttype == "a/b"));
  CHECK((seen.time == calendar_time{5s} && seen.source == "dormouse"));
  using list = std::vector<std::pair<std::string, std::string>>;
  CHECK(
      (seen.extensions == list{{std::string(20, 'l'), "6"}, {"trace", "1"}, {"deliveries", "3"}, {"sequence", "42"}}));
  CHECK(validate(seen));
  CHECK(is_foreign(message_event(delivered({}))));
}

TEST_CASE("a message that lacks what every event has is none", "[message_event]") {
  for (const char* each : {"ce_specversion", "ce_id", "ce_source", "ce_type"}) {
    auto sent = event_message(whole);
    sent.attributes.erase(each);
    CHECK(is_foreign(message_event(delivered(sent))));
  }
  auto later = event_message(whole);
  later.attributes["ce_specversion"] = "2.0";
  CHECK(is_foreign(message_event(delivered(later))));
  auto timeless = event_message(whole);
  timeless.attributes["ce_time"] = "yesterday";
  const auto seen = message_event(delivered(timeless));
  CHECK(is_foreign(seen));
  CHECK(seen.time == calendar_time{5s});
}
