// SPDX-License-Identifier: MIT
#pragma once

// What every object store promises, as Catch2 sections: call check_object_store_conformance() inside a TEST_CASE, for
// each adapter and each decorator. What a store says it can do must work; what it says it cannot must be refused.
// Include Catch2 (either major version) before this header.

#include <dormouse/services/object_store.hpp>
#include <dormouse/testing/services/object_store_changes.hpp>
#include <dormouse/testing/services/object_store_harness.hpp>
#include <dormouse/testing/services/object_store_reopened.hpp>
#include <dormouse/testing/services/object_store_threads.hpp>
#include <dormouse/testing/services/service_harness.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

namespace object_store_conformance {

inline void check_objects(const object_store_harness& harness) {
  const auto store = harness.make_empty();
  const std::string bytes("\0\x80\n\xff", 4);
  SECTION("bytes, content type and metadata survive unchanged; a put replaces all of them") {
    const object_metadata metadata{{"author", "Ann"}, {"x_1-2", " ~"}};
    const auto info = store->put("k", bytes, {.content_type = "image/png", .metadata = metadata}).value();
    const auto got = store->get("k").value();
    CHECK(got.data.text() == bytes);
    CHECK((got.info.key == "k" && got.info.size == 4 && got.info.content_type == "image/png"));
    CHECK((got.info.metadata == metadata && got.info.etag == info.etag && !info.etag.empty()));
    CHECK(store->head("k").value().etag == info.etag);
    CHECK(store->put("k", bytes).value().etag != info.etag);
    CHECK((store->head("k").value().metadata.empty() && store->head("k").value().content_type.empty()));
    CHECK(walk(*store, {}).size() == 1);
  }
  SECTION("keys are names, never paths") {
    const std::vector<std::string> keys{"/", "..", "../../etc/passwd", "a", "a/", "a/b", "A", "\xc3\xa9", "\x01\x7f"};
    for (const auto& each : keys) REQUIRE(store->put(each, each));
    for (const auto& each : keys) CHECK(bytes_of(*store, each) == each);
    CHECK(walk(*store, {}).size() == keys.size());
    CHECK(store->erase("a").value());
    CHECK(bytes_of(*store, "a/") == "a/");
  }
  SECTION("an empty object is one; what is absent is not found, and erased without ado") {
    REQUIRE(store->put("empty", ""));
    CHECK(bytes_of(*store, "empty").empty());
    CHECK(store->erase("empty").value());
    CHECK(!store->erase("empty").value());
    CHECK(refused(store->get("empty"), errc::not_found));
    CHECK(refused(store->open("empty"), errc::not_found));
    CHECK(refused(store->head("empty"), errc::not_found));
    CHECK(refused(store->copy("empty", "other"), errc::not_found));
    CHECK(walk(*store, {}).empty());
  }
  SECTION("a copy is an object of its own, with the same bytes and metadata") {
    REQUIRE(store->put("from", bytes, {.content_type = "a/b", .metadata = {{"n", "v"}}}));
    const auto made = store->copy("from", "to").value();
    CHECK((made.key == "to" && made.content_type == "a/b" && made.metadata.at("n") == "v"));
    CHECK(refused(store->copy("from", "to", {.content_type = "c/d"}), invalid));
    CHECK(refused(store->copy("from", "to", {.metadata = {{"n", "w"}}}), invalid));
    REQUIRE(store->put("from", "other"));
    CHECK(bytes_of(*store, "to") == bytes);
    REQUIRE(store->copy("to", "to"));
    CHECK(store->head("to").value().etag != made.etag);
  }
  SECTION("ranges") {
    REQUIRE(store->put("k", "0123456789"));
    CHECK(bytes_of(*store, "k", {.offset = 3}) == "3456789");
    CHECK(bytes_of(*store, "k", {.offset = 3, .length = 4}) == "3456");
    CHECK(bytes_of(*store, "k", {.offset = 9, .length = 100}) == "9");
    CHECK(bytes_of(*store, "k", {.length = 0}).empty());
    CHECK(bytes_of(*store, "k", {.suffix = 3}) == "789");
    CHECK(bytes_of(*store, "k", {.suffix = 100}) == "0123456789");
    CHECK(refused(store->get("k", {.range = {.offset = 10}}), invalid));
    CHECK(refused(store->open("k", {.range = {.offset = 11}}), invalid));
    CHECK(refused(store->get("k", {.range = {.offset = 1, .suffix = 1}}), invalid));
    CHECK(store->get("k", {.range = {.suffix = 3}}).value().info.size == 10);
    CHECK(refused(store->get("k", {.bytes_max = 9}), errc::too_large, failure_reason::value_bytes));
    CHECK(store->get("k", {.range = {.length = 9}, .bytes_max = 9}));
  }
}

inline void check_streams(const object_store_harness& harness) {
  const auto store = harness.make_empty();
  REQUIRE(store->put("k", "former"));
  std::string piece(100'000, 'x');
  SECTION("nothing is to be seen of an object before it is finished, and nothing of one that never is") {
    {
      auto writer = store->create("k").value();
      for (int i = 0; i < 10; ++i) REQUIRE(writer.write(piece));
      CHECK(bytes_of(*store, "k") == "former");
    }
    CHECK(bytes_of(*store, "k") == "former");
    auto writer = store->create("k").value();
    for (int i = 0; i < 10; ++i) REQUIRE(writer.write(piece));
    CHECK(writer.finish().value().size == 1'000'000);
    CHECK(store->get("k").value().data.size() == 1'000'000);
    CHECK(refused(writer.write("more"), errc::expired));
    CHECK(refused(writer.finish(), errc::expired));
  }
  SECTION("a reader has the object that was there when it was opened, whatever becomes of it") {
    REQUIRE(store->put("k", piece + "end"));
    auto reader = store->open("k", {.range = {.offset = 99'000}}).value();
    std::string read(500, '\0');
    CHECK(reader.read(read).value() == 500);
    REQUIRE(store->put("k", "new"));
    CHECK(store->erase("k").value());
    std::string rest(10'000, '\0');
    CHECK(reader.read(rest).value() == 503);
    CHECK(rest.substr(0, 503) == std::string(500, 'x') + "end");
    CHECK(reader.read(rest).value() == 0);
    CHECK(reader.info().size == 100'003);
  }
  SECTION("a writer and a reader whose deadline passes fail from then on, and change nothing") {
    const auto due = harness.now() + std::chrono::milliseconds(10);
    auto writer = store->create("k", {.deadline = due}).value();
    auto reader = store->open("k", {.deadline = due}).value();
    REQUIRE(writer.write("in time"));
    harness.advance(std::chrono::milliseconds(10));
    constexpr auto late = errc::deadline_exceeded;
    CHECK(refused(writer.write("late"), late, failure_reason::caller_deadline));
    CHECK(refused(writer.finish(), late, failure_reason::caller_deadline));
    CHECK(refused(reader.read(piece), late, failure_reason::caller_deadline));
    CHECK(refused(store->put("k", "", {.deadline = due}), late, failure_reason::caller_deadline));
    CHECK(refused(store->get("k", {.deadline = due}), late, failure_reason::caller_deadline));
    CHECK(refused(store->head("k", {.deadline = due}), late, failure_reason::caller_deadline));
    CHECK(refused(store->erase("k", {.deadline = due}), late, failure_reason::caller_deadline));
    CHECK(refused(store->copy("k", "l", {.deadline = due}), late, failure_reason::caller_deadline));
    CHECK(refused(store->list({.deadline = due}), late, failure_reason::caller_deadline));
    CHECK(bytes_of(*store, "k") == "former");
  }
}

inline void check_conditions(const object_store_harness& harness) {
  const auto store = harness.make_empty();
  const auto former = store->put("k", "former").value();
  if (!store->capabilities().conditional_put) {
    CHECK(refused(store->put("k", "new", {.if_absent = true}), errc::unsupported));
    CHECK(refused(store->create("k", {.if_match = former.etag}), errc::unsupported));
    CHECK(refused(store->copy("k", "l", {.if_absent = true}), errc::unsupported));
    CHECK(bytes_of(*store, "k") == "former");
    return;
  }
  constexpr auto failed = errc::condition_failed;
  CHECK(refused(store->put("k", "new", {.if_absent = true}), failed));
  CHECK(refused(store->put("k", "new", {.if_match = former.etag + "x"}), failed));
  CHECK(refused(store->put("other", "new", {.if_match = former.etag}), failed));
  CHECK(refused(store->copy("k", "k", {.if_absent = true}), failed));
  CHECK(refused(store->put("k", "new", {.if_absent = true, .if_match = former.etag}), invalid));
  CHECK(bytes_of(*store, "k") == "former");
  CHECK(walk(*store, {}).size() == 1);
  REQUIRE(store->put("k", "second", {.if_match = former.etag}));
  CHECK(refused(store->put("k", "third", {.if_match = former.etag}), failed));
  REQUIRE(store->put("fresh", "", {.if_absent = true}));
  auto writer = store->create("late", {.if_absent = true}).value();
  REQUIRE(store->put("late", "first"));
  CHECK(refused(writer.finish(), failed));
  CHECK(bytes_of(*store, "late") == "first");
}

inline void check_limits(const object_store_harness& harness) {
  const auto store = harness.make_empty();
  const std::string longest(store->capabilities().key_bytes_max, 'k');
  REQUIRE(store->put(longest, "x"));
  const auto refuses = [&](std::string_view key, failure_reason why) {
    CHECK(refused(store->put(key, ""), invalid, why));
    CHECK(refused(store->get(key), invalid, why));
    CHECK(refused(store->head(key), invalid, why));
    CHECK(refused(store->erase(key), invalid, why));
    CHECK(refused(store->copy(key, "k"), invalid, why));
    CHECK(refused(store->copy(longest, key), invalid, why));
  };
  refuses("", failure_reason::key_bytes);
  refuses(longest + "k", failure_reason::key_bytes);
  for (const char* bad : {"\xff", "a\xc3", "\xed\xa0\x80"}) refuses(bad, failure_reason::name);
  refuses(std::string_view("a\0b", 3), failure_reason::name);
  const auto with = [&](object_metadata metadata) { return store->put("k", "", {.metadata = std::move(metadata)}); };
  REQUIRE(with({{"n", std::string(object_store::metadata_bytes_max - 1, 'v')}}));
  CHECK(refused(with({{"n", std::string(object_store::metadata_bytes_max, 'v')}}), errc::too_large,
                failure_reason::value_bytes));
  for (const char* bad : {"", "N", "a b", "\xc3\xa9"})
    CHECK(refused(with({{bad, "v"}}), invalid, failure_reason::name));
  CHECK(refused(with({{"n", "a\nb"}}), invalid, failure_reason::name));
  CHECK(refused(store->put("k", "", {.content_type = "a\r\nb"}), invalid, failure_reason::name));
  CHECK(refused(store->get(longest, {.bytes_max = object_store::get_bytes_max + 1}), invalid,
                failure_reason::value_bytes));
  CHECK(refused(store->list({.page_size = 0}), invalid, failure_reason::page_size));
  CHECK(refused(store->list({.page_size = object_store::page_size_max + 1}), invalid, failure_reason::page_size));
  CHECK(refused(store->list({.prefix = longest + "k"}), invalid, failure_reason::key_bytes));
}

inline void check_list(const object_store_harness& harness) {
  using names = std::vector<std::string>;
  const auto store = harness.make_empty();
  for (const char* key : {"a", "a/1", "a/2/x", "a/2/y", "a/3", "ab", "b/1", "c", "\xc3\xa9/1"}) {
    REQUIRE(store->put(key, key));
  }
  const std::size_t page_size = GENERATE(1U, 2U, 1'000U);
  const auto list = [&](object_list_options options) {
    options.page_size = page_size;
    return walk(*store, std::move(options));
  };
  CHECK(list({}).size() == 9);
  CHECK((list({.prefix = "a/"}) == names{"a/1", "a/2/x", "a/2/y", "a/3"}));
  CHECK((list({.prefix = "a/", .delimiter = "/"}) == names{"a/1", "a/2/*", "a/3"}));
  CHECK((list({.delimiter = "/"}) == names{"a", "a/*", "ab", "b/*", "c", "\xc3\xa9/*"}));
  CHECK((list({.start_after = "ab"}) == names{"b/1", "c", "\xc3\xa9/1"}));
  CHECK((list({.prefix = "a", .delimiter = "/", .start_after = "a/2"}) == names{"a/*", "ab"}));
  CHECK(list({.prefix = "zzz"}).empty());
  // What stays is given exactly once, whatever comes and goes beside it.
  const auto all = walk(*store, {.page_size = page_size}, [&] {
    REQUIRE(store->put("A", ""));
    REQUIRE(store->erase("b/1"));
  });
  CHECK(std::count(all.begin(), all.end(), "c") == 1);
  const auto cursor = store->list({.prefix = "a", .page_size = 1}).value().cursor;
  for (const auto& [prefix, delimiter] : {std::pair{"", ""}, {"a/", ""}, {"a", "/"}}) {
    CHECK(refused(store->list({.prefix = prefix, .delimiter = delimiter, .cursor = cursor}), invalid));
  }
  CHECK(refused(store->list({.prefix = "a", .start_after = "a", .cursor = cursor}), invalid));
  CHECK(refused(store->list({.prefix = "a", .cursor = cursor.substr(1)}), invalid));
}

}  // namespace object_store_conformance

inline void check_object_store_conformance(const object_store_harness& harness) {
  SECTION("objects") { object_store_conformance::check_objects(harness); }
  SECTION("streams") { object_store_conformance::check_streams(harness); }
  SECTION("conditions") { object_store_conformance::check_conditions(harness); }
  SECTION("limits") { object_store_conformance::check_limits(harness); }
  SECTION("list") { object_store_conformance::check_list(harness); }
  SECTION("changes") { object_store_conformance::check_changes(harness); }
  SECTION("reopened") { object_store_conformance::check_reopened(harness); }
  SECTION("threads") { object_store_conformance::check_threads(harness); }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing
