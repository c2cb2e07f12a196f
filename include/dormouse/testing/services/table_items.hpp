// SPDX-License-Identifier: MIT
#pragma once

// Single items of a table, and their versions. Part of table_conformance.hpp.

#include <dormouse/testing/services/table_harness.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <set>
#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance {

// One attribute of each kind at least, and what is easily lost of each.
inline table_item item_of_all_kinds() {
  using real = std::numeric_limits<double>;
  const std::string bytes("\0\x80\n\xff", 4);
  table_item item{{"null", {}}, {"yes", true}, {"no", false}, {"t", bytes}, {"e", std::string()}, {"-0", -0.0}};
  for (const std::int64_t number : {INT64_MIN, std::int64_t{0}, std::int64_t{1}, INT64_MAX}) {
    item[std::to_string(number)] = number;
  }
  for (const double number : {1.0, 0.1, -1e-9, 0x1p53, real::max(), real::min(), real::denorm_min()}) {
    item["real " + std::to_string(std::ilogb(number))] = number;
  }
  for (const auto& data : {std::string(), bytes, bytes + std::string(100, '\0')}) item["b" + data] = payload(data);
  item["list"] = attribute_list{"a", std::int64_t{1}, 1.0, {}, payload(bytes), attribute_map{}, attribute_list{}};
  item["empty list"] = attribute_list{};
  item["map"] = attribute_map{{bytes, attribute_map{{"deep", attribute_list{text_set{"x"}, true}}}}, {"a.b[0]", 0.5}};
  item["empty map"] = attribute_map{};
  item["texts"] = text_set{"", "a", bytes};
  item["numbers"] = number_set{INT64_MIN, -1, 0, INT64_MAX};
  return item;
}

inline void check_items(const table_harness& harness) {
  const auto store = open(harness);
  const table_key key{"partition", "sort"};
  SECTION("every kind of attribute survives unchanged, whichever way it is read") {
    const table_item item = item_of_all_kinds();
    REQUIRE(store->put(key, item));
    CHECK((stored(*store, key) == item));
    CHECK(std::signbit(std::get<double>(stored(*store, key).at("-0"))));
    CHECK((walk(*store, table_query{.partition = "partition"}).at(0).item == item));
    CHECK((walk(*store, table_scan{}).at(0).item == item));
    CHECK((store->get_batch({key}).value().found.at(0).item == item));
    REQUIRE(store->put(key, {}));  // an item without attributes is an item
    CHECK(stored(*store, key).empty());
  }
  SECTION("keys are bytes: NUL and non-UTF-8 included, an empty sort is a key of its own") {
    const std::vector<table_key> keys{{std::string("a\0b", 3), ""},
                                      {"a", ""},
                                      {"a", std::string("\0", 1)},
                                      {"a\xff", "/.."},
                                      {"A", ""},
                                      {"a", "'; --"},
                                      {"\xc3\xa9", "e\xcc\x81"}};
    for (const auto& each : keys) REQUIRE(store->put(each, text_item(each.partition + "|" + each.sort)));
    for (const auto& each : keys) CHECK((stored(*store, each) == text_item(each.partition + "|" + each.sort)));
    CHECK(everything(*store).size() == keys.size());
    CHECK(store->erase(keys[1]).value());
    CHECK(!is_there(*store, keys[1]));
    CHECK(is_there(*store, keys[2]));
  }
  SECTION("a put replaces the whole item, an erase removes it once; what is absent is no failure") {
    CHECK(!is_there(*store, key));
    CHECK(!store->erase(key).value());
    REQUIRE(store->put(key, {{"a", true}, {"b", true}}));
    REQUIRE(store->put(key, number_item(3)));
    CHECK((stored(*store, key) == number_item(3)));
    CHECK(everything(*store).size() == 1);
    CHECK(store->erase(key).value());
    CHECK(!store->erase(key).value());
    CHECK(!is_there(*store, key));
    CHECK(everything(*store).empty());
    CHECK(walk(*store, table_query{.partition = "partition"}).empty());
  }
  SECTION("a version is that of one write: no two of an item's have the same, whatever became of it meanwhile") {
    std::set<table_version> versions{0};
    const auto is_new = [&](table_version version) {
      return versions.insert(version).second && whole(*store, key).version == version;
    };
    for (int i = 0; i < 3; ++i) {
      CHECK(is_new(store->put(key, number_item(1)).value()));
      CHECK(is_new(store->put(key, number_item(1)).value()));  // the same item, but written again
      CHECK(store->erase(key).value());
    }
    CHECK(is_new(store->put(key, {}).value()));
    const auto version = whole(*store, key).version;
    REQUIRE(store->put({"partition", "other"}, {}));
    CHECK(whole(*store, key).version == version);
    CHECK(walk(*store, table_query{.partition = "partition", .sort = {.prefix = "sort"}}).at(0).version == version);
    CHECK(store->get_batch({key}).value().found.at(0).version == version);
    CHECK(store->get(key, {.consistency = read_consistency::eventual}));
  }
  SECTION("former has the item that stood there, and nothing when none did") {
    std::optional<stored_item> former = stored_item{.version = 77};
    REQUIRE(store->put(key, number_item(1), {.former = &former}));
    CHECK(!former.has_value());
    const auto version = whole(*store, key).version;
    REQUIRE(store->put(key, number_item(2), {.former = &former}));
    REQUIRE(former.has_value());
    CHECK((former->item == number_item(1) && former->version == version));
    CHECK(store->erase(key, {.former = &former}).value());
    CHECK((former.value().item == number_item(2)));
    CHECK(!store->erase(key, {.former = &former}).value());
    CHECK(!former.has_value());
    former = stored_item{};
    CHECK(is_invalid(store->put({"", ""}, {}, {.former = &former})));
    CHECK(!former.has_value());
  }
  SECTION("results are the caller's own") {
    REQUIRE(store->put(key, number_item(1)));
    auto got = store->get(key).value().value();
    got.item["n"] = "changed";
    CHECK((stored(*store, key) == number_item(1)));
    const auto kept = store->get(key).value().value();
    REQUIRE(store->put(key, number_item(2)));
    CHECK(store->erase(key).value());
    CHECK((kept.item == number_item(1)));
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance
