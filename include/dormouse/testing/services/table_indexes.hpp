// SPDX-License-Identifier: MIT
#pragma once

// Other orders of the same items. Part of table_conformance.hpp.

#include <dormouse/testing/eventually.hpp>
#include <dormouse/testing/services/table_harness.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance {

inline table_schema schema_with_indexes() {
  return {.indexes = {{.name = "by_state", .partition_field = "state", .sort_field = "due"},
                      {.name = "names-1", .partition_field = "state", .projection = {"name", "due"}},
                      {.name = "due", .partition_field = "due", .sort_field = "state"}}};
}

inline table_item order(std::string state, attribute due, std::string name = "n") {
  return {{"state", std::move(state)}, {"due", std::move(due)}, {"name", std::move(name)}, {"more", true}};
}

// What a query of an index gives; where strong reads of it are not to be had, once it gives what is expected.
inline bool index_gives(table& store, table_query what, const texts& expected) {
  if (store.capabilities().strong_index_reads) return sorts(walk(store, what)) == expected;
  what.consistency = read_consistency::eventual;
  return eventually(std::chrono::seconds(10), [&] { return sorts(walk(store, what)) == expected; });
}

inline table_query of_state(std::string state) { return {.partition = std::move(state), .index = "by_state"}; }

inline void check_index_order(table& store) {
  const std::size_t page_size = GENERATE(1U, 3U, 1'000U);
  const auto gives = [&](table_query what, const texts& expected) {
    what.page_size = page_size;
    return index_gives(store, std::move(what), expected);
  };
  const std::vector<std::pair<const char*, attribute>> all{{"9", -5}, {"1", 7}, {"5", 300},
                                                           {"3", 7},  {"4", 7}, {"7", std::int64_t{1} << 40U}};
  for (const auto& [sort, due] : all) REQUIRE(store.put({"p", sort}, order("open", due)));
  REQUIRE(store.put({"q", "2"}, order("open", 8)));
  REQUIRE(store.put({"p", "8"}, order("done", 1)));
  SECTION("an index is in the order of its sort field, and gives the items of all partitions") {
    CHECK(gives(of_state("done"), {"8"}));
    CHECK(gives({.partition = sort_number(1), .index = "due"}, {"8"}));
    auto first = of_state("open");
    first.sort.to = sort_number(6);
    CHECK(gives(first, {"9"}));
    auto last = of_state("open");
    last.sort.from = sort_number(8);
    CHECK(gives(last, {"2", "5", "7"}));
    last.descending = true;
    CHECK(gives(last, {"7", "5", "2"}));
    CHECK(gives(of_state("none"), {}));
  }
  SECTION("entries with the same place in it come each once, page by page") {
    auto same = of_state("open");
    same.sort = {.from = sort_number(7), .to = sort_number(7)};
    if (!store.capabilities().strong_index_reads) same.consistency = read_consistency::eventual;
    REQUIRE(eventually(std::chrono::seconds(10), [&] { return walk(store, same).size() == 3; }));
    same.page_size = page_size;
    auto given = sorts(walk(store, same));
    std::sort(given.begin(), given.end());
    CHECK((given == texts{"1", "3", "4"}));
    same.index = "names-1";
    same.sort = {};
    CHECK(walk(store, same).size() == 7);
  }
}

inline void check_index_entries(table& store) {
  const table_key key{"p", "1"};
  const auto sparse = [&](const table_item& item) {
    REQUIRE(store.put({"p", "0"}, order("there", 1)));
    REQUIRE(store.put(key, order("there", 2)));
    REQUIRE(store.put(key, item));
    return index_gives(store, of_state("there"), {"0"});
  };
  SECTION("what lacks a field, or has it of another kind or size, is not in it") {
    CHECK(sparse({{"state", "there"}}));
    CHECK(sparse({{"due", 1}}));
    CHECK(sparse({{"state", "there"}, {"due", 1.5}}));
    CHECK(sparse({{"state", "there"}, {"due", {}}}));
    CHECK(sparse({{"state", "there"}, {"due", attribute_list{1}}}));
    CHECK(sparse({{"state", "there"}, {"due", std::string(table::sort_bytes_max + 1, 'x')}}));
    CHECK(sparse({{"state", true}, {"due", 1}}));
    CHECK(sparse({{"state", ""}, {"due", 1}}));
    CHECK(sparse({{"state", std::string(table::partition_bytes_max + 1, 'x')}, {"due", 1}}));
    REQUIRE(store.put(key, {{"state", "there"}}));
    CHECK(index_gives(store, {.partition = "there", .index = "names-1"}, {"0", "1"}));
  }
  SECTION("texts, bytes and whole numbers are fields; the longest are, and an empty sort") {
    const std::string longest(table::partition_bytes_max, 'x');
    REQUIRE(store.put(key, {{"state", payload(longest)}, {"due", payload("")}}));
    CHECK(index_gives(store, of_state(longest), {"1"}));
    REQUIRE(store.put(key, {{"state", 5}, {"due", std::string(table::sort_bytes_max, 'x')}}));
    CHECK(index_gives(store, of_state(sort_number(5)), {"1"}));
    CHECK(index_gives(store, of_state(longest), {}));
  }
  SECTION("an entry has the key, the version and the attributes of its item, or those of the projection") {
    const auto version = store.put(key, order("open", 1, "ann")).value();
    REQUIRE(index_gives(store, of_state("open"), {"1"}));
    REQUIRE(index_gives(store, {.partition = "open", .index = "names-1"}, {"1"}));
    auto what = of_state("open");
    what.consistency = read_consistency::eventual;
    const auto all = page_of(store, what).entries.at(0);
    CHECK((all.key == key && all.item == order("open", 1, "ann") && all.version == version));
    what.index = "names-1";
    CHECK((page_of(store, what).entries.at(0).item == table_item{{"name", "ann"}, {"due", 1}}));
    what.projection = {"name", "more"};
    CHECK((page_of(store, what).entries.at(0).item == table_item{{"name", "ann"}}));
    what.filter = field("name") == "ann" && !field("more").exists();
    CHECK(page_of(store, what).entries.size() == 1);
    what.filter = field("name") == "bob";
    CHECK((page_of(store, what).entries.empty() && page_of(store, what).examined == 1));
  }
}

inline void check_index_writes(table& store) {
  const table_key key{"p", "1"};
  REQUIRE(store.put(key, order("open", 1)));
  const auto is_at = [&](const char* state, const texts& expected) {
    return index_gives(store, of_state(state), expected);
  };
  SECTION("every write moves the entry, and an erase takes it away") {
    CHECK(is_at("open", {"1"}));
    REQUIRE(store.put(key, order("done", 1)));
    CHECK((is_at("open", {}) && is_at("done", {"1"})));
    if (store.capabilities().updates) {
      REQUIRE(store.update(key, table_update().set(field("state"), "open").increment(field("due"), 4)));
      CHECK((is_at("open", {"1"}) && is_at("done", {})));
      REQUIRE(store.update(key, table_update().remove(field("due"))));
      CHECK(is_at("open", {}));
      REQUIRE(store.update(key, table_update().set(field("due"), 2)));
    } else {
      REQUIRE(store.put(key, order("open", 2)));
    }
    CHECK(is_at("open", {"1"}));
    CHECK(store.write_batch({put_write(key, order("done", 1))}).value().at(0));
    CHECK((is_at("open", {}) && is_at("done", {"1"})));
    CHECK(store.erase(key).value());
    CHECK(is_at("done", {}));
  }
  if (store.capabilities().transactions) {
    SECTION("a transaction moves all of its entries, or none") {
      REQUIRE(store.put({"p", "2"}, order("open", 2)));
      REQUIRE(store.transact({put_write(key, order("done", 1)), erase_write({"p", "2"})}));
      CHECK((is_at("open", {}) && is_at("done", {"1"})));
      CHECK(!store.transact({put_write(key, order("open", 1)), check_write({"x", ""}, {.if_exists = true})}));
      CHECK((is_at("open", {}) && is_at("done", {"1"})));
    }
  }
}

inline void check_indexes(const table_harness& harness) {
  const auto schema = schema_with_indexes();
  const auto store = open(harness, schema);
  const auto& known = store->capabilities().indexes;
  if (known.empty()) {
    SECTION("undeclared indexes are unknown") {
      REQUIRE(store->put({"p", "1"}, order("open", 1)));
      CHECK(is_invalid(store->query(of_state("open"))));
    }
    return;
  }
  SECTION("order") { check_index_order(*store); }
  SECTION("entries") { check_index_entries(*store); }
  SECTION("writes") { check_index_writes(*store); }
  SECTION("all that were declared are known, by their names, and no other") {
    REQUIRE(known.size() == schema.indexes.size());
    for (const auto& each : schema.indexes) {
      CHECK(store->query({.partition = "open", .index = each.name, .consistency = read_consistency::eventual}));
    }
    CHECK(is_invalid(store->query({.partition = "open", .index = "By_state"})));
  }
  SECTION("strong reads of an index are refused where they are not to be had") {
    const auto got = store->query({.partition = "open", .index = "by_state"});
    CHECK((store->capabilities().strong_index_reads ? got.has_value() : refused(got, errc::unsupported)));
  }
  SECTION("what stays in its place during the walk is given exactly once, whatever moves beside it") {
    for (int i = 10; i < 30; ++i) REQUIRE(store->put({"p", std::to_string(i)}, order("open", i)));
    if (!store->capabilities().strong_index_reads) return;  // what a lagging one gives meanwhile, nobody can say
    auto what = of_state("open");
    what.page_size = 3;
    int round = 0;
    const auto all = walk(*store, what, [&](const table_page& page) {
      const auto given = page.entries.back().item.at("due");
      REQUIRE(store->put(page.entries.back().key, order("open", given, "written again")));
      REQUIRE(store->put({"p", "behind" + std::to_string(round)}, order("open", round)));
      REQUIRE(store->put({"p", std::to_string(29 - round)}, order("done", 1)));  // leaves
      ++round;
    });
    auto seen = sorts(all);
    CHECK(std::is_sorted(seen.begin(), seen.end()));
    CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
    for (int i = 10; i < 20; ++i) CHECK(std::count(seen.begin(), seen.end(), std::to_string(i)) == 1);
  }
  SECTION("an index's cursors are good for that index only") {
    for (const char* sort : {"1", "2", "3"}) REQUIRE(store->put({"p", sort}, order("open", 7)));
    REQUIRE(index_gives(*store, of_state("open"), {"1", "2", "3"}));
    auto what = of_state("open");
    what.consistency = read_consistency::eventual;
    what.page_size = 1;
    what.cursor = page_of(*store, what).cursor;
    CHECK(store->query(what));
    what.index = "names-1";
    CHECK(is_invalid(store->query(what)));
    what.index.clear();
    CHECK(is_invalid(store->query(what)));
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance
