// SPDX-License-Identifier: MIT
#pragma once

// What every table promises, as Catch2 sections: call check_table_conformance() inside a TEST_CASE, for each adapter
// and each decorator. Include Catch2 (either major version) before this header.

#include <dormouse/clock.hpp>
#include <dormouse/services/table.hpp>
#include <dormouse/testing/services/service_harness.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#ifndef REQUIRE
#error "dormouse: include Catch2 before <dormouse/testing/services/table_conformance.hpp>"
#endif

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

using table_harness = service_harness<table>;

namespace table_conformance {

// The item, or a failed test when there is none.
inline table_item stored(table& store, const table_key& key) { return store.get(key).value().value(); }
inline table_item text_item(std::string text) { return {{"text", std::move(text)}}; }

constexpr auto invalid = errc::invalid_argument;

// All entries, page by page, in strictly ascending order; `between` is called after each page but the last.
inline std::vector<table_entry> walk(table& store, table_list_options options,
                                     const std::function<void(const table_page&)>& between = {}) {
  std::vector<table_entry> all;
  for (int pages = 0;; ++pages) {
    REQUIRE(pages < 10'000);
    auto page = store.list(options).value();
    REQUIRE(page.entries.size() <= options.page_size);
    if (between && !page.cursor.empty()) between(page);
    for (auto& each : page.entries) {
      REQUIRE((all.empty() || all.back().key < each.key));
      all.push_back(std::move(each));
    }
    if (page.cursor.empty()) return all;
    options.cursor = std::move(page.cursor);
  }
}

inline void check_items(const table_harness& harness) {
  const auto store = harness.make_empty();
  const table_key key{"partition", "sort"};
  SECTION("every type of attribute survives unchanged") {
    using real = std::numeric_limits<double>;
    const std::string bytes("\0\x80\n\xff", 4);
    table_item item{{"null", {}}, {"yes", true}, {"no", false}, {"t", bytes}, {"e", std::string()}, {"-0", -0.0}};
    for (const std::int64_t number : {INT64_MIN, std::int64_t{1}, INT64_MAX}) item[std::to_string(number)] = number;
    for (const double number : {1.0, 1e-9, real::max(), real::denorm_min()})
      item[std::string("r").append(std::to_string(std::ilogb(number)))] = number;
    for (const auto& data : {std::string(), bytes, bytes + std::string(100, '\0')}) item["b" + data] = payload(data);
    REQUIRE(store->put(key, item));
    CHECK((stored(*store, key) == item));
    CHECK(std::signbit(std::get<double>(stored(*store, key).at("-0"))));
    CHECK((walk(*store, {}).at(0).item == item));
    REQUIRE(store->put(key, {}));  // an item without attributes is an item
    CHECK(stored(*store, key).empty());
  }
  SECTION("keys are bytes: NUL and non-UTF-8 included, an empty sort is a key of its own") {
    const std::vector<table_key> keys{
        {std::string("a\0b", 3), ""}, {"a", ""}, {"a", std::string("\0", 1)}, {"a\xff", "/.."}};
    for (const auto& each : keys) REQUIRE(store->put(each, text_item(each.partition + "|" + each.sort)));
    for (const auto& each : keys) CHECK((stored(*store, each) == text_item(each.partition + "|" + each.sort)));
    CHECK(walk(*store, {}).size() == keys.size());
  }
  SECTION("a put replaces the whole item, an erase removes it once; what is absent is no failure") {
    CHECK(!store->get(key).value().has_value());
    CHECK(!store->erase(key).value());
    REQUIRE(store->put(key, {{"a", true}, {"b", true}}));
    REQUIRE(store->put(key, {{"c", std::int64_t{3}}}));
    CHECK((stored(*store, key) == table_item{{"c", std::int64_t{3}}}));
    CHECK(walk(*store, {}).size() == 1);
    CHECK(store->erase(key).value());
    CHECK(!store->erase(key).value());
    CHECK(!store->get(key).value().has_value());
    CHECK(walk(*store, {}).empty());
  }
}

inline void check_limits(const table_harness& harness) {
  const auto store = harness.make_empty();
  const table_key longest{std::string(table::partition_bytes_max, 'p'), std::string(table::sort_bytes_max, 's')};
  SECTION("keys at their limits are taken, beyond them refused by every function") {
    REQUIRE(store->put(longest, {}));
    REQUIRE(store->put({longest.partition, ""}, {}));
    CHECK(store->get(longest).value().has_value());
    CHECK(walk(*store, {.partition_prefix = longest.partition, .page_size = 1}).size() == 2);
    CHECK(store->erase(longest).value());
    const auto refuses = [](const auto& got) { return refused(got, invalid, failure_reason::key_bytes); };
    for (const table_key& bad : {table_key{"", "s"}, {longest.partition + "p", ""}, {"p", longest.sort + "s"}}) {
      CHECK(refuses(store->put(bad, {})));
      CHECK(refuses(store->get(bad)));
      CHECK(refuses(store->erase(bad)));
    }
    CHECK(refuses(store->list({.partition_prefix = longest.partition + "p"})));
  }
  SECTION("items at their limit are taken, beyond it refused, and the former item stays") {
    table_item item{{"t", std::string(1'000, 'x')}, {"w", std::int64_t{1}}, {"d", 1.0}, {"n", {}}, {"y", true}};
    const std::size_t others = 1 + (1 + 1'000) + (1 + 8) + (1 + 8) + (1 + 1) + (1 + 1);  // b's name first
    item["b"] = payload(std::string(table::item_bytes_max - others, 'x'));
    REQUIRE(store->put({"k", ""}, item));
    auto larger = item;
    larger["t"] = std::string(1'001, 'x');
    CHECK(refused(store->put({"k", ""}, larger), errc::too_large, failure_reason::value_bytes));
    CHECK((stored(*store, {"k", ""}) == item));
  }
  SECTION("attribute names of 1 to 255 bytes, finite numbers and pages of 1 to 1,000 entries only") {
    const std::string longest_name(table::name_bytes_max, 'n');
    REQUIRE(store->put({"k", ""}, {{longest_name, true}, {"n", true}}));
    CHECK(refused(store->put({"k", ""}, {{longest_name + "n", true}}), invalid, failure_reason::name));
    CHECK(refused(store->put({"k", ""}, {{"", true}}), invalid, failure_reason::name));
    CHECK(refused(store->put({"k", ""}, {{"n", std::numeric_limits<double>::quiet_NaN()}}), invalid));
    CHECK(refused(store->put({"k", ""}, {{"n", std::numeric_limits<double>::infinity()}}), invalid));
    CHECK(stored(*store, {"k", ""}).size() == 2);
    for (std::size_t i = 0; i < table::page_size_max; ++i) REQUIRE(store->put({"k", std::to_string(i)}, {}));
    CHECK(walk(*store, {.page_size = table::page_size_max}).size() == table::page_size_max + 1);
    CHECK(refused(store->list({.page_size = table::page_size_max + 1}), invalid, failure_reason::page_size));
    CHECK(refused(store->list({.page_size = 0}), invalid, failure_reason::page_size));
  }
  SECTION("a call that begins at or after its deadline does nothing, by the table's clock") {
    harness.advance(std::chrono::hours(2));
    const table_call_options due{.deadline = harness.now() + std::chrono::milliseconds(10)};
    harness.advance(std::chrono::milliseconds(9));
    REQUIRE(store->put({"k", ""}, text_item("in time"), due));
    CHECK(store->get({"k", ""}, due).value().has_value());
    CHECK(!store->erase({"other", ""}, due).value());
    CHECK(store->list({.deadline = due.deadline}).value().entries.size() == 1);
    harness.advance(std::chrono::milliseconds(1));
    constexpr auto late = errc::deadline_exceeded;
    CHECK(refused(store->put({"k", ""}, text_item("late"), due), late, failure_reason::caller_deadline));
    CHECK(refused(store->get({"k", ""}, due), late, failure_reason::caller_deadline));
    CHECK(refused(store->erase({"k", ""}, due), late, failure_reason::caller_deadline));
    CHECK(refused(store->list({.deadline = due.deadline}), late, failure_reason::caller_deadline));
    CHECK((stored(*store, {"k", ""}) == text_item("in time")));
  }
}

inline void check_list(const table_harness& harness) {
  const auto store = harness.make_empty();
  for (const char* partition : {"b", "a", "ab", "\xff", "c"}) {
    for (const char* sort : {"2", "1", "", "10"}) REQUIRE(store->put({partition, sort}, text_item(sort)));
  }
  SECTION("entries come in key order, each once, whatever the page size; with a prefix, only those that have it") {
    const std::size_t page_size = GENERATE(1U, 2U, 4U, 1'000U);
    const auto all = walk(*store, {.page_size = page_size});
    REQUIRE(all.size() == 20);
    CHECK(all[2].key == table_key{"a", "10"});
    CHECK(all.back().key == table_key{"\xff", "2"});
    for (const auto& each : all) CHECK((each.item == text_item(each.key.sort)));
    for (const auto& [prefix, count] : {std::pair{"a", 8U}, {"ab", 4U}, {"abc", 0U}, {"\xff", 4U}, {"\xff\xff", 0U}}) {
      CHECK(walk(*store, {.partition_prefix = prefix, .page_size = page_size}).size() == count);
    }
  }
  SECTION("what stays during the walk is given exactly once, whatever comes and goes beside it") {
    const std::size_t page_size = GENERATE(1U, 2U, 3U, 1'000U);
    int round = 0;
    const auto all = walk(*store, {.page_size = page_size}, [&](const table_page& page) {
      const std::string name = std::to_string(round++);
      REQUIRE(store->put({"A", name}, {}));                                                        // behind
      if (round < 5) REQUIRE(store->put({"d", name}, {}));                                         // ahead
      REQUIRE(store->erase({"c", round < 3 ? "1" : "10"}));                                        // ahead
      if (const auto at = page.entries.at(0).key; at.partition == "b") REQUIRE(store->erase(at));  // at the cursor
    });
    const auto stays = [](const auto& each) { return each.key.partition[0] == 'a' || each.key.partition[0] == '\xff'; };
    CHECK(std::count_if(all.begin(), all.end(), stays) == 12);  // walk() has seen that they ascend
  }
  SECTION("a cursor is good for its own prefix only, as often as one likes, and only unharmed") {
    const auto cursor = store->list({.partition_prefix = "a", .page_size = 1}).value().cursor;
    const auto at = [&](std::string prefix, std::string text) {
      return store->list({.partition_prefix = std::move(prefix), .page_size = 2, .cursor = std::move(text)});
    };
    for (int times = 0; times < 2; ++times) CHECK(at("a", cursor).value().entries.at(0).key == table_key{"a", "1"});
    for (const char* other : {"", "b", "ab", "A"}) CHECK(refused(at(other, cursor), invalid));
    for (const auto& harmed : {cursor + "0", cursor + cursor, cursor.substr(1), cursor.substr(0, cursor.size() - 1),
                               std::string("x"), std::string(1, '\0'), std::string(100'000, '1')}) {
      CHECK(refused(at("a", harmed), invalid));
    }
  }
}

// Each thread has keys of its own and meets the others at common ones. Assertions are for the test's own thread.
inline void check_threads(const table_harness& harness) {
  const auto store = harness.make_empty();
  constexpr int writers = 4;
  constexpr int writes = 100;
  for (int i = 0; i < writes; ++i) REQUIRE(store->put({"once", std::to_string(i)}, {}));
  std::atomic<int> wrong{0};
  std::atomic<int> erased{0};
  const auto whole = [](const table_item& item) { return item.size() == 2 && item.at("first") == item.at("second"); };
  const auto work = [&](int who) {
    const std::string text(500, static_cast<char>('a' + who));
    const table_item own{{"first", text}, {"second", text}};
    for (int i = 0; i < writes; ++i) {
      const table_key key{std::string("own").append(std::to_string(who)), std::to_string(i)};
      const bool written = store->put(key, own) && store->put({"common", ""}, own);
      const auto mine = store->get(key);
      if (!written || !mine || *mine != own) ++wrong;  // nobody else writes there
      const auto last = store->get({"common", ""});
      if (!last || !*last || !whole(**last)) ++wrong;
      const auto gone = store->erase({"once", std::to_string(i)});
      if (!gone) ++wrong;
      if (gone && *gone) ++erased;
    }
  };
  std::vector<std::thread> threads;
  for (int who = 0; who < writers; ++who) threads.emplace_back(work, who);
  for (auto& each : threads) each.join();
  CHECK(wrong == 0);
  CHECK(erased == writes);  // one of those who erase a key is told that it was there
  CHECK(walk(*store, {.partition_prefix = "own", .page_size = 7}).size() == writers * writes);
  CHECK(whole(stored(*store, {"common", ""})));
}

}  // namespace table_conformance

inline void check_table_conformance(const table_harness& harness) {
  SECTION("items") { table_conformance::check_items(harness); }
  SECTION("limits") { table_conformance::check_limits(harness); }
  SECTION("list") { table_conformance::check_list(harness); }
  SECTION("concurrent writers") { table_conformance::check_threads(harness); }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing
