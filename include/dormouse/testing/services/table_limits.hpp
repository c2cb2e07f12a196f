// SPDX-License-Identifier: MIT
#pragma once

// Limits of a table, and deadlines. Part of table_conformance.hpp.

#include <dormouse/testing/services/table_harness.hpp>

#include <cstdint>
#include <limits>
#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance {

inline bool refused_key(const auto& got) { return refused(got, invalid, failure_reason::key_bytes); }
inline bool refused_name(const auto& got) { return refused(got, invalid, failure_reason::name); }
inline bool refused_count(const auto& got) { return refused(got, invalid, failure_reason::page_size); }
inline bool too_large(const auto& got) { return refused(got, errc::too_large, failure_reason::value_bytes); }

inline void check_key_limits(const table_harness& harness) {
  const auto store = open(harness);
  const table_key longest{std::string(store->capabilities().partition_bytes_max, 'p'),
                          std::string(table::sort_bytes_max, 's')};
  SECTION("keys at their limits are taken") {
    REQUIRE(store->put(longest, number_item(1)));
    REQUIRE(store->put({longest.partition, ""}, {}));
    CHECK((stored(*store, longest) == number_item(1)));
    CHECK(walk(*store, table_query{.partition = longest.partition, .page_size = 1}).size() == 2);
    CHECK(walk(*store, table_query{.partition = longest.partition, .sort = {.prefix = longest.sort}}).size() == 1);
    CHECK(walk(*store, table_scan{.page_size = 1}).size() >= 2);
    CHECK(store->get_batch({longest}).value().found.size() == 1);
    CHECK(store->erase(longest).value());
  }
  SECTION("beyond them they are refused by every function") {
    for (const table_key& bad : {table_key{"", "s"}, {longest.partition + "p", ""}, {"p", longest.sort + "s"}}) {
      CHECK(refused_key(store->put(bad, {})));
      CHECK(refused_key(store->get(bad)));
      CHECK(refused_key(store->erase(bad)));
      CHECK(refused_key(store->get_batch({{"good", ""}, bad})));
      CHECK(refused_key(store->write_batch({put_write({"good", ""}, {}), put_write(bad, {})})));
      if (store->capabilities().updates) CHECK(refused_key(store->update(bad, table_update())));
      if (store->capabilities().transactions) CHECK(refused_key(store->transact({erase_write(bad)})));
    }
    CHECK(refused_key(store->query({.partition = ""})));
    CHECK(refused_key(store->query({.partition = longest.partition + "p"})));
    CHECK(refused_key(store->query({.partition = "p", .sort = {.prefix = longest.sort + "s"}})));
    CHECK(refused_key(store->query({.partition = "p", .sort = {.from = longest.sort + "s"}})));
    CHECK(refused_key(store->query({.partition = "p", .sort = {.to = longest.sort + "s"}})));
    CHECK(everything(*store).empty());
  }
}

// An item that counts exactly that many bytes, with an attribute of every kind.
inline table_item item_of_bytes(std::size_t bytes) {
  table_item item{{"n", {}},
                  {"y", true},
                  {"w", std::int64_t{1}},
                  {"d", 1.0},
                  {"t", std::string(1'000, 'x')},
                  {"s", text_set{"a", "bc"}},
                  {"i", number_set{1, 2}},
                  {"l", attribute_list{"abc", std::int64_t{1}}},
                  {"m", attribute_map{{"name", true}}}};
  const std::size_t text = 2 + 2 + 9 + 9 + 1'001;
  const std::size_t sets = (1 + 3 + 1 + 1 + 1 + 2) + (1 + 3 + 2 * (1 + 8));
  const std::size_t nested = (1 + 3 + 1 + 3 + 1 + 8) + (1 + 3 + 1 + 4 + 1);
  item["b"] = payload(std::string(bytes - text - sets - nested - 1, 'x'));
  return item;
}

inline attribute nested(std::size_t levels, bool in_maps) {
  attribute value = "core";
  for (std::size_t i = 0; i < levels; ++i) {
    if (in_maps) {
      value = attribute_map{{"m", std::move(value)}};
    } else {
      attribute_list list;
      list.push_back(std::move(value));
      value = std::move(list);
    }
  }
  return value;
}

inline void check_item_limits(const table_harness& harness) {
  const auto store = open(harness);
  const table_key key{"k", ""};
  SECTION("items at their limit are taken, a byte beyond it refused, and the former item stays") {
    const auto most = store->capabilities().item_bytes_max;
    REQUIRE((most >= 4'096 && most <= table::item_bytes_max));
    const auto item = item_of_bytes(most);
    CHECK(table::item_bytes(item) == most);
    REQUIRE(store->put(key, item));
    CHECK(too_large(store->put(key, item_of_bytes(most + 1))));
    CHECK((stored(*store, key) == item));
    if (store->capabilities().updates) {
      CHECK(too_large(store->update(key, table_update().set(field("o"), {}))));
      CHECK(too_large(store->update({"o", ""}, table_update().set(field("b"), payload(std::string(most, 'x'))))));
      CHECK((stored(*store, key) == item));
      CHECK(!is_there(*store, {"o", ""}));
    }
  }
  SECTION("names are of 1 to 255 bytes, also within maps") {
    const std::string longest(table::name_bytes_max, 'n');
    const table_item item{{longest, attribute_map{{longest, true}}}, {"n", true}};
    REQUIRE(store->put(key, item));
    for (const auto& bad : {longest + "n", std::string()}) {
      CHECK(refused_name(store->put(key, {{bad, true}})));
      CHECK(refused_name(store->put(key, {{"l", attribute_list{true, attribute_map{{bad, true}}}}})));
      CHECK(refused_name(store->query({.partition = "k", .projection = {bad}})));
      CHECK(refused_name(store->scan({.projection = {bad}})));
      if (store->capabilities().updates) CHECK(refused_name(store->update(key, table_update().set(field(bad), true))));
    }
    CHECK((stored(*store, key) == item));
  }
  SECTION("numbers are finite, also within lists") {
    REQUIRE(store->put(key, number_item(1)));
    using real = std::numeric_limits<double>;
    for (const double bad : {real::quiet_NaN(), real::infinity(), -real::infinity()}) {
      CHECK(is_invalid(store->put(key, {{"n", bad}})));
      CHECK(is_invalid(store->put(key, {{"n", attribute_list{"a", bad}}})));
      CHECK(is_invalid(store->write_batch({put_write(key, {{"n", bad}})})));
      if (store->capabilities().updates) CHECK(is_invalid(store->update(key, table_update().set(field("n"), bad))));
    }
    CHECK((stored(*store, key) == number_item(1)));
  }
  SECTION("lists and maps are within each other up to 32 levels") {
    const bool in_maps = GENERATE(false, true);
    const table_item item{{"deep", nested(table::item_levels_max, in_maps)}};
    REQUIRE(store->put(key, item));
    CHECK(is_invalid(store->put(key, {{"deep", nested(table::item_levels_max + 1, in_maps)}})));
    if (store->capabilities().updates) {
      CHECK(is_invalid(store->update(key, table_update().set(field("o"), nested(33, in_maps)))));
    }
    CHECK((stored(*store, key) == item));
  }
}

inline void check_page_limits(const table_harness& harness) {
  const auto store = open(harness);
  SECTION("pages are of 1 to 1,000 entries") {
    fill(*store, "p", table::page_size_max + 1);
    CHECK(page_of(*store, table_query{.partition = "p", .page_size = table::page_size_max}).examined == 1'000);
    CHECK(walk(*store, table_query{.partition = "p", .page_size = table::page_size_max}).size() == 1'001);
    CHECK(walk(*store, table_query{.partition = "p"}).size() == 1'001);
    CHECK(everything(*store, {.page_size = table::page_size_max}).size() == 1'001);
    for (const std::size_t bad : {std::size_t{0}, table::page_size_max + 1}) {
      CHECK(refused_count(store->query({.partition = "p", .page_size = bad})));
      CHECK(refused_count(store->scan({.page_size = bad})));
    }
  }
  SECTION("a page ends with 1 MiB of examined items, whether they are given or not") {
    for (const char* sort : {"1", "2", "3", "4", "5"}) {
      REQUIRE(store->put({"p", sort}, {{"b", payload(std::string(300'000, 'x'))}}));
    }
    const auto ends = [](const table_page& page) {
      return page.examined >= 1 && page.examined <= 4 && !page.cursor.empty();
    };
    const condition nothing = field("x").exists();
    CHECK(ends(page_of(*store, table_query{.partition = "p"})));
    CHECK(ends(page_of(*store, table_query{.partition = "p", .filter = nothing})));
    CHECK(ends(page_of(*store, table_query{.partition = "p", .projection = {"x"}})));
    CHECK(ends(page_of(*store, table_scan{})));
    CHECK((sorts(walk(*store, table_query{.partition = "p"})) == texts{"1", "2", "3", "4", "5"}));
    CHECK(everything(*store).size() == 5);
  }
}

// Every function refuses a call that begins at or after its deadline, and has taken one that began before it.
inline void check_deadlines(const table_harness& harness) {
  const auto store = open(harness, {.change_view = table_change_view::keys});
  const auto& able = store->capabilities();
  harness.advance(std::chrono::hours(2));
  const auto due = harness.now() + std::chrono::milliseconds(10);
  const table_key key{"k", ""};
  harness.advance(std::chrono::milliseconds(9));
  REQUIRE(store->put(key, text_item("in time"), {.deadline = due}));
  CHECK(store->get(key, {.deadline = due}).value().has_value());
  CHECK(!store->erase({"other", ""}, {.deadline = due}).value());
  CHECK(store->get_batch({key}, {.deadline = due}).value().found.size() == 1);
  CHECK(store->write_batch({erase_write({"other", ""})}, {.deadline = due}).value().at(0));
  CHECK(store->query({.partition = "k", .deadline = due}).value().entries.size() == 1);
  CHECK(store->scan({.deadline = due}).value().entries.size() == 1);
  harness.advance(std::chrono::milliseconds(1));
  const auto late = [](const auto& got) {
    return refused(got, errc::deadline_exceeded, failure_reason::caller_deadline);
  };
  CHECK(late(store->put(key, text_item("late"), {.deadline = due})));
  CHECK(late(store->get(key, {.deadline = due})));
  CHECK(late(store->erase(key, {.deadline = due})));
  CHECK(late(store->get_batch({key}, {.deadline = due})));
  CHECK(late(store->write_batch({erase_write(key)}, {.deadline = due})));
  CHECK(late(store->query({.partition = "k", .deadline = due})));
  CHECK(late(store->scan({.deadline = due})));
  if (able.updates) CHECK(late(store->update(key, table_update(), {.deadline = due})));
  if (able.transactions) CHECK(late(store->transact({erase_write(key)}, {.deadline = due})));
  if (able.expiry) CHECK(late(store->remove_expired(1, {.deadline = due})));
  if (able.change_log) {
    CHECK(late(store->changes(0, 1, {.deadline = due})));
    CHECK(late(store->last_change({.deadline = due})));
    CHECK(late(store->position("r", {.deadline = due})));
    CHECK(late(store->remember("r", 0, {.deadline = due})));
  }
  CHECK((stored(*store, key) == text_item("in time")));
}

inline void check_limits(const table_harness& harness) {
  SECTION("keys") { check_key_limits(harness); }
  SECTION("items") { check_item_limits(harness); }
  SECTION("pages") { check_page_limits(harness); }
  SECTION("a call that begins at or after its deadline does nothing, by the table's clock") {
    check_deadlines(harness);
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance
