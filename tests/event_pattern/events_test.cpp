// SPDX-License-Identifier: MIT
// How an event is seen.

#include "support/catch.hpp"

#include <dormouse/event_pattern.hpp>

#include <chrono>
#include <string>
#include <type_traits>

using namespace dormouse;
using namespace std::chrono_literals;

namespace {

bool asked(std::string_view pattern, const event& message) {
  return parse_event_pattern(pattern).value()->matches(message);
}

const event& order() {
  static const event made{.type = "order.paid",
                          .source = "/shop",
                          .subject = "orders/7",
                          .id = "e-1",
                          .time = std::chrono::sys_days{std::chrono::year{2026} / 11 / 23} + 10h + 500ms,
                          .datacontenttype = "application/json",
                          .data = R"({"total": 120, "items": [{"name": "cup"}]})",
                          .extensions = {{"region", "north"}}};
  return made;
}

}  // namespace

TEST_CASE("attributes and extensions of an event are strings", "[event_pattern]") {
  CHECK(asked(R"({"type": ["order.paid"]})", order()));
  CHECK(asked(R"({"detail-type": ["order.paid"], "type": [{"prefix": "order."}]})", order()));
  CHECK(!asked(R"({"detail-type": ["order.sent"]})", order()));
  CHECK(asked(R"({"source": ["/shop"], "subject": [{"wildcard": "orders/*"}], "id": ["e-1"]})", order()));
  CHECK(asked(R"({"time": ["2026-11-23T10:00:00.5Z"]})", order()));
  CHECK(asked(R"({"time": [{"prefix": "2026-11-23T10"}]})", order()));
  CHECK(asked(R"({"datacontenttype": ["application/json"], "region": ["north"]})", order()));
  CHECK(!asked(R"({"region": ["south"]})", order()));
  CHECK(!asked(R"({"account": [{"exists": true}]})", order()));
}

TEST_CASE("what is empty in an event is not there", "[event_pattern]") {
  for (const auto* name :
       {"type", "detail-type", "source", "subject", "id", "time", "datacontenttype", "data", "detail", "region"}) {
    INFO(name);
    CHECK(asked(std::string(R"({")") + name + R"(": [{"exists": false}]})", event{}));
    CHECK(!asked(std::string(R"({")") + name + R"(": [{"exists": false}]})", order()) ==
          (name != std::string("data") && name != std::string("detail")));  // these are objects there
    CHECK(!asked(std::string(R"({")") + name + R"(": [{"exists": true}]})", event{.extensions = {{"region", ""}}}));
  }
}

TEST_CASE("data is JSON when its media type says so", "[event_pattern]") {
  CHECK(asked(R"({"data": {"total": [{"numeric": [">", 100]}]}})", order()));
  CHECK(asked(R"({"detail": {"items": {"name": ["cup"]}}})", order()));
  CHECK(asked(R"({"detail.total": [120], "data.total": [120]})", order()));
  CHECK(asked(R"({"$or": [{"type": ["x"]}, {"data": {"total": [120]}}]})", order()));
  CHECK(!asked(R"({"detail": {"total": [121]}})", order()));
  CHECK(asked(R"({"data": [5]})", {.datacontenttype = "text/json; charset=utf-8", .data = "[4, 5]"}));
  CHECK(asked(R"({"data": {"a": [1]}})", {.datacontenttype = "application/problem+json", .data = R"({"a": 1})"}));
  // Malformed: no answer but no.
  const event malformed{.type = "t", .datacontenttype = "application/json", .data = "{"};
  CHECK(!asked(R"({"data": [{"exists": true}]})", malformed));
  CHECK(!asked(R"({"data": [{"exists": false}]})", malformed));
  CHECK(!asked(R"({"data": {"a": [{"exists": false}]}})", malformed));
  CHECK(!asked(R"({"$or": [{"type": ["t"]}, {"data": ["x"]}]})", malformed));
}

TEST_CASE("data without a media type is JSON if it parses", "[event_pattern]") {
  CHECK(asked(R"({"data": {"a": [1]}})", {.data = R"({"a": 1})"}));
  CHECK(asked(R"({"data": [1]})", {.data = "1"}));
  CHECK(!asked(R"({"data": ["1"]})", {.data = "1"}));
  CHECK(asked(R"({"data": ["hello"]})", {.data = "hello"}));
  CHECK(asked(R"({"data": ["hello"]})", {.data = "\"hello\""}));
  CHECK(asked(R"({"data": {"a": [{"exists": false}]}})", {.data = "hello"}));
}

TEST_CASE("other data is a string, and not looked into", "[event_pattern]") {
  const event text{.datacontenttype = "text/plain", .data = R"({"a": 1})"};
  CHECK(asked(R"({"data": [{"prefix": "{\"a\""}]})", text));
  CHECK(!asked(R"({"data": {"a": [1]}})", text));
  CHECK(!asked(R"({"data": [1]})", {.datacontenttype = "text/plain", .data = "1"}));
}

TEST_CASE("data is parsed only for patterns that ask for it", "[event_pattern]") {
  // Malformed data would be no match.
  const event malformed{.type = "t", .datacontenttype = "application/json", .data = "{"};
  CHECK(asked(R"({"type": ["t"]})", malformed));
  CHECK(asked(R"({"$or": [{"type": ["t"]}, {"source": ["s"]}]})", malformed));
}

TEST_CASE("a pattern is a filter with a text to be made again from", "[event_pattern]") {
  const std::string text = R"( {"type": ["order.paid"]} )";
  const std::shared_ptr<const event_filter> filter = parse_event_pattern(text).value();
  CHECK(filter->text() == text);
  CHECK(parse_event_pattern(filter->text()).value()->matches(order()));
  static_assert(std::is_abstract_v<event_filter> && std::has_virtual_destructor_v<event_filter>);
  static_assert(!std::is_copy_constructible_v<event_pattern>);
  static_assert(std::is_same_v<decltype(parse_event_pattern({})), result<std::shared_ptr<const event_filter>>>);
}

TEST_CASE("a document is one object", "[event_pattern]") {
  const auto pattern = event_pattern::parse(R"({"a": [{"exists": false}]})").value();
  CHECK(pattern->matches_document("{}"));
  CHECK(!pattern->matches_document(""));
  CHECK(!pattern->matches_document("[]"));
  CHECK(!pattern->matches_document("[{}]"));
  CHECK(!pattern->matches_document("1"));
  CHECK(!pattern->matches_document("{"));
  CHECK(!pattern->matches_document("{} x"));
  CHECK(!pattern->matches_document(std::string_view("{}\0", 3)));
  CHECK(!pattern->matches_document("{\"b\": \"\xff\"}"));
}
