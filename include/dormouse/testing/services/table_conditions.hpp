// SPDX-License-Identifier: MIT
#pragma once

// Writes under a condition. Part of table_conformance.hpp.

#include <dormouse/testing/services/table_harness.hpp>

#include <optional>
#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance {

// One of each, none of which holds of an item that says {"n", 1}; `version` is that item's.
inline std::vector<write_condition> false_conditions(table_version version) {
  return {{.if_absent = true},
          {.if_version = version + 1},
          {.holds = field("n") == 2},
          {.if_exists = true, .holds = field("n") == 2},
          {.if_version = version, .holds = field("x").exists()},
          {.if_absent = true, .holds = field("n") == 1}};
}

inline void check_no_conditions(table& store) {
  const table_key key{"k", ""};
  const auto version = store.put(key, number_item(1)).value();
  constexpr auto cannot = errc::unsupported;
  SECTION("undeclared conditions are refused, also those that hold") {
    auto all = false_conditions(version);
    all.push_back({.if_exists = true});
    all.push_back({.if_version = version});
    all.push_back({.holds = field("n") == 1});
    for (const auto& each : all) {
      CHECK(refused(store.put(key, {}, {.when = each}), cannot));
      CHECK(refused(store.erase(key, {.when = each}), cannot));
      CHECK(refused(store.write_batch({put_write(key, {}, each)}), cannot));
      if (store.capabilities().updates) CHECK(refused(store.update(key, table_update(), {.when = each}), cannot));
    }
    CHECK(whole(store, key).version == version);
  }
}

inline void check_true_conditions(table& store) {
  const table_key key{"k", ""};
  SECTION("a condition that holds lets the write happen") {
    auto version = store.put(key, number_item(1), {.when = {.if_absent = true}}).value();
    version = store.put(key, number_item(2), {.when = {.if_exists = true}}).value();
    version = store.put(key, number_item(3), {.when = {.if_version = version}}).value();
    version = store.put(key, number_item(4), {.when = {.holds = field("n") == 3}}).value();
    version = store.put(key, number_item(5), {.when = {.if_exists = true, .holds = field("n") == 4}}).value();
    REQUIRE(store.put(key, number_item(6), {.when = {.if_version = version, .holds = field("n") > 4}}));
    CHECK(store.erase(key, {.when = {.if_exists = true, .holds = field("n") == 6}}).value());
    REQUIRE(store.put(key, number_item(7), {.when = {.if_absent = true, .holds = !field("n").exists()}}));
    CHECK(store.erase(key, {.when = {.if_version = whole(store, key).version}}).value());
    CHECK(!store.erase(key, {.when = {.if_absent = true}}).value());
  }
  SECTION("of an item that is not there, no attribute exists") {
    REQUIRE(store.put(key, number_item(1), {.when = {.holds = !field("n").exists() && field("n") != 1}}));
    CHECK(store.erase(key).value());
    for (const auto& each : {field("n").exists(), field("n") == 1, field("n") < 1, field("n").size() >= 0}) {
      CHECK(refused(store.put(key, {}, {.when = {.holds = each}}), errc::condition_failed));
    }
    CHECK(refused(store.put(key, {}, {.when = {.if_exists = true}}), errc::condition_failed));
    CHECK(refused(store.put(key, {}, {.when = {.if_version = 1}}), errc::condition_failed));
    CHECK(refused(store.erase(key, {.when = {.if_exists = true}}), errc::condition_failed));
    CHECK(!is_there(store, key));
  }
  SECTION("all kinds, operators and paths are understood where the item lies") {
    const table_item item{{"n", 40},
                          {"d", 1.5},
                          {"t", "text"},
                          {"b", payload("\x01\x80")},
                          {"m", attribute_map{{"l", attribute_list{"a", attribute_map{{"x", 7}}}}}},
                          {"s", text_set{"a", "b"}},
                          {"big", (std::int64_t{1} << 53U) + 1},
                          {"null", {}}};
    const auto holds = [&](const condition& what) {
      REQUIRE(store.put(key, item));
      const auto done = store.put(key, {}, {.when = {.holds = what}});
      if (!done) CHECK(refused(done, errc::condition_failed));
      return done.has_value();
    };
    CHECK(holds(field("n") == 40.0 && field("n") >= field("d") && field("d") < 1.75));
    CHECK(holds(field("big") > 0x1p53 && field("big") != 0x1p53));
    CHECK(holds(field("m")["l"][1]["x"] == 7 && field("m")["l"].size() == 2));
    CHECK(holds(field("t").begins_with("te") && field("t").contains("ex") && field("t").between("tex", "texu")));
    CHECK(holds(field("b") > payload("\x01\x7f") && field("s").contains("b") && field("n").in({1, 40})));
    CHECK(holds(field("null").exists() && field("null").is(attribute_kind::null) && field("x") != "anything"));
    CHECK(holds(!(field("t") == payload("text")) || field("x").exists()));
    CHECK(!holds(field("n") == "40" || field("n") < "50" || field("big") == 0x1p53));
    CHECK(!holds(field("x") < 1 || field("m")["l"][2].exists() || field("s").contains("ab")));
  }
}

inline void check_false_conditions(table& store) {
  const table_key key{"k", ""};
  const auto version = store.put(key, number_item(1)).value();
  SECTION("a condition that does not hold fails the write, and the item is as it was") {
    for (const auto& each : false_conditions(version)) {
      CHECK(refused(store.put(key, {}, {.when = each}), errc::condition_failed));
      CHECK(refused(store.erase(key, {.when = each}), errc::condition_failed));
      if (store.capabilities().updates) {
        const auto update = table_update().increment(field("n"), 1);
        CHECK(refused(store.update(key, update, {.when = each}), errc::condition_failed));
      }
      CHECK((whole(store, key).version == version && stored(store, key) == number_item(1)));
    }
  }
  SECTION("former has the item that did not fit") {
    std::optional<stored_item> former;
    for (const auto& each : false_conditions(version)) {
      former.reset();
      CHECK(!store.put(key, {}, {.when = each, .former = &former}));
      REQUIRE(former.has_value());
      CHECK((former->item == number_item(1) && former->version == version));
      former.reset();
      CHECK(!store.erase(key, {.when = each, .former = &former}));
      CHECK((former.has_value() && former->version == version));
    }
    CHECK(!store.put({"other", ""}, {}, {.when = {.if_exists = true}, .former = &former}));
    CHECK(!former.has_value());
  }
  SECTION("a version that has gone by does not come back") {
    CHECK(store.erase(key).value());
    CHECK(refused(store.put(key, {}, {.when = {.if_version = version}}), errc::condition_failed));
    REQUIRE(store.put(key, number_item(1)));
    CHECK(refused(store.put(key, {}, {.when = {.if_version = version}}), errc::condition_failed));
    CHECK((stored(store, key) == number_item(1)));
  }
}

inline void check_conditions(const table_harness& harness) {
  const auto store = open(harness);
  if (!store->capabilities().conditions) return check_no_conditions(*store);
  check_true_conditions(*store);
  check_false_conditions(*store);
  SECTION("of if_absent, if_exists and if_version there is one at most, and conditions have limits") {
    const table_key key{"k", ""};
    for (const write_condition& each : {write_condition{.if_absent = true, .if_exists = true},
                                        {.if_absent = true, .if_version = 1},
                                        {.if_exists = true, .if_version = 1}}) {
      CHECK(is_invalid(store->put(key, {}, {.when = each})));
      CHECK(is_invalid(store->erase(key, {.when = each})));
    }
    condition longest = field("x") != 0;
    for (int i = 1; i < 150; ++i) longest = longest && field("x") != i;
    REQUIRE(store->put(key, {}, {.when = {.holds = longest}}));
    CHECK(is_invalid(store->put(key, number_item(1), {.when = {.holds = longest && longest}})));
    CHECK(is_invalid(store->erase(key, {.when = {.holds = field("x").in({})}})));
    CHECK(stored(*store, key).empty());
  }
}

// Filters are there whether write_condition is or not.
inline void check_filter_limits(const table_harness& harness) {
  const auto store = open(harness);
  REQUIRE(store->put({"k", ""}, number_item(1)));
  const condition beyond = field("x").in({});
  CHECK(is_invalid(store->query({.partition = "k", .filter = beyond})));
  CHECK(is_invalid(store->scan({.filter = beyond})));
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance
