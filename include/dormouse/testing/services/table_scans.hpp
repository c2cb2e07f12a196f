// SPDX-License-Identifier: MIT
#pragma once

// Walks through a whole table. Part of table_conformance.hpp.

#include <dormouse/testing/services/table_harness.hpp>

#include <set>
#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance {

inline void check_scans(const table_harness& harness) {
  const auto store = open(harness);
  const auto fill_partitions = [&] {
    for (const char* partition : {"a", "b", "\xff", "ab"}) fill(*store, partition, 15);
  };
  SECTION("a scan gives everything, whatever the page size") {
    fill_partitions();
    const std::size_t page_size = GENERATE(1U, 7U, 60U, 1'000U);
    const auto all = walk(*store, table_scan{.page_size = page_size});
    CHECK(everything(*store, {.page_size = page_size}).size() == 60);
    for (const auto& each : all) {
      const auto now = whole(*store, each.key);
      if (now.item != each.item || now.version != each.version) FAIL("another item");
    }
  }
  SECTION("of an empty table, one page without entries") {
    const auto page = page_of(*store, table_scan{});
    CHECK((page.entries.empty() && page.cursor.empty() && page.examined == 0));
  }
  SECTION("segments give everything together") {
    fill_partitions();
    const std::size_t segments = GENERATE(1U, 2U, 7U, 1'000U);
    std::set<table_key> seen;
    for (std::size_t i = 0; i < segments; ++i) {
      for (const auto& each : walk(*store, table_scan{.segment = i, .segments = segments, .page_size = 4})) {
        seen.insert(each.key);
      }
    }
    CHECK(seen.size() == 60);
    CHECK(is_invalid(store->scan({.segment = segments, .segments = segments})));
  }
  SECTION("there are 1 to 1,000 segments, and each has its own cursors") {
    CHECK(is_invalid(store->scan({.segment = 0, .segments = 0})));
    CHECK(is_invalid(store->scan({.segment = 0, .segments = 1'001})));
    fill_partitions();
    fill(*store, "big", 100);
    std::size_t first = 0;
    while (page_of(*store, table_scan{.segment = first, .segments = 2, .page_size = 1}).cursor.empty()) {
      REQUIRE(++first < 2);
    }
    const auto cursor = page_of(*store, table_scan{.segment = first, .segments = 2, .page_size = 1}).cursor;
    CHECK(is_invalid(store->scan({.segment = 1 - first, .segments = 2, .cursor = cursor})));
    CHECK(is_invalid(store->scan({.segment = first, .segments = 3, .cursor = cursor})));
    CHECK(store->scan({.segment = first, .segments = 2, .cursor = cursor}));
  }
  SECTION("what stays during the walk is given at least once, whatever comes and goes beside it") {
    fill_partitions();
    const std::size_t page_size = GENERATE(1U, 4U);
    std::set<table_key> seen;
    int round = 0;
    const auto all = walk(*store, table_scan{.page_size = page_size}, [&](const table_page& page) {
      const std::string name = std::to_string(round++);
      if (round <= 10) {
        REQUIRE(store->put({"a" + name, "new"}, {}));
        REQUIRE(store->erase({"b", "00" + std::to_string(round % 10)}));
      }
      const auto& last = page.entries.back().key;
      if (last.partition == "ab") REQUIRE(store->erase(last));  // at the cursor
    });
    for (const auto& each : all) {
      if (each.key.partition == "a" || each.key.partition == "\xff") seen.insert(each.key);
    }
    CHECK(seen.size() == 30);
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance
