// SPDX-License-Identifier: MIT

#include "support/catch.hpp"

#include <dormouse/event.hpp>
#include <dormouse/testing/manual_clock.hpp>

#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;

namespace {
const event good{.type = "t", .source = "s", .id = "1", .extensions = {{"traceparent", "x"}}};

// The words of the refusal after `change` was made to a good event; "accepted" when there was none.
template <class Change>
std::string refusal(Change change) {
  event bad = good;
  change(bad);
  const auto got = validate(bad);
  if (got) return "accepted";
  CHECK(got.error().code == errc::invalid_argument);
  CHECK(got.error().effect == effect_kind::not_applied);
  return got.error().detail;
}
bool contains(const std::string& text, const std::string& word) { return text.find(word) != std::string::npos; }
}  // namespace

TEST_CASE("an event as a call site writes it becomes a CloudEvent by filling its attributes", "[event]") {
  testing::manual_clock time;
  event bare{.type = "photo.added", .data = "x"};
  CHECK(!validate(bare));
  fill_attributes(bare, time);
  CHECK(validate(bare));
  CHECK(bare.source == "dormouse");
  CHECK(bare.time == time.wall());
  CHECK_FALSE(bare.id.empty());
  CHECK(bare.type == "photo.added");
  CHECK(bare.data == "x");
  CHECK(bare.subject.empty());
  CHECK(bare.datacontenttype.empty());
}

TEST_CASE("attributes that were given are kept, each by itself", "[event]") {
  testing::manual_clock time;
  const auto yesterday = time.wall() - 24h;
  event with_id{.type = "t", .id = "7"};
  event with_source{.type = "t", .source = "/me"};
  event with_time{.type = "t", .time = yesterday};
  for (event* each : {&with_id, &with_source, &with_time}) fill_attributes(*each, time);
  CHECK(with_id.id == "7");
  CHECK(with_id.source == "dormouse");
  CHECK(with_source.source == "/me");
  CHECK_FALSE(with_source.id.empty());
  CHECK(with_time.time == yesterday);
  const event before = with_time;
  fill_attributes(with_time, time);  // once more changes nothing
  CHECK(with_time.id == before.id);
}

TEST_CASE("ids filled by four threads at once are unique", "[event]") {
  constexpr std::size_t each_count = 5'000;
  const testing::manual_clock time;
  std::vector<std::vector<std::string>> made(4);
  {
    std::vector<std::jthread> threads;
    for (auto& ids : made) {
      threads.emplace_back([&ids, &time] {
        for (std::size_t i = 0; i < each_count; ++i) {
          event each{.type = "t"};
          fill_attributes(each, time);
          ids.push_back(each.id);
        }
      });
    }
  }
  std::set<std::string> all;
  for (const auto& ids : made) all.insert(ids.begin(), ids.end());
  CHECK(all.size() == made.size() * each_count);
}

TEST_CASE("what CloudEvents forbids is refused, naming the attribute", "[event]") {
  CHECK(validate(good));
  CHECK(contains(refusal([](event& e) { e.type.clear(); }), "`type`"));
  CHECK(contains(refusal([](event& e) { e.source.clear(); }), "`source`"));
  CHECK(contains(refusal([](event& e) { e.id.clear(); }), "`id`"));
  for (const char* name : {"", "Upper", "a-b", "a_b", "a.b", "caf\xc3\xa9", "xxxxxxxxxxxxxxxxxxxxx"}) {
    INFO(name);
    CHECK(contains(refusal([name](event& e) { e.extensions[0].first = name; }), "extension"));
  }
  CHECK(refusal([](event& e) { e.extensions[0].first = std::string(20, '9'); }) == "accepted");
  CHECK(refusal([](event& e) { e.extensions.clear(); }) == "accepted");
}

// CloudEvents 1.0.2, "Type System", String: U+0000..U+001F and U+007F..U+009F are disallowed.
TEST_CASE("control characters in an attribute are refused", "[event]") {
  const char* const bytes = GENERATE("\n", "\x1b[2J", "\x7f", "\xc2\x9b");
  INFO("byte " << static_cast<int>(static_cast<unsigned char>(bytes[0])));
  const std::string forged = std::string("a") + bytes + "b";
  CHECK(contains(refusal([&](event& e) { e.type = forged; }), "type"));
  CHECK(contains(refusal([&](event& e) { e.source = forged; }), "source"));
  CHECK(contains(refusal([&](event& e) { e.subject = forged; }), "subject"));
  CHECK(contains(refusal([&](event& e) { e.id = forged; }), "id"));
  CHECK(contains(refusal([&](event& e) { e.extensions[0].second = forged; }), "extension"));
  const std::string name_refused = refusal([&](event& e) { e.extensions[0].first = forged; });
  CHECK_FALSE(contains(name_refused, bytes));  // nor does the refusal repeat them
}

TEST_CASE("an attribute stands in an event once: no extension bears the name of another", "[event]") {
  CHECK(contains(refusal([](event& e) { e.extensions.push_back(e.extensions[0]); }), "traceparent"));
  const std::string taken = GENERATE("id", "source", "type", "specversion", "subject", "time", "datacontenttype");
  CHECK(contains(refusal([&](event& e) { e.extensions[0].first = taken; }), taken));
}

TEST_CASE("an extension is found by its whole name", "[event]") {
  const event message{.type = "t", .extensions = {{"a", "1"}, {"ab", "2"}, {"empty", ""}}};
  REQUIRE(find_extension(message, "ab") != nullptr);
  CHECK(*find_extension(message, "ab") == "2");
  CHECK(*find_extension(message, "a") == "1");
  CHECK(find_extension(message, "empty")->empty());
  CHECK(find_extension(message, "abc") == nullptr);
  CHECK(find_extension(message, "") == nullptr);
  CHECK(find_extension(event{}, "a") == nullptr);
}
