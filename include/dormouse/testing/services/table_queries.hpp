// SPDX-License-Identifier: MIT
#pragma once

// Walks through a partition. Part of table_conformance.hpp.

#include <dormouse/testing/services/table_harness.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance {

inline void check_ranges(table& store) {
  const std::string ff("\xff");
  const std::size_t page_size = GENERATE(1U, 2U, 1'000U);
  const auto given = [&](const sort_range& range, bool descending = false) {
    return sorts(
        walk(store, table_query{.partition = "p", .sort = range, .descending = descending, .page_size = page_size}));
  };
  for (const char* partition : {"o", "p", "pp"}) {
    for (const auto& sort : texts{"b", "", ff, "a", "ab", "b\xff", ff + ff, "abc"}) {
      REQUIRE(store.put({partition, sort}, text_item(partition)));
    }
  }
  SECTION("all of a partition, in the order of unsigned bytes, and back") {
    const texts all{"", "a", "ab", "abc", "b", "b\xff", ff, ff + ff};
    CHECK((given({}) == all));
    CHECK((given({}, true) == texts(all.rbegin(), all.rend())));
    for (const auto& each : walk(store, table_query{.partition = "p"})) CHECK((each.item == text_item("p")));
    CHECK(walk(store, table_query{.partition = "q"}).empty());
  }
  SECTION("both ends of a range are in") {
    CHECK((given({.from = "ab"}) == texts{"ab", "abc", "b", "b\xff", ff, ff + ff}));
    CHECK((given({.to = "ab"}) == texts{"", "a", "ab"}));
    CHECK((given({.from = "ab", .to = "b"}) == texts{"ab", "abc", "b"}));
    CHECK((given({.from = "aba", .to = "ba"}) == texts{"abc", "b"}));
    CHECK((given({.from = "ab", .to = "b"}, true) == texts{"b", "abc", "ab"}));
    CHECK((given({.from = "", .to = ""}) == texts{""}));
    CHECK((given({.from = ff}) == texts{ff, ff + ff}));
    CHECK(given({.from = "c", .to = "d"}).empty());
    CHECK(given({.from = "b", .to = "a"}).empty());
  }
  SECTION("those that begin so") {
    CHECK((given({.prefix = "ab"}) == texts{"ab", "abc"}));
    CHECK((given({.prefix = "b"}, true) == texts{"b\xff", "b"}));
    CHECK((given({.prefix = ff}) == texts{ff, ff + ff}));
    CHECK((given({.prefix = ff + ff}) == texts{ff + ff}));
    CHECK((given({.prefix = "b\xff"}, true) == texts{"b\xff"}));
    CHECK(given({.prefix = "abcd"}).empty());
    CHECK(is_invalid(store.query({.partition = "p", .sort = {.from = "a", .prefix = "a"}})));
    CHECK(is_invalid(store.query({.partition = "p", .sort = {.to = "a", .prefix = "a"}})));
  }
}

inline void check_number_order(table& store) {
  SECTION("sort_number() orders as the numbers are") {
    using whole_number = std::numeric_limits<std::int64_t>;
    const std::vector<std::int64_t> ascending{whole_number::min(), -256, -255, -1, 0, 1, 255, 256, whole_number::max()};
    for (auto at = ascending.rbegin(); at != ascending.rend(); ++at) {
      CHECK(sort_number_of(sort_number(*at)) == *at);
      REQUIRE(store.put({"p", sort_number(*at)}, number_item(*at)));
    }
    for (const auto& other : texts{"", "short", sort_number(1) + "x"}) CHECK(sort_number_of(other) == 0);
    std::vector<std::int64_t> given;
    for (const auto& each : walk(store, table_query{.partition = "p", .page_size = 2})) {
      given.push_back(std::get<std::int64_t>(each.item.at("n")));
    }
    CHECK((given == ascending));
    const sort_range range{.from = sort_number(-255), .to = sort_number(255)};
    CHECK(walk(store, table_query{.partition = "p", .sort = range}).size() == 5);
  }
}

inline void check_filters(table& store) {
  fill(store, "p", 10);
  REQUIRE(store.put({"p", "x"}, text_item("other")));
  SECTION("a filter leaves out what was examined") {
    const table_query what{.partition = "p", .filter = field("n") >= 7, .page_size = 3};
    const auto first = page_of(store, what);
    CHECK((first.entries.empty() && first.examined == 3 && !first.cursor.empty()));
    CHECK((sorts(walk(store, what)) == texts{"007", "008", "009"}));
    std::size_t examined = 0;
    auto page = first;
    for (auto next = what; examined += page.examined, !page.cursor.empty();) {
      next.cursor = page.cursor;
      page = page_of(store, next);
    }
    CHECK(examined == 11);
    CHECK((sorts(walk(store, table_query{.partition = "p", .filter = !field("n").exists()})) == texts{"x"}));
    CHECK((everything(store, {.filter = field("n") < 2, .page_size = 2}) == texts{"p/000", "p/001"}));
  }
  SECTION("a projection gives these attributes only, and does not blind the filter") {
    REQUIRE(store.put({"q", ""}, {{"a", 1}, {"b", attribute_map{{"c", 2}}}, {"c", 3}}));
    const auto one =
        walk(store, table_query{.partition = "q", .filter = field("a") == 1, .projection = {"b", "x"}}).at(0);
    CHECK((one.item == table_item{{"b", attribute_map{{"c", 2}}}}));
    CHECK(one.version == whole(store, {"q", ""}).version);
    const auto scanned = walk(store, table_scan{.filter = field("c") == 3, .projection = {"a"}});
    CHECK((scanned.size() == 1 && scanned[0].item == table_item{{"a", 1}}));
    CHECK(walk(store, table_query{.partition = "q", .projection = {"x"}}).at(0).item.empty());
  }
}

// While it walks: writers behind, ahead and at the cursor.
inline void check_walk_among_writers(table& store) {
  SECTION("what stays during the walk is given exactly once, whatever comes and goes beside it") {
    const std::size_t page_size = GENERATE(1U, 3U, 7U);
    const bool descending = GENERATE(false, true);
    fill(store, "p", 40);  // those whose number is even stay
    int round = 0;
    const table_query what{.partition = "p", .descending = descending, .page_size = page_size};
    const auto all = walk(store, what, [&](const table_page& page) {
      const std::string name = std::to_string(round);
      REQUIRE(store.put({"p", "000" + name}, {}));
      REQUIRE(store.put({"p", "039" + name}, {}));
      const auto& last = page.entries.back().key.sort;
      if (last.size() == 3 && (last[2] - '0') % 2 == 1) CHECK(store.erase({"p", last}).value());
      REQUIRE(store.erase({"p", round < 5 ? "01" + std::to_string(2 * round + 1) : "021"}));
      if (is_there(store, {"p", "020"})) REQUIRE(store.put({"p", "020"}, text_item(name)));
      ++round;
    });
    texts seen = sorts(all);
    CHECK((descending ? std::is_sorted(seen.rbegin(), seen.rend()) : std::is_sorted(seen.begin(), seen.end())));
    CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
    const auto stays = [](const auto& each) { return each.size() == 3 && (each[2] - '0') % 2 == 0; };
    CHECK(std::count_if(seen.begin(), seen.end(), stays) == 20);
  }
}

inline void check_cursors(table& store) {
  for (const char* partition : {"p", "q"}) fill(store, partition, 10);
  const auto refuses = [&](auto what, const std::string& cursor) {
    what.cursor = cursor;
    if constexpr (std::is_same_v<decltype(what), table_query>) {
      return is_invalid(store.query(what));
    } else {
      return is_invalid(store.scan(what));
    }
  };
  SECTION("a query's cursor is good for its own question only, as often as one likes, and only unharmed") {
    const table_query what{.partition = "p", .page_size = 2};
    const auto cursor = page_of(store, what).cursor;
    auto next = what;
    next.cursor = cursor;
    for (int times = 0; times < 2; ++times) CHECK((sorts(page_of(store, next).entries) == texts{"002", "003"}));
    std::vector<table_query> others(6, what);
    others[0].partition = "q";
    others[1].sort.from = "001";
    others[2].sort.prefix = "0";
    others[3].descending = true;
    others[4].filter = field("n") >= 0;
    others[5].projection = {"n"};
    for (const auto& each : others) CHECK(refuses(each, cursor));
    CHECK(refuses(table_scan{}, cursor));
    for (const auto& each : harmed(cursor)) CHECK(refuses(what, each));
    for (std::size_t i = 0; i < cursor.size(); ++i) {
      auto changed = cursor;
      changed[i] = changed[i] == '0' ? '1' : '0';
      CHECK(refuses(what, changed));
    }
  }
  SECTION("so is a scan's") {
    const table_scan what{.page_size = 2};
    const auto cursor = page_of(store, what).cursor;
    std::vector<table_scan> others(3, what);
    others[0].filter = field("n") >= 0;
    others[1].projection = {"n"};
    others[2].segments = 2;
    for (const auto& each : others) CHECK(refuses(each, cursor));
    CHECK(refuses(table_query{.partition = "p"}, cursor));
    for (const auto& each : harmed(cursor)) CHECK(refuses(what, each));
  }
}

inline void check_queries(const table_harness& harness) {
  const auto store = open(harness);
  SECTION("ranges") { check_ranges(*store); }
  SECTION("numbers") { check_number_order(*store); }
  SECTION("filters") { check_filters(*store); }
  SECTION("writers") { check_walk_among_writers(*store); }
  SECTION("cursors") { check_cursors(*store); }
  SECTION("an index that was not declared is unknown") {
    CHECK(is_invalid(store->query({.partition = "p", .index = "none"})));
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance
