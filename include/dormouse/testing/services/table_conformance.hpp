// SPDX-License-Identifier: MIT
#pragma once

// What every table promises, as Catch2 sections: call check_table_conformance() inside a TEST_CASE, for each adapter
// and each decorator. Include Catch2 (either major version) before this header.

#include <dormouse/clock.hpp>
#include <dormouse/services/table.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#ifndef REQUIRE
#error "dormouse: include Catch2 before <dormouse/testing/services/table_conformance.hpp>"
#endif

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

struct table_harness {
  std::function<std::unique_ptr<table>()> make_empty{};      // fresh and empty at every call
  std::function<clock::time_point()> now{};                  // by the table's clock
  std::function<void(std::chrono::milliseconds)> advance{};  // moves that clock
};

namespace table_conformance {

inline std::vector<table_entry> walk(table& store, const std::string& prefix, std::size_t page_size) {
  std::vector<table_entry> all;
  table_list_options options{.partition_prefix = prefix, .page_size = page_size};
  for (int pages = 0; pages < 10'000; ++pages) {
    auto page = store.list(options);
    REQUIRE(page);
    REQUIRE(page->entries.size() <= page_size);
    for (auto& each : page->entries) all.push_back(std::move(each));
    if (page->cursor.empty()) return all;
    options.cursor = page->cursor;
  }
  FAIL("the walk does not end");
  return all;
}

inline void check_items(const table_harness& harness) {
  const auto store = harness.make_empty();
  const table_key key{"partition", "sort"};
  SECTION("reading or erasing what is absent is no failure") {
    const auto got = store->get(key);
    REQUIRE(got);
    CHECK(!got->has_value());
    const auto erased = store->erase(key);
    REQUIRE(erased);
    CHECK_FALSE(*erased);
  }
  SECTION("every type of attribute survives unchanged") {
    const table_item item{{"null", std::monostate{}},
                          {"yes", true},
                          {"no", false},
                          {"least", std::numeric_limits<std::int64_t>::min()},
                          {"most", std::numeric_limits<std::int64_t>::max()},
                          {"number", 0.1},
                          {"text", std::string("a\0\xff", 3)},
                          {"empty", std::string()},
                          {"bytes", payload(std::string("\0\x80\n", 3))}};
    REQUIRE(store->put(key, item));
    auto got = store->get(key);
    REQUIRE(got);
    REQUIRE(got->has_value());
    CHECK((**got == item));
  }
  SECTION("keys are bytes: NUL and non-UTF-8 included, an empty sort is a key of its own") {
    const std::vector<table_key> keys{
        {std::string("a\0b", 3), ""}, {"a", ""}, {"a", std::string("\0", 1)}, {"\xff", "/.."}};
    for (std::size_t i = 0; i < keys.size(); ++i) REQUIRE(store->put(keys[i], {{"n", static_cast<std::int64_t>(i)}}));
    for (std::size_t i = 0; i < keys.size(); ++i) {
      auto got = store->get(keys[i]);
      REQUIRE(got);
      REQUIRE(got->has_value());
      CHECK(std::get<std::int64_t>((*got)->at("n")) == static_cast<std::int64_t>(i));
    }
  }
  SECTION("a put replaces the whole item, an erase removes it once") {
    REQUIRE(store->put(key, {{"a", true}, {"b", true}}));
    REQUIRE(store->put(key, {{"c", std::string("x")}}));
    auto got = store->get(key);
    REQUIRE(got);
    CHECK((**got == table_item{{"c", std::string("x")}}));
    CHECK(*store->erase(key));
    CHECK_FALSE(*store->erase(key));
    CHECK(!store->get(key)->has_value());
  }
}

inline void check_limits(const table_harness& harness) {
  const auto store = harness.make_empty();
  const auto refused = [](const auto& got, errc code) {
    return !got && got.error().code == code && got.error().effect == effect_kind::not_applied;
  };
  const table_key longest{std::string(table::partition_bytes_max, 'p'), std::string(table::sort_bytes_max, 's')};
  SECTION("keys at their limits are taken, beyond them refused by every function") {
    REQUIRE(store->put(longest, {}));
    CHECK(store->get(longest)->has_value());
    for (const table_key& bad :
         {table_key{"", "s"}, table_key{longest.partition + "p", ""}, table_key{"p", longest.sort + "s"}}) {
      CHECK(refused(store->put(bad, {}), errc::invalid_argument));
      CHECK(refused(store->get(bad), errc::invalid_argument));
      CHECK(refused(store->erase(bad), errc::invalid_argument));
    }
  }
  SECTION("items at their limit are taken, beyond it refused, and the former item stays") {
    REQUIRE(store->put({"k", ""}, {{"n", std::string(table::item_bytes_max - 1, 'x')}}));
    const auto too_large = store->put({"k", ""}, {{"n", std::string(table::item_bytes_max, 'x')}});
    CHECK(refused(too_large, errc::too_large));
    CHECK(std::get<std::string>((*store->get({"k", ""}))->at("n")).size() == table::item_bytes_max - 1);
  }
  SECTION("attribute names of 1 to 255 bytes and finite numbers only") {
    CHECK(store->put({"k", ""}, {{std::string(table::name_bytes_max, 'n'), true}}));
    CHECK(
        refused(store->put({"k", ""}, {{std::string(table::name_bytes_max + 1, 'n'), true}}), errc::invalid_argument));
    CHECK(refused(store->put({"k", ""}, {{"", true}}), errc::invalid_argument));
    CHECK(refused(store->put({"k", ""}, {{"n", std::numeric_limits<double>::quiet_NaN()}}), errc::invalid_argument));
    CHECK(refused(store->put({"k", ""}, {{"n", std::numeric_limits<double>::infinity()}}), errc::invalid_argument));
  }
  SECTION("a call that begins at or after its deadline does nothing") {
    const table_call_options late{.deadline = harness.now() + std::chrono::milliseconds(10)};
    REQUIRE(store->put({"k", ""}, {}, late));
    harness.advance(std::chrono::milliseconds(10));
    CHECK(refused(store->put({"other", ""}, {}, late), errc::deadline_exceeded));
    CHECK(refused(store->get({"k", ""}, late), errc::deadline_exceeded));
    CHECK(refused(store->erase({"k", ""}, late), errc::deadline_exceeded));
    CHECK(refused(store->list({.deadline = late.deadline}), errc::deadline_exceeded));
    CHECK(store->get({"k", ""})->has_value());
    CHECK(!store->get({"other", ""})->has_value());
  }
}

inline void check_list(const table_harness& harness) {
  const auto store = harness.make_empty();
  for (const char* partition : {"b", "a", "ab", "\xff", "c"}) {
    for (const char* sort : {"2", "1", "", "10"}) REQUIRE(store->put({partition, sort}, {{"s", std::string(sort)}}));
  }
  SECTION("entries come in key order, whatever the page size, each once") {
    for (const std::size_t page_size : {1U, 2U, 3U, 20U, 1'000U}) {
      const auto all = walk(*store, "", page_size);
      REQUIRE(all.size() == 20);
      for (std::size_t i = 1; i < all.size(); ++i) CHECK(all[i - 1].key < all[i].key);
      CHECK(all.front().key == table_key{"a", ""});
      CHECK(all.back().key == table_key{"\xff", "2"});
    }
  }
  SECTION("only partitions that begin with the prefix") {
    CHECK(walk(*store, "a", 3).size() == 8);
    CHECK(walk(*store, "ab", 3).size() == 4);
    CHECK(walk(*store, "nothing", 3).empty());
  }
  SECTION("what stays during the walk is given exactly once, whatever comes and goes beside it") {
    std::multiset<std::string> seen;
    table_list_options options{.page_size = 2};
    for (int round = 0;; ++round) {
      auto page = store->list(options);
      REQUIRE(page);
      for (const auto& each : page->entries) seen.insert(each.key.partition + "/" + each.key.sort);
      if (page->cursor.empty()) break;
      options.cursor = page->cursor;
      REQUIRE(store->put({"a", std::string("0").append(std::to_string(round))}, {}));  // behind
      REQUIRE(store->erase(page->entries.back().key));                                 // where the cursor stands
    }
    for (const auto& each : walk(*store, "", 100)) {
      const std::string name = each.key.partition + "/" + each.key.sort;
      if (each.key.sort.empty() || each.key.sort[0] != '0') CHECK(seen.count(name) == 1);
    }
  }
  SECTION("a cursor is good for its own prefix only, and only unharmed") {
    auto page = store->list({.partition_prefix = "a", .page_size = 1});
    REQUIRE(page);
    REQUIRE(!page->cursor.empty());
    const auto refused = [&](const std::string& prefix, const std::string& cursor) {
      const auto got = store->list({.partition_prefix = prefix, .cursor = cursor});
      return !got && got.error().code == errc::invalid_argument;
    };
    CHECK(refused("b", page->cursor));
    CHECK(refused("", page->cursor));
    CHECK(refused("a", "nonsense"));
    CHECK(refused("a", page->cursor.substr(0, page->cursor.size() - 1)));
    CHECK(refused("a", page->cursor + "0"));
  }
  SECTION("page sizes of 1 to 1,000") {
    CHECK(store->list({.page_size = 0}).error().reason == failure_reason::page_size);
    CHECK(store->list({.page_size = table::page_size_max + 1}).error().reason == failure_reason::page_size);
  }
}

inline void check_threads(const table_harness& harness) {
  const auto store = harness.make_empty();
  constexpr int writers = 4;
  constexpr int writes = 200;
  std::vector<std::thread> threads;
  for (int t = 0; t < writers; ++t) {
    threads.emplace_back([&, t] {
      const std::string text(1'000, static_cast<char>('a' + t));
      for (int i = 0; i < writes; ++i) {
        [[maybe_unused]] const auto own =
            store->put({std::string("own").append(std::to_string(t)), std::to_string(i)}, {{"t", text}});
        [[maybe_unused]] const auto common = store->put({"common", ""}, {{"t", text}, {"again", text}});
      }
    });
  }
  for (auto& each : threads) each.join();
  CHECK(walk(*store, "own", 100).size() == writers * writes);
  auto last = store->get({"common", ""});
  REQUIRE(last);
  REQUIRE(last->has_value());
  CHECK(((*last)->at("t") == (*last)->at("again")));  // one writer's item, whole
}

}  // namespace table_conformance

inline void check_table_conformance(const table_harness& harness) {
  SECTION("items") { table_conformance::check_items(harness); }
  SECTION("limits") { table_conformance::check_limits(harness); }
  SECTION("list") { table_conformance::check_list(harness); }
  SECTION("concurrent writers") { table_conformance::check_threads(harness); }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing
