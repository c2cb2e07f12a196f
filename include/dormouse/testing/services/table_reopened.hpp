// SPDX-License-Identifier: MIT
#pragma once

// A table that is closed and opened again has what it had. Part of table_conformance.hpp.

#include <dormouse/testing/services/table_changes.hpp>
#include <dormouse/testing/services/table_harness.hpp>
#include <dormouse/testing/services/table_indexes.hpp>
#include <dormouse/testing/services/table_items.hpp>

#include <chrono>
#include <set>
#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance {

inline void check_reopened(const table_harness& harness) {
  if (!harness.reopen) return;
  auto schema = schema_with_indexes();
  schema.change_view = table_change_view::both;
  auto store = open(harness, schema);
  const table_key key{std::string("p\0\xff", 3), "s"};
  CHECK(store->durability() >= durability_level::process);
  const auto again = [&] {
    store = harness.reopen(std::move(store), schema);
    REQUIRE(store != nullptr);
  };
  SECTION("items, keys and versions are what they were") {
    const auto version = store->put(key, item_of_all_kinds()).value();
    fill(*store, "many", 120);
    CHECK(store->erase({"many", "003"}).value());
    again();
    CHECK((whole(*store, key).item == item_of_all_kinds() && whole(*store, key).version == version));
    CHECK(everything(*store).size() == 120);
    CHECK(walk(*store, table_query{.partition = "many", .page_size = 7}).size() == 119);
    if (store->capabilities().conditions) {
      REQUIRE(store->put(key, number_item(1), {.when = {.if_version = version}}));
      CHECK(refused(store->put(key, {}, {.when = {.if_version = version}}), errc::condition_failed));
    }
  }
  SECTION("no version comes a second time") {
    std::set<table_version> versions;
    for (int i = 0; i < 4; ++i) {
      CHECK(versions.insert(store->put(key, {}).value()).second);
      CHECK(store->erase(key).value());
      again();
    }
  }
  SECTION("indexes, and cursors of walks that had begun") {
    for (const char* sort : {"1", "2", "3"}) REQUIRE(store->put({"p", sort}, order("open", 7)));
    table_query what{.partition = "p", .page_size = 2};
    what.cursor = page_of(*store, what).cursor;
    again();
    CHECK((sorts(page_of(*store, what).entries) == texts{"3"}));
    if (!store->capabilities().indexes.empty()) CHECK(index_gives(*store, of_state("open"), {"1", "2", "3"}));
  }
  if (store->capabilities().change_log) {
    SECTION("the log, its numbers, and how far readers have come") {
      REQUIRE(store->put(key, number_item(1)));
      REQUIRE(store->put(key, number_item(2)));
      const auto first = store->changes(0, 1).value().at(0).sequence;
      REQUIRE(store->remember("reader", first));
      const auto last = store->last_change().value();
      again();
      CHECK(store->last_change().value() == last);
      CHECK((store->position("reader").value() == first));
      const auto rest = changes_of(*store, first);
      REQUIRE(rest.size() == 1);
      CHECK((rest[0].former == number_item(1) && rest[0].current == number_item(2) && rest[0].sequence == last));
      CHECK(store->erase(key).value());
      again();
      CHECK(store->last_change().value() > last);
      CHECK(changes_of(*store, first).size() == 2);
    }
  }
  if (store->capabilities().tokens) {
    SECTION("tokens, until 10 minutes are over") {
      const auto version = store->put(key, number_item(1), {.token = "t"}).value();
      REQUIRE(store->put(key, number_item(2)));
      again();
      CHECK(store->put(key, number_item(1), {.token = "t"}).value() == version);
      CHECK(is_invalid(store->put(key, number_item(3), {.token = "t"})));
      CHECK(number_at(*store, key) == 2);
      harness.advance(std::chrono::minutes(11));
      again();
      CHECK(store->put(key, number_item(3), {.token = "t"}).value() != version);
      CHECK(number_at(*store, key) == 3);
    }
  }
  if (store->capabilities().expiry) {
    SECTION("when items end") {
      const auto end = std::chrono::floor<std::chrono::milliseconds>(harness.wall()) + std::chrono::milliseconds(50);
      REQUIRE(store->put(key, {}, {.expires_at = end}));
      again();
      CHECK((whole(*store, key).expires_at == end));
      harness.advance(std::chrono::milliseconds(50));
      again();
      CHECK(!is_there(*store, key));
    }
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance
