// SPDX-License-Identifier: MIT
#pragma once

// The log of changes of a table, and who is told of them. Part of table_conformance.hpp.

#include <dormouse/services/change_watcher.hpp>
#include <dormouse/testing/services/table_harness.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance {

class counting_watcher final : public change_watcher {
 public:
  std::atomic<int> told{0};
  void changed() noexcept override { ++told; }
};

inline table_schema logged(table_change_view view = table_change_view::keys) { return {.change_view = view}; }

// All changes behind `after`, in pages of three.
inline std::vector<table_change> changes_of(table& store, std::uint64_t after) {
  std::vector<table_change> all;
  for (std::uint64_t at = after;;) {
    auto page = store.changes(at, 3).value();
    REQUIRE(page.size() <= 3);
    const bool last = page.size() < 3;
    for (auto& each : page) {
      REQUIRE(each.sequence > at);
      at = each.sequence;
      all.push_back(std::move(each));
    }
    if (last) return all;
  }
}

// "insert p/1" and the like.
inline texts kinds_of(const std::vector<table_change>& changes) {
  constexpr const char* names[] = {"", "insert ", "modify ", "remove ", "expire "};
  texts all;
  for (const auto& each : changes) {
    all.push_back(names[static_cast<std::size_t>(each.kind)] + each.key.partition + "/" + each.key.sort);
  }
  return all;
}

inline void check_no_changes(table& store) {
  SECTION("an undeclared log is refused") {
    counting_watcher watcher;
    constexpr auto cannot = errc::unsupported;
    CHECK(refused(store.changes(0), cannot));
    CHECK(refused(store.last_change(), cannot));
    CHECK(refused(store.position("reader"), cannot));
    CHECK(refused(store.remember("reader", 1), cannot));
    CHECK(refused(store.watch(watcher), cannot));
    store.unwatch(watcher);
    REQUIRE(store.put({"k", ""}, {}));
    CHECK(watcher.told == 0);
  }
}

