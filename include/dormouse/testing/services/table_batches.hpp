// SPDX-License-Identifier: MIT
#pragma once

// Several items in one call, each for itself. Part of table_conformance.hpp.

#include <dormouse/testing/services/table_harness.hpp>

#include <set>
#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance {

inline std::vector<table_key> keys_of(std::size_t count) {
  std::vector<table_key> keys;
  for (std::size_t i = 0; i < count; ++i) keys.push_back({"k" + std::to_string(i % 7), std::to_string(i)});
  return keys;
}

inline void check_get_batch(table& store) {
  SECTION("get_batch finds those that are there, each once") {
    for (const auto& each : keys_of(table::batch_max)) REQUIRE(store.put(each, text_item(each.sort)));
    CHECK(store.erase({"k3", "3"}).value());
    const auto batch = store.get_batch(keys_of(table::batch_max)).value();
    CHECK(batch.unprocessed.empty());
    std::set<table_key> found;
    for (const auto& each : batch.found) {
      CHECK((each.item == text_item(each.key.sort)));
      found.insert(each.key);
    }
    CHECK((batch.found.size() == 99 && found.size() == 99 && !found.contains({"k3", "3"})));
    CHECK(store.get_batch({{"none", ""}}).value().found.empty());
    CHECK(store.get_batch({}).value().found.empty());
  }
  SECTION("of 100 different keys at most") {
    CHECK(is_invalid(store.get_batch(keys_of(table::batch_max + 1))));
    CHECK(is_invalid(store.get_batch({{"k", "1"}, {"k", "2"}, {"k", "1"}})));
  }
}

inline void check_write_batch(table& store) {
  const table_key key{"k", ""};
  SECTION("write_batch answers each write in its order, an erase with 0") {
    REQUIRE(store.put({"k", "gone"}, {}));
    const auto done = store
                          .write_batch({put_write(key, number_item(1)), erase_write({"k", "gone"}),
                                        erase_write({"k", "never"}), put_write({"a", ""}, number_item(2))})
                          .value();
    REQUIRE(done.size() == 4);
    CHECK(done[0].value() == whole(store, key).version);
    CHECK((done[1].value() == 0 && done[2].value() == 0));
    CHECK(done[3].value() == whole(store, {"a", ""}).version);
    CHECK((everything(store) == texts{"a/", "k/"}));
    CHECK(store.write_batch({}).value().empty());
  }
  SECTION("100 writes at most, of different keys, no check, and nothing is done if one of them is wrong") {
    std::vector<table_write> most;
    for (const auto& each : keys_of(table::batch_max)) most.push_back(put_write(each, {}));
    CHECK(store.write_batch(most).value().size() == 100);
    CHECK(everything(store).size() == 100);
    most.push_back(put_write({"one", "more"}, {}));
    CHECK(is_invalid(store.write_batch(most)));
    CHECK(is_invalid(store.write_batch({put_write(key, {}), put_write({"a", ""}, {}), erase_write(key)})));
    CHECK(!store.write_batch({put_write(key, {}), check_write({"a", ""}, {.if_absent = true})}));
    CHECK(refused(store.write_batch({put_write(key, {}), put_write({"a", ""}, {{"", 1}})}), invalid,
                  failure_reason::name));
    CHECK(everything(store).size() == 100);
  }
  if (!store.capabilities().conditions) return;
  SECTION("one write may fail and the next succeed") {
    const auto version = store.put(key, number_item(1)).value();
    const auto done =
        store
            .write_batch({put_write({"a", ""}, number_item(1), {.if_exists = true}),
                          put_write({"b", ""}, number_item(2), {.if_absent = true}),
                          put_write(key, {}, {.if_version = version + 1}), erase_write({"c", ""}, {.if_exists = true}),
                          put_write({"d", ""}, number_item(4), {.holds = !field("n").exists()})})
            .value();
    REQUIRE(done.size() == 5);
    for (const std::size_t each : {0U, 2U, 3U}) CHECK(refused(done[each], errc::condition_failed));
    for (const std::size_t each : {1U, 4U}) CHECK(done[each]);
    CHECK((everything(store) == texts{"b/", "d/", "k/"}));
    CHECK(whole(store, key).version == version);
  }
}

inline void check_batches(const table_harness& harness) {
  const auto store = open(harness);
  check_get_batch(*store);
  check_write_batch(*store);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance
