// SPDX-License-Identifier: MIT
#pragma once

// The log of changes of an object store, and who is told of them. Part of object_store_conformance.hpp.

#include <dormouse/testing/services/object_store_harness.hpp>
#include <dormouse/testing/services/service_harness.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::object_store_conformance {

class counting_watcher final : public change_watcher {
 public:
  std::atomic<int> told{0};
  void changed() noexcept override { ++told; }
};

// "+key" for a put, "-key" for what was erased, of all changes behind `after`, in pages of two.
inline std::vector<std::string> changes_of(object_store& store, std::uint64_t after) {
  std::vector<std::string> all;
  for (std::uint64_t at = after;;) {
    const auto page = store.changes(at, 2).value();
    REQUIRE(page.size() <= 2);
    for (const auto& each : page) {
      REQUIRE(each.sequence > at);
      at = each.sequence;
      all.push_back((each.kind == object_change_kind::put ? "+" : "-") + each.info.key);
    }
    if (page.size() < 2) return all;
  }
}

inline void check_no_changes(object_store& store) {
  counting_watcher watcher;
  CHECK(refused(store.changes(0), errc::unsupported));
  CHECK(refused(store.last_change(), errc::unsupported));
  CHECK(refused(store.position("r"), errc::unsupported));
  CHECK(refused(store.remember("r", 0), errc::unsupported));
  CHECK(refused(store.watch(watcher), errc::unsupported));
  store.unwatch(watcher);
}

inline void check_changes(const object_store_harness& harness) {
  const auto store = harness.make_empty();
  if (!store->capabilities().change_log) return check_no_changes(*store);
  SECTION("what took effect is in the log, in order, and nothing else") {
    REQUIRE(store->put("before", ""));
    const auto begun = store->last_change().value();
    CHECK(changes_of(*store, begun).empty());
    const auto first = store->put("a", "1").value();
    REQUIRE(store->put("a", "22"));
    CHECK(!store->erase("b").value());
    { const auto never_finished = store->create("b").value(); }
    CHECK(!store->copy("b", "c"));
    CHECK(!store->put("", ""));
    if (store->capabilities().conditional_put) CHECK(!store->put("a", "", {.if_absent = true}));
    REQUIRE(store->copy("a", "b"));
    CHECK(store->erase("a").value());
    CHECK((changes_of(*store, begun) == std::vector<std::string>{"+a", "+a", "+b", "-a"}));
    const auto all = store->changes(begun).value();
    CHECK((all[0].info.etag == first.etag && all[0].info.size == 1 && all[1].info.size == 2));
    CHECK((all[3].info.etag == all[1].info.etag && all[3].info.size == 2));  // what was erased
    CHECK((changes_of(*store, all[1].sequence) == std::vector<std::string>{"+b", "-a"}));
    CHECK(store->last_change().value() == all[3].sequence);
    CHECK(refused(store->changes(all[3].sequence + 1), errc::invalid_argument));
    CHECK(refused(store->changes(begun, 0), errc::invalid_argument, failure_reason::page_size));
    CHECK(refused(store->changes(begun, 1'001), errc::invalid_argument, failure_reason::page_size));
  }
  SECTION("each reader's position is kept, and is nobody else's") {
    CHECK(store->position("one").value() == std::nullopt);
    REQUIRE(store->put("a", ""));
    const auto last = store->last_change().value();
    REQUIRE(store->remember("one", 0));
    REQUIRE(store->remember(std::string(64, 'Z'), last));
    CHECK(store->position("one").value() == 0U);
    REQUIRE(store->remember("one", last));
    CHECK(store->position("one").value() == last);
    CHECK(store->position(std::string(64, 'Z')).value() == last);
    CHECK(store->position("two").value() == std::nullopt);
    CHECK(store->last_change().value() == last);  // no change itself
    for (const std::string& name : {std::string(), std::string(65, 'a'), std::string("a b"), std::string("\xc3\xa4")}) {
      CHECK(refused(store->position(name), errc::invalid_argument, failure_reason::name));
      CHECK(refused(store->remember(name, 0), errc::invalid_argument, failure_reason::name));
    }
    harness.advance(std::chrono::milliseconds(1));
    const call_options late{.deadline = harness.now()};
    CHECK(refused(store->position("one", late), errc::deadline_exceeded, failure_reason::caller_deadline));
    CHECK(refused(store->remember("one", 0, late), errc::deadline_exceeded, failure_reason::caller_deadline));
    CHECK(store->position("one").value() == last);
  }
  SECTION("who watches is told after each change, until he watches no more") {
    counting_watcher one;
    counting_watcher other;
    REQUIRE(store->watch(one));
    REQUIRE(store->watch(other));
    REQUIRE(store->put("a", ""));
    CHECK((one.told == 1 && other.told == 1));
    if (store->capabilities().conditional_put) CHECK(!store->put("a", "", {.if_absent = true}));
    CHECK(one.told == 1);
    store->unwatch(other);
    CHECK(store->erase("a").value());
    CHECK(!store->erase("a").value());
    CHECK((one.told == 2 && other.told == 1));
    store->unwatch(one);
    REQUIRE(store->put("a", ""));
    CHECK(one.told == 2);
  }
  SECTION("changes of several threads are all in the log, those of each key in their order") {
    counting_watcher watcher;
    REQUIRE(store->watch(watcher));
    const auto begun = store->last_change().value();
    std::vector<std::thread> threads;
    for (int who = 0; who < 8; ++who) {
      threads.emplace_back([&, key = std::to_string(who)] {
        for (int i = 0; i < 20; ++i) {
          if (!store->put(key, std::string(static_cast<std::size_t>(i), 'x'))) return;
        }
      });
    }
    for (auto& each : threads) each.join();
    store->unwatch(watcher);
    std::vector<std::uint64_t> next(8, 0);
    const auto all = store->changes(begun, 1'000).value();
    for (const auto& each : all) CHECK(each.info.size == next[static_cast<std::size_t>(each.info.key[0] - '0')]++);
    CHECK(all.size() == 160);
    CHECK((watcher.told >= 1 && watcher.told <= 160));
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::object_store_conformance