inline void check_order_of_changes(table& store) {
  SECTION("what took effect is in the log, in order, and nothing else") {
    CHECK(store.last_change().value() == 0);
    CHECK(store.changes(0).value().empty());
    REQUIRE(store.put({"p", "1"}, number_item(1)));
    REQUIRE(store.put({"p", "1"}, number_item(1)));
    CHECK(!store.erase({"p", "0"}).value());
    CHECK(is_invalid(store.put({"", ""}, {})));
    REQUIRE(store.write_batch({put_write({"p", "2"}, {}), erase_write({"p", "0"}), erase_write({"p", "1"})}));
    texts expected{"insert p/1", "modify p/1", "insert p/2", "remove p/1"};
    if (store.capabilities().updates) {
      REQUIRE(store.update({"p", "3"}, table_update().increment(field("n"), 1)));
      REQUIRE(store.update({"p", "3"}, table_update().increment(field("n"), 1)));
      CHECK(is_invalid(store.update({"p", "3"}, table_update().append(field("n"), {}))));
      expected.insert(expected.end(), {"insert p/3", "modify p/3"});
    }
    if (store.capabilities().conditions) {
      CHECK(!store.put({"p", "2"}, {}, {.when = {.if_absent = true}}));
      CHECK(!store.erase({"p", "2"}, {.when = {.if_version = 1'000'000'000}}));
    }
    if (store.capabilities().transactions) {
      REQUIRE(store.transact({put_write({"p", "4"}, {}), erase_write({"p", "0"})}));
      CHECK(!store.transact({put_write({"p", "5"}, {}), put_write({"p", "4"}, {{"", 1}})}));
      expected.push_back("insert p/4");
    }
    if (store.capabilities().tokens) {
      for (int i = 0; i < 2; ++i) REQUIRE(store.put({"p", "6"}, {}, {.token = "t"}));
      expected.push_back("insert p/6");
    }
    const auto all = changes_of(store, 0);
    CHECK((kinds_of(all) == expected));
    CHECK(store.last_change().value() == all.back().sequence);
    CHECK(store.changes(all.back().sequence).value().empty());
    CHECK((kinds_of(changes_of(store, all[1].sequence)).front() == expected[2]));
    CHECK(is_invalid(store.changes(all.back().sequence + 1)));
    CHECK(refused(store.changes(0, 0), invalid, failure_reason::page_size));
    CHECK(refused(store.changes(0, 1'001), invalid, failure_reason::page_size));
    CHECK(store.changes(0, 1'000).value().size() == all.size());
    CHECK(store.changes(0, 1).value().size() == 1);
  }
  if (!store.capabilities().transactions) return;
  SECTION("all changes of a transaction are in the log, in any order among them") {
    REQUIRE(store.put({"p", "1"}, {}));
    REQUIRE(store.put({"p", "2"}, {}));
    const auto begun = store.last_change().value();
    REQUIRE(store.transact({erase_write({"p", "2"}), put_write({"p", "1"}, {}), put_write({"p", "3"}, {})}));
    auto given = kinds_of(changes_of(store, begun));
    std::sort(given.begin(), given.end());
    CHECK((given == texts{"insert p/3", "modify p/1", "remove p/2"}));
  }
}

inline void check_views(const table_harness& harness) {
  const auto view = GENERATE(table_change_view::keys, table_change_view::new_item, table_change_view::old_item,
                             table_change_view::both);
  const auto store = open(harness, logged(view));
  SECTION("a change tells what the view has") {
    const bool old_items = view == table_change_view::old_item || view == table_change_view::both;
    const bool new_items = view == table_change_view::new_item || view == table_change_view::both;
    const table_key key{"k", std::string("\0\xff", 2)};
    const table_item first{{"n", 1}, {"m", attribute_map{{"x", payload("\xff")}}}};
    REQUIRE(store->put(key, first));
    REQUIRE(store->put(key, number_item(2)));
    CHECK(store->erase(key).value());
    using maybe = std::optional<table_item>;
    const auto all = changes_of(*store, 0);
    REQUIRE(all.size() == 3);
    const maybe items[] = {{}, first, number_item(2), {}};
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(all[i].key == key);
      CHECK((all[i].former == (old_items ? items[i] : maybe())));
      CHECK((all[i].current == (new_items ? items[i + 1] : maybe())));
    }
  }
}

inline void check_watchers(table& store) {
  SECTION("who watches is told after each change, until he watches no more") {
    counting_watcher one;
    counting_watcher other;
    REQUIRE(store.watch(one));
    REQUIRE(store.watch(other));
    REQUIRE(store.put({"p", "1"}, {}));
    CHECK((one.told == 1 && other.told == 1));
    CHECK(!store.put({"", ""}, {}));
    CHECK(!store.erase({"p", "2"}).value());
    if (store.capabilities().conditions) CHECK(!store.put({"p", "1"}, {}, {.when = {.if_absent = true}}));
    CHECK(one.told == 1);
    store.unwatch(other);
    CHECK(store.erase({"p", "1"}).value());
    CHECK((one.told == 2 && other.told == 1));
    int before = one.told;
    REQUIRE(store.write_batch({put_write({"p", "1"}, {}), put_write({"p", "2"}, {})}));
    CHECK((one.told > before && one.told <= before + 2));
    before = one.told;
    if (store.capabilities().transactions) {
      REQUIRE(store.transact({put_write({"p", "1"}, {}), put_write({"p", "2"}, {})}));
      CHECK((one.told > before && one.told <= before + 2));
    }
    store.unwatch(one);
    before = one.told;
    REQUIRE(store.put({"p", "1"}, {}));
    CHECK(one.told == before);
  }
}

inline void check_changes(const table_harness& harness) {
  const auto store = open(harness, logged());
  if (!store->capabilities().change_log) return check_no_changes(*store);
  SECTION("order") { check_order_of_changes(*store); }
  SECTION("views") { check_views(harness); }
  SECTION("watchers") { check_watchers(*store); }
  SECTION("without a view there is no log") {
    const auto without = open(harness);
    if (!without->capabilities().change_log) check_no_changes(*without);
    CHECK(!without->capabilities().change_log);
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance
