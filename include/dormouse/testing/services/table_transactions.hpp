// SPDX-License-Identifier: MIT
#pragma once

// Several writes, all or none. Part of table_conformance.hpp.

#include <dormouse/testing/services/table_harness.hpp>

#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance {

inline const table_key key_a{"a", ""};
inline const table_key key_b{"b", ""};

inline void check_no_transactions(table& store) {
  SECTION("undeclared transactions are refused") {
    CHECK(refused(store.transact({put_write(key_a, {})}), errc::unsupported));
    CHECK(refused(store.transact({put_write(key_a, {}), put_write(key_b, {})}), errc::unsupported));
    CHECK(everything(store).empty());
  }
}

inline void check_done_transactions(table& store) {
  const auto version = store.put(key_b, number_item(1)).value();
  SECTION("all of it is done, and answered in its order") {
    std::vector<table_write> writes{put_write({"c", ""}, text_item("new")), erase_write(key_b), put_write(key_a, {}),
                                    erase_write({"never", ""})};
    const auto versions = store.transact(writes).value();
    REQUIRE(versions.size() == 4);
    CHECK((versions[0] == whole(store, {"c", ""}).version && versions[1] == 0));
    CHECK((versions[2] == whole(store, key_a).version && versions[3] == 0));
    CHECK((stored(store, {"c", ""}) == text_item("new")));
    CHECK((everything(store) == texts{"a/", "c/"}));
  }
  if (store.capabilities().updates) {
    SECTION("updates among them") {
      const auto update = table_update().increment(field("n"), 1);
      const auto versions = store.transact({update_write(key_b, update), update_write(key_a, update)}).value();
      CHECK((number_at(store, key_b) == 2 && number_at(store, key_a) == 1));
      CHECK((versions.at(0) == whole(store, key_b).version && versions.at(1) == whole(store, key_a).version));
    }
  }
  if (store.capabilities().conditions) {
    SECTION("conditions that hold, and checks") {
      std::vector<std::size_t> failed{7};
      const auto versions = store.transact(
          {check_write(key_b, {.if_version = version}), put_write(key_a, number_item(1), {.if_absent = true}),
           check_write({"c", ""}, {.if_absent = true}), check_write({"d", ""}, {.holds = field("n") != 1}),
           erase_write({"e", ""}, {.holds = !field("n").exists()})},
          {.failed = &failed});
      REQUIRE(versions);
      CHECK((versions->size() == 5 && versions->at(0) == 0 && versions->at(1) != 0 && versions->at(2) == 0));
      CHECK(failed.empty());
      CHECK((whole(store, key_b).version == version && number_at(store, key_a) == 1));
    }
    SECTION("each of its conditions is about what was there before it") {
      const auto swapped = store.transact({put_write(key_b, number_item(2), {.holds = field("n") == 1}),
                                           check_write(key_a, {.if_absent = true}), erase_write({"c", ""})});
      REQUIRE(swapped);
      CHECK(number_at(store, key_b) == 2);
    }
  }
}

// Refused so, and everything as it was?
inline bool changes_nothing(table& store, std::vector<table_write> writes, errc code) {
  const auto b = whole(store, key_b);
  const auto got = store.transact(std::move(writes));
  const auto now = whole(store, key_b);
  return !got && got.error().code == code && got.error().effect == effect_kind::not_applied &&
         everything(store) == texts{"b/"} && now.item == b.item && now.version == b.version;
}

inline void check_failed_conditions(table& store) {
  const auto version = store.put(key_b, number_item(1)).value();
  constexpr auto failed_condition = errc::condition_failed;
  SECTION("one condition that does not hold, and nothing is done") {
    CHECK(changes_nothing(store, {put_write(key_a, {}), put_write(key_b, {}, {.if_version = version + 1})},
                          failed_condition));
    CHECK(changes_nothing(store, {put_write(key_b, {}), put_write(key_a, {}, {.if_exists = true})}, failed_condition));
    CHECK(changes_nothing(store, {erase_write(key_b), check_write(key_a, {.if_exists = true})}, failed_condition));
    CHECK(changes_nothing(store, {put_write(key_a, {}), check_write(key_b, {.if_absent = true})}, failed_condition));
    CHECK(changes_nothing(store, {put_write(key_a, {}), erase_write(key_b, {.holds = field("n") > 1})},
                          failed_condition));
  }
  SECTION("the positions of all that failed are told") {
    std::vector<std::size_t> failed{7};
    const auto got =
        store.transact({put_write(key_a, {}, {.if_exists = true}), put_write({"c", ""}, {}),
                        check_write(key_b, {.if_version = version}), erase_write({"d", ""}, {.if_exists = true}),
                        put_write({"e", ""}, {}, {.holds = field("n") == 1})},
                       {.failed = &failed});
    CHECK(refused(got, failed_condition));
    CHECK((failed == std::vector<std::size_t>{0, 3, 4}));
    CHECK((everything(store) == texts{"b/"}));
    REQUIRE(store.transact({put_write(key_a, {}, {.if_absent = true})}, {.failed = &failed}));
    CHECK(failed.empty());
  }
}

inline void check_wrong_transactions(table& store) {
  REQUIRE(store.put(key_b, {{"n", 1}, {"t", "text"}}));
  SECTION("of 1 to 100 writes of different keys") {
    std::vector<table_write> most;
    for (std::size_t i = 0; i < table::batch_max; ++i) most.push_back(put_write({"p", std::to_string(i)}, {}));
    CHECK(changes_nothing(store, {}, invalid));
    auto more = most;
    more.push_back(put_write(key_a, {}));
    CHECK(changes_nothing(store, more, invalid));
    CHECK(changes_nothing(store, {put_write(key_a, {}), put_write({"c", ""}, {}), erase_write(key_a)}, invalid));
    CHECK(store.transact(most).value().size() == 100);
    CHECK(everything(store).size() == 101);
  }
  SECTION("of 4 MiB together") {
    std::vector<table_write> writes;
    for (int i = 0; i < 10; ++i) {
      writes.push_back(put_write({"p", std::to_string(i)}, {{"b", payload(std::string(400'000, 'x'))}}));
    }
    auto more = writes;
    more.push_back(put_write({"p", "more"}, {{"b", payload(std::string(300'000, 'x'))}}));
    CHECK(changes_nothing(store, more, errc::too_large));
    REQUIRE(store.transact(writes));
    CHECK(everything(store).size() == 11);
  }
  SECTION("one wrong write, and nothing is done") {
    CHECK(changes_nothing(store, {put_write(key_a, {}), put_write({"", ""}, {})}, invalid));
    CHECK(changes_nothing(store, {put_write(key_a, {}), put_write({"c", ""}, {{"", 1}})}, invalid));
    CHECK(changes_nothing(store,
                          {put_write(key_b, {}), put_write({"c", ""}, {{"b", payload(std::string(500'000, 'x'))}})},
                          errc::too_large));
    if (!store.capabilities().updates) return;
    CHECK(changes_nothing(store, {put_write(key_a, {}), update_write(key_b, table_update().increment(field("t"), 1))},
                          invalid));
    CHECK(changes_nothing(store,
                          {update_write(key_b, table_update().increment(field("n"), 1)),
                           update_write(key_a, table_update().set(field("x")["y"], 1))},
                          invalid));
    const auto large = table_update().set(field("b"), payload(std::string(table::item_bytes_max, 'x')));
    CHECK(changes_nothing(store, {put_write(key_a, {}), update_write(key_b, large)}, errc::too_large));
  }
}

inline void check_transactions(const table_harness& harness) {
  const auto store = open(harness);
  if (!store->capabilities().transactions) return check_no_transactions(*store);
  check_done_transactions(*store);
  check_wrong_transactions(*store);
  if (store->capabilities().conditions) return check_failed_conditions(*store);
  SECTION("undeclared conditions are refused in transactions, too") {
    REQUIRE(store->put(key_b, {}));
    CHECK(changes_nothing(*store, {put_write(key_a, {}, {.if_absent = true})}, errc::unsupported));
    CHECK(changes_nothing(*store, {check_write(key_b, {.if_exists = true})}, errc::unsupported));
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance
