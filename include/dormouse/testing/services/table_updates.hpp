// SPDX-License-Identifier: MIT
#pragma once

// Updates of items where they lie. Part of table_conformance.hpp; what an update does to an item is table_update's.

#include <dormouse/testing/services/table_harness.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance {

inline void check_no_updates(table& store) {
  SECTION("undeclared updates are refused") {
    const table_key key{"k", ""};
    REQUIRE(store.put(key, number_item(1)));
    const auto update = table_update().increment(field("n"), 1);
    CHECK(refused(store.update(key, update), errc::unsupported));
    CHECK(refused(store.write_batch({update_write(key, update)}), errc::unsupported));
    CHECK((stored(store, key) == number_item(1)));
  }
}

inline void check_what_updates_do(table& store) {
  const table_key key{"k", ""};
  SECTION("an update answers the item as it is now, under a new version") {
    const auto first = store.put(key, {{"n", 1}, {"other", "stays"}}).value();
    const auto now = store.update(key, table_update().increment(field("n"), 2)).value();
    CHECK((now.item == table_item{{"n", std::int64_t{3}}, {"other", "stays"}}));
    CHECK(now.version != first);
    CHECK((whole(store, key).item == now.item && whole(store, key).version == now.version));
    const auto same = store.update(key, table_update()).value();
    CHECK((same.item == now.item && same.version != now.version));
  }
  SECTION("of a key that has none, it makes an item from nothing") {
    CHECK((store.update(key, table_update().increment(field("n"), 2)).value().item == number_item(2)));
    CHECK(store.update({"k", "2"}, table_update()).value().item.empty());
    CHECK(is_there(store, {"k", "2"}));
    CHECK(is_invalid(store.update({"k", "3"}, table_update().set(field("m")["x"], 1))));
    CHECK(!is_there(store, {"k", "3"}));
  }
  SECTION("every action does its work") {
    REQUIRE(store.put(key, {{"n", 1},
                            {"r", 0.5},
                            {"gone", true},
                            {"l", attribute_list{"a", "b", "c"}},
                            {"m", attribute_map{{"x", 1}}},
                            {"s", text_set{"a", "b"}},
                            {"z", number_set{1}}}));
    const auto now = store
                         .update(key, table_update()
                                          .increment(field("n"), -3)
                                          .increment(field("r"), 1)
                                          .remove(field("gone"))
                                          .remove(field("l")[0])
                                          .set(field("l")[1], "B")
                                          .set(field("l")[9], "d")
                                          .set(field("m")["y"], payload("\xff"))
                                          .set_if_absent(field("m")["x"], 2)
                                          .set_if_absent(field("new"), 2)
                                          .append(field("log"), {"first"})
                                          .add_to_set(field("s"), text_set{"c"})
                                          .remove_from_set(field("z"), number_set{1}))
                         .value();
    const table_item expected{{"n", -2},
                              {"r", 1.5},
                              {"l", attribute_list{"B", "c", "d"}},
                              {"m", attribute_map{{"x", 1}, {"y", payload("\xff")}}},
                              {"new", 2},
                              {"log", attribute_list{"first"}},
                              {"s", text_set{"a", "b", "c"}}};
    CHECK((now.item == expected));
    CHECK((stored(store, key) == expected));
  }
  SECTION("former has the item as it was before") {
    std::optional<stored_item> former;
    const auto now = store.update(key, table_update().increment(field("n"), 1), {.former = &former}).value();
    CHECK(!former.has_value());
    REQUIRE(store.update(key, table_update().increment(field("n"), 1), {.former = &former}));
    CHECK((former.value().item == number_item(1) && former.value().version == now.version));
  }
}

inline void check_updates(const table_harness& harness) {
  const auto store = open(harness);
  if (!store->capabilities().updates) return check_no_updates(*store);
  check_what_updates_do(*store);
  const table_key key{"k", ""};
  SECTION("an update that cannot be done changes nothing") {
    const table_item item{{"n", std::numeric_limits<std::int64_t>::max()}, {"t", "text"}, {"s", text_set{"a"}}};
    const auto version = store->put(key, item).value();
    const auto good = table_update().set(field("good"), 1);
    for (const auto& bad : {table_update(good).increment(field("n"), 1), table_update(good).increment(field("t"), 1),
                            table_update(good).append(field("t"), {1}), table_update(good).set(field("good")["x"], 1),
                            table_update(good).add_to_set(field("s"), number_set{1}),
                            table_update(good).set(field("x")["y"], 1), table_update(good).remove(field("n")[0]),
                            table_update(good).increment(field("x"), "1"), table_update(good).set(field("good"), 2)}) {
      CHECK(is_invalid(store->update(key, bad)));
    }
    CHECK((whole(*store, key).item == item && whole(*store, key).version == version));
  }
  SECTION("an update has up to 100 actions") {
    table_update update;
    for (std::size_t i = 0; i < table_update::actions_max; ++i) update.increment(field(std::to_string(i)), 1);
    CHECK(store->update(key, update).value().item.size() == 100);
    CHECK(is_invalid(store->update(key, update.set(field("x"), 1))));
    CHECK(stored(*store, key).size() == 100);
  }
  SECTION("updates are among the writes of a batch") {
    const auto update = table_update().increment(field("n"), 1);
    const auto done = store->write_batch({update_write(key, update), update_write({"t", ""}, update)}).value();
    CHECK((done.size() == 2 && done[0].value() == whole(*store, key).version));
    CHECK((stored(*store, {"t", ""}) == number_item(1)));
    REQUIRE(store->put(key, text_item("no number")));
    const auto again = store->write_batch(
        {update_write(key, table_update().increment(field("text"), 1)), update_write({"t", ""}, update)});
    REQUIRE(again.value().size() == 2);
    CHECK(is_invalid(again.value()[0]));
    CHECK(again.value()[1]);
    CHECK(number_at(*store, {"t", ""}) == 2);
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance
