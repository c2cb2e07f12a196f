// SPDX-License-Identifier: MIT
#pragma once

// How long changes of a table are kept, and for whom; those of items that end. Part of table_conformance.hpp.

#include <dormouse/testing/services/table_changes.hpp>
#include <dormouse/testing/services/table_harness.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance {

inline void check_trimming(const table_harness& harness) {
  SECTION("the last changes_max are kept, and who is behind is told that he has missed some") {
    auto schema = logged();
    schema.changes_max = 3;
    const auto store = open(harness, schema);
    std::vector<std::uint64_t> numbers;
    for (int i = 0; i < 6; ++i) {
      REQUIRE(store->put({"p", std::to_string(i)}, {}));
      numbers.push_back(store->last_change().value());
    }
    CHECK((kinds_of(changes_of(*store, numbers[2])) == texts{"insert p/3", "insert p/4", "insert p/5"}));
    CHECK(refused(store->changes(0), errc::expired));
    CHECK(refused(store->changes(numbers[1]), errc::expired));
    CHECK(store->last_change().value() == numbers[5]);
  }
  SECTION("and those of changes_age") {
    auto schema = logged();
    schema.changes_age = std::chrono::seconds(60);
    const auto store = open(harness, schema);
    REQUIRE(store->put({"p", "old"}, {}));
    const auto old = store->last_change().value();
    harness.advance(std::chrono::seconds(59));
    CHECK(store->changes(0).value().size() == 1);
    REQUIRE(store->put({"p", "young"}, {}));
    harness.advance(std::chrono::seconds(2));
    REQUIRE(store->put({"p", "new"}, {}));
    CHECK(refused(store->changes(0), errc::expired));
    CHECK((kinds_of(changes_of(*store, old)) == texts{"insert p/young", "insert p/new"}));
  }
}

inline void check_readers(table& store) {
  SECTION("how far readers have come is kept by their names") {
    CHECK(!store.position("a").value().has_value());
    REQUIRE(store.put({"p", "1"}, {}));
    const auto last = store.last_change().value();
    REQUIRE(store.remember("a", last));
    const std::string longest = std::string(60, 'x') + "A_-9";
    REQUIRE(store.remember(longest, 0));
    CHECK((store.position("a").value() == last && store.position(longest).value() == std::uint64_t{0}));
    CHECK(!store.position("b").value().has_value());
    CHECK(!store.position("A").value().has_value());
    REQUIRE(store.remember("a", 0));
    CHECK((store.position("a").value() == std::uint64_t{0}));
    for (const auto& bad : {std::string(), longest + "x", std::string("a b"), std::string("\xc3\xa9")}) {
      CHECK(refused(store.position(bad), invalid, failure_reason::name));
      CHECK(refused(store.remember(bad, 0), invalid, failure_reason::name));
    }
    CHECK(store.last_change().value() == last);
  }
}

inline void check_changes_of_expiry(const table_harness& harness) {
  const auto store = open(harness, logged(table_change_view::old_item));
  if (!store->capabilities().expiry) return;
  const auto start = std::chrono::floor<std::chrono::milliseconds>(harness.wall());
  const auto end = start + std::chrono::milliseconds(10);
  SECTION("an item that ends is one change, and whoever watches is told") {
    REQUIRE(store->put({"p", "1"}, number_item(1), {.expires_at = end}));
    harness.advance(std::chrono::milliseconds(10));
    counting_watcher watcher;
    REQUIRE(store->watch(watcher));
    for (int i = 0; i < 2; ++i) REQUIRE(store->remove_expired());
    store->unwatch(watcher);
    CHECK(watcher.told == 1);
    const auto all = changes_of(*store, 0);
    CHECK((kinds_of(all) == texts{"insert p/1", "expire p/1"}));
    CHECK((all.at(1).former == number_item(1) && !all.at(1).current));
  }
  SECTION("it has ended before another is put in its place") {
    REQUIRE(store->put({"p", "1"}, number_item(1), {.expires_at = end}));
    harness.advance(std::chrono::milliseconds(10));
    REQUIRE(store->put({"p", "1"}, number_item(2)));
    REQUIRE(store->remove_expired());
    CHECK((kinds_of(changes_of(*store, 0)) == texts{"insert p/1", "expire p/1", "insert p/1"}));
  }
}

inline void check_kept_changes(const table_harness& harness) {
  const auto store = open(harness, logged());
  if (!store->capabilities().change_log) return;
  check_trimming(harness);
  check_readers(*store);
  check_changes_of_expiry(harness);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance
