// SPDX-License-Identifier: MIT
// Objects that come and go as events, on one thread. See change_feed_test.cpp for the reading itself.

#include "support/catch.hpp"

#include <dormouse/adapters/memory_object_store.hpp>
#include <dormouse/runtime.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/triggers/on_object.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::manual_clock;
using strings = std::vector<std::string>;

namespace {

struct scene {
  manual_clock time{};
  memory_object_store photos;
  std::vector<object_created> created{};
  std::vector<object_deleted> deleted{};
  runtime host{{.time = &time, .drive = drive_mode::host}};
  handle<void(const object_created&)> add =
      host.define<void(const object_created&)>("add", [this](const object_created& what) { created.push_back(what); });
  handle<void(const object_deleted&)> drop =
      host.define<void(const object_deleted&)>("drop", [this](const object_deleted& what) { deleted.push_back(what); });

  explicit scene(std::size_t changes_max = 1'000) : photos({.changes_max = changes_max, .time = &time}) {}
  strings keys() const {
    strings found;
    for (const auto& each : created) found.push_back(each.key);
    return found;
  }
};

}  // namespace

TEST_CASE("an object that is put is an event with all that is known of it but its bytes", "[on_object]") {
  scene now;
  REQUIRE(now.host.attach(on_object_created(now.photos), now.add));
  const auto stored = now.photos.put("in/a b.jpg", "12345",
                                     {.content_type = "image/jpeg", .metadata = {{"by", "ann & %bob=c"}, {"x", ""}}});
  REQUIRE(stored);
  now.time.advance(1h);
  now.host.poll();
  REQUIRE(now.created.size() == 1);
  const object_created& what = now.created[0];
  CHECK(what.key == "in/a b.jpg");
  CHECK(what.size == 5);
  CHECK(what.etag == stored->etag);
  CHECK(what.modified == stored->modified);
  CHECK(what.content_type == "image/jpeg");
  CHECK(what.metadata == stored->metadata);
  CHECK(what.sequence == now.photos.last_change().value());
}

TEST_CASE("a put, a copy and a finished writer create, an erase deletes", "[on_object]") {
  scene now;
  REQUIRE(now.photos.put("old", "x"));
  REQUIRE(now.host.attach(on_object_created(now.photos), now.add));
  REQUIRE(now.host.attach(on_object_deleted(now.photos), now.drop));
  REQUIRE(now.photos.copy("old", "new"));
  {
    auto dropped = now.photos.create("dropped");
    REQUIRE(dropped);
    REQUIRE(dropped->write("1"));
  }
  REQUIRE(now.photos.create("written")->finish());
  REQUIRE(now.photos.put("new", "xyz"));
  REQUIRE(now.photos.erase("old"));
  REQUIRE(now.photos.erase("old"));
  now.host.poll();
  CHECK(now.keys() == strings{"new", "written", "new"});
  REQUIRE(now.deleted.size() == 1);
  CHECK(now.deleted[0].key == "old");
  CHECK(now.deleted[0].size == 1);
}

TEST_CASE("prefix and suffix say which objects", "[on_object]") {
  scene now;
  REQUIRE(now.host.attach(on_object_created(now.photos, {.prefix = "in/", .suffix = ".jpg"}), now.add));
  for (const char* key : {"in/a.jpg", "out/a.jpg", "in/a.png", "in", "in/.jpg", ".jpg"}) {
    REQUIRE(now.photos.put(key, "x"));
  }
  now.host.poll();
  CHECK(now.keys() == strings{"in/a.jpg", "in/.jpg"});
}

TEST_CASE("a handler that takes the event of an object sees its key and the rest by name", "[on_object]") {
  scene now;
  std::vector<event> seen;
  auto raw = now.host.define("raw", [&](const event& message) { seen.push_back(message); });
  REQUIRE(now.host.attach(on_object_created(now.photos, {.source = "album"}), raw));
  REQUIRE(now.photos.put("\xc3\xa4/line\nbreak\xc2\x85", "12"));
  now.host.poll();
  REQUIRE(seen.size() == 1);
  const event& message = seen[0];
  CHECK(message.type == "dormouse.object.created");
  CHECK(message.source == "album");
  CHECK(message.subject == "\xc3\xa4/line%0Abreak%C2%85");
  CHECK(message.data == "\xc3\xa4/line\nbreak\xc2\x85");
  CHECK(*find_extension(message, "size") == "2");
  CHECK(find_extension(message, "contenttype") == nullptr);
  CHECK(find_extension(message, "metadata") == nullptr);
  CHECK(validate(message));
}

TEST_CASE("an event that is no object's is refused", "[on_object]") {
  scene now;
  std::optional<event> good;
  auto raw = now.host.define("raw", [&](const event& message) { good = message; });
  REQUIRE(now.host.attach(on_object_created(now.photos), raw));
  REQUIRE(now.photos.put("a", "x", {.metadata = {{"by", "ann"}}}));
  now.host.poll();
  REQUIRE(good);
  CHECK(codec<object_created>::decode(*good));
  const auto refuses = [&](const std::function<void(event&)>& spoil) {
    event bad = *good;
    spoil(bad);
    const auto decoded = codec<object_created>::decode(bad);
    return !decoded && decoded.error().reason == failure_reason::payload_type;
  };
  CHECK(refuses([](event& it) { it.type = "dormouse.object.deleted"; }));
  CHECK(refuses([](event& it) { it.data = {}; }));
  CHECK(refuses([](event& it) { it.extensions.clear(); }));
  for (auto& [name, value] : good->extensions) {
    if (name == "etag") continue;
    const std::string changed = name;
    CHECK(refuses([&](event& it) {
      for (auto& [each, text] : it.extensions) {
        if (each == changed) text = "%";
      }
    }));
  }
  CHECK(!codec<object_deleted>::decode(*good));
}

TEST_CASE("a reader of objects goes on where it was, and a gap is told", "[on_object][reader][gap]") {
  scene now(3);
  std::vector<change_gap> gaps;
  const on_object_options options{.reader = "thumbs", .on_gap = [&](const change_gap& gap) { gaps.push_back(gap); }};
  const auto first = now.host.attach(on_object_created(now.photos, options), now.add);
  REQUIRE(first);
  REQUIRE(now.photos.put("a", "x"));
  now.host.poll();
  CHECK(now.host.detach(*first));
  REQUIRE(now.photos.put("b", "x"));
  const auto second = now.host.attach(on_object_created(now.photos, options), now.add);
  REQUIRE(second);
  now.host.poll();
  CHECK(now.keys() == strings{"a", "b"});
  CHECK(gaps.empty());
  CHECK(now.host.detach(*second));
  for (const char* key : {"c", "d", "e", "f", "g"}) REQUIRE(now.photos.put(key, "x"));
  REQUIRE(now.host.attach(on_object_created(now.photos, options), now.add));
  now.host.poll();
  CHECK(now.keys() == strings{"a", "b", "e", "f", "g"});
  REQUIRE(gaps.size() == 1);
  CHECK(gaps[0].resumed_after - gaps[0].after == 2);
}

TEST_CASE("a function may put objects into the store it is triggered by", "[on_object]") {
  scene now;
  auto shrink = now.host.define("shrink", [&](const object_created& what) -> result<void> {
    const auto full = now.photos.get(what.key);
    if (!full) return full.error();
    const auto put = now.photos.put("out/" + what.key.substr(3), full->data.text().substr(0, 1));
    return put ? result<void>{} : result<void>(put.error());
  });
  REQUIRE(now.host.attach(on_object_created(now.photos, {.prefix = "in/"}), shrink));
  REQUIRE(now.host.attach(on_object_created(now.photos, {.prefix = "out/"}), now.add));
  REQUIRE(now.photos.put("in/a", "large"));
  now.host.poll();
  CHECK(now.keys() == strings{"out/a"});
  CHECK(now.photos.get("out/a")->data == "l");
}

TEST_CASE("wrong options of on_object are refused by name", "[on_object]") {
  scene now;
  const auto mistake = [&](on_object_options options) -> std::string {
    try {
      [[maybe_unused]] const auto made = on_object_deleted(now.photos, std::move(options));
    } catch (const std::invalid_argument& why) {
      return why.what();
    }
    return {};
  };
  CHECK(mistake({}).empty());
  CHECK(mistake({.prefix = std::string(1'025, 'a')}).find("prefix") != std::string::npos);
  CHECK(mistake({.suffix = std::string(1'025, 'a')}).find("suffix") != std::string::npos);
  CHECK(mistake({.reader = "a/b"}).find("on_object_options::reader") != std::string::npos);
  CHECK(mistake({.in_flight_max = 0}).find("on_object_options::in_flight_max") != std::string::npos);
}
