// SPDX-License-Identifier: MIT
#pragma once

// Items that end by themselves. Part of table_conformance.hpp.

#include <dormouse/testing/services/table_harness.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance {

inline void check_no_expiry(table& store) {
  SECTION("undeclared expiry is refused, never ignored") {
    const table_key key{"k", ""};
    const calendar_time later{std::chrono::hours(1'000'000)};
    REQUIRE(store.put(key, number_item(1)));
    CHECK(refused(store.put(key, {}, {.expires_at = later}), errc::unsupported));
    auto write = put_write(key, {});
    write.expires_at = later;
    CHECK(refused(store.write_batch({write}), errc::unsupported));
    if (store.capabilities().transactions) CHECK(refused(store.transact({write}), errc::unsupported));
    CHECK(refused(store.remove_expired(), errc::unsupported));
    CHECK((stored(store, key) == number_item(1)));
  }
}

// A table in which "p/1" has just ended, and "p/0" and "p/2" go on.
struct expiring_table {
  explicit expiring_table(const table_harness& with)
      : harness(with), store(open(with, schema())), start(std::chrono::floor<std::chrono::milliseconds>(with.wall())) {
    REQUIRE(store->put({"p", "0"}, {{"state", "s"}, {"due", 0}}));
    version = store->put(key, {{"state", "s"}, {"due", 1}}, {.expires_at = after(10)}).value();
    REQUIRE(store->put({"p", "2"}, {{"state", "s"}, {"due", 2}}, {.expires_at = after(60'000)}));
    harness.advance(std::chrono::milliseconds(10));
  }
  static table_schema schema() { return {.indexes = {{.name = "i", .partition_field = "state", .sort_field = "due"}}}; }
  [[nodiscard]] calendar_time after(int ms) const { return start + std::chrono::milliseconds(ms); }

  const table_harness& harness;
  const std::unique_ptr<table> store;
  const calendar_time start;
  const table_key key{"p", "1"};
  table_version version = 0;
};

inline void check_end(const table_harness& harness) {
  const auto store = open(harness);
  const table_key key{"k", ""};
  const auto end = std::chrono::floor<std::chrono::milliseconds>(harness.wall()) + std::chrono::milliseconds(10);
  SECTION("an item is there until it expires, and not from then on") {
    REQUIRE(store->put(key, {}, {.expires_at = end}));
    CHECK((whole(*store, key).expires_at == end));
    CHECK((walk(*store, table_query{.partition = "k"}).at(0).expires_at == end));
    CHECK((store->get_batch({key}).value().found.at(0).expires_at == end));
    harness.advance(std::chrono::milliseconds(9));
    CHECK(is_there(*store, key));
    harness.advance(std::chrono::milliseconds(1));
    CHECK(!is_there(*store, key));
  }
  SECTION("one that has ended already is not there at all") {
    REQUIRE(store->put(key, number_item(1)));
    REQUIRE(store->put(key, {}, {.expires_at = end - std::chrono::hours(1)}));
    CHECK(!is_there(*store, key));
    CHECK(everything(*store).empty());
  }
  SECTION("a put says anew when the item ends; an update leaves it, or says so") {
    REQUIRE(store->put(key, {}, {.expires_at = end}));
    if (store->capabilities().updates) {
      CHECK((store->update(key, table_update()).value().expires_at == end));
      const auto later = end + std::chrono::hours(1);
      CHECK((store->update(key, table_update(), {.expires_at = later}).value().expires_at == later));
      CHECK((whole(*store, key).expires_at == later));
    }
    REQUIRE(store->put(key, {}));
    CHECK(!whole(*store, key).expires_at.has_value());
    harness.advance(std::chrono::hours(10));
    CHECK(is_there(*store, key));
  }
}

inline void check_expired_is_invisible(const table_harness& harness) {
  const expiring_table now(harness);
  auto& store = *now.store;
  SECTION("to every read") {
    CHECK(!is_there(store, now.key));
    CHECK(store.get_batch({now.key, {"p", "2"}}).value().found.size() == 1);
    const std::size_t page_size = GENERATE(1U, 100U);
    CHECK((sorts(walk(store, table_query{.partition = "p", .page_size = page_size})) == texts{"0", "2"}));
    CHECK((everything(store, {.page_size = page_size}) == texts{"p/0", "p/2"}));
    if (!store.capabilities().indexes.empty() && store.capabilities().strong_index_reads) {
      const table_query what{.partition = "s", .index = "i", .page_size = page_size};
      CHECK((sorts(walk(store, what)) == texts{"0", "2"}));
    }
  }
  SECTION("to writes: nothing was there") {
    std::optional<stored_item> former = stored_item{};
    CHECK(!store.erase(now.key, {.former = &former}).value());
    CHECK(!former.has_value());
  }
  SECTION("an update makes an item from nothing") {
    if (!store.capabilities().updates) return;
    const auto made = store.update(now.key, table_update().increment(field("due"), 5)).value();
    CHECK((made.item == table_item{{"due", std::int64_t{5}}}));
    CHECK((!made.expires_at.has_value() && made.version != now.version));
  }
  if (!store.capabilities().conditions) return;
  SECTION("to conditions") {
    for (const write_condition& each :
         {write_condition{.if_exists = true}, {.if_version = now.version}, {.holds = field("due").exists()}}) {
      CHECK(refused(store.put(now.key, {}, {.when = each}), errc::condition_failed));
      CHECK(refused(store.erase(now.key, {.when = each}), errc::condition_failed));
      if (store.capabilities().transactions) {
        CHECK(refused(store.transact({check_write(now.key, each)}), errc::condition_failed));
      }
    }
    if (store.capabilities().transactions) CHECK(store.transact({check_write(now.key, {.if_absent = true})}));
    const auto version =
        store.put(now.key, number_item(1), {.when = {.if_absent = true, .holds = !field("due").exists()}});
    REQUIRE(version);
    CHECK((*version != now.version && whole(store, now.key).item == number_item(1)));
  }
}

inline void check_remove_expired(const table_harness& harness) {
  const expiring_table now(harness);
  auto& store = *now.store;
  SECTION("remove_expired says when the next item ends") {
    CHECK((store.remove_expired().value() == now.after(60'000)));
    CHECK((store.remove_expired().value() == now.after(60'000)));
    harness.advance(std::chrono::minutes(1));
    CHECK(!store.remove_expired().value().has_value());
    CHECK((everything(store) == texts{"p/0"}));
  }
  SECTION("it takes away as many as it may") {
    for (int i = 0; i < 9; ++i) {
      REQUIRE(store.put({"q", std::to_string(i)}, {}, {.expires_at = now.after(1'000 + i)}));
    }
    harness.advance(std::chrono::hours(1));
    auto next = store.remove_expired(1).value();
    int calls = 1;
    for (; next.has_value() && calls < 100; ++calls) {
      CHECK(*next <= harness.wall());
      next = store.remove_expired(1).value();
    }
    CHECK((calls >= 1 && calls <= 11));
    CHECK((everything(store) == texts{"p/0"}));
  }
  SECTION("it takes a count of 1 to 1,000") {
    CHECK(refused(store.remove_expired(0), invalid, failure_reason::page_size));
    CHECK(refused(store.remove_expired(1'001), invalid, failure_reason::page_size));
    CHECK(store.remove_expired(1'000));
  }
}

inline void check_expiry(const table_harness& harness) {
  const auto store = open(harness);
  if (!store->capabilities().expiry) return check_no_expiry(*store);
  check_end(harness);
  check_expired_is_invisible(harness);
  check_remove_expired(harness);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance
