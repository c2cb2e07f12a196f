// SPDX-License-Identifier: MIT
#pragma once

// What is still there when an object store is opened again. Part of object_store_conformance.hpp.

#include <dormouse/testing/services/object_store_changes.hpp>
#include <dormouse/testing/services/object_store_harness.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::object_store_conformance {

inline bool are_same(const object_info& a, const object_info& b) {
  return a.key == b.key && a.size == b.size && a.etag == b.etag && a.modified == b.modified &&
         a.content_type == b.content_type && a.metadata == b.metadata;
}

inline void check_reopened(const object_store_harness& harness) {
  if (!harness.reopen) return;
  auto store = harness.make_empty();
  const std::string large(1'000'000, 'x');
  const auto small = store->put("small", "s", {.content_type = "a/b", .metadata = {{"n", "v"}}}).value();
  harness.advance(std::chrono::seconds(5));
  const auto big = store->put("big", large).value();
  REQUIRE(store->put("gone", "x"));
  REQUIRE(store->erase("gone"));
  REQUIRE(store->copy("big", "copy"));
  const bool logs = store->capabilities().change_log;
  const auto last = logs ? store->last_change().value() : 0;
  const auto before = logs ? store->changes(0).value() : std::vector<object_change>{};
  if (logs) REQUIRE(store->remember("reader", last - 1));
  {
    auto never_finished = store->create("never").value();
    REQUIRE(never_finished.write(large));
  }

  store = harness.reopen(std::move(store));
  CHECK(are_same(store->head("small").value(), small));
  CHECK(are_same(store->get("big").value().info, big));
  CHECK(bytes_of(*store, "small") == "s");
  CHECK((bytes_of(*store, "big") == large));
  CHECK((bytes_of(*store, "copy") == large));
  CHECK((walk(*store, {}) == std::vector<std::string>{"big", "copy", "small"}));
  if (logs) {
    CHECK(store->last_change().value() == last);
    CHECK(store->position("reader").value() == std::optional<std::uint64_t>(last - 1));
    const auto after = store->changes(0).value();
    REQUIRE(after.size() == before.size());
    for (std::size_t i = 0; i < after.size(); ++i) {
      CHECK((after[i].sequence == before[i].sequence && after[i].kind == before[i].kind));
      CHECK(are_same(after[i].info, before[i].info));
    }
  }
  const auto again = store->put("small", "s").value();
  CHECK(again.etag != small.etag);
  CHECK(again.etag != big.etag);
  if (logs) CHECK((changes_of(*store, last) == std::vector<std::string>{"+small"}));
  CHECK(store->erase("big").value());
  store = harness.reopen(std::move(store));
  CHECK((walk(*store, {}) == std::vector<std::string>{"copy", "small"}));
  CHECK((bytes_of(*store, "copy") == large));
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::object_store_conformance
