// SPDX-License-Identifier: MIT
#pragma once

// Publishing within a transaction over several services. Part of topic_conformance.hpp.

#include <dormouse/testing/services/topic_harness.hpp>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::topic_conformance {

// Of an engine that no topic has.
class foreign_transaction final : public service_transaction {
 public:
  result<void> commit() override { return {}; }
  void roll_back() noexcept override {}
  [[nodiscard]] const void* engine() const noexcept override { return this; }
};

inline void check_transactions(const topic_harness& harness) {
  const auto store = harness.make_empty();
  const auto all = subscribed(*store, {.name = "all"});
  SECTION("a transaction of another engine, or of a topic that takes no part in any, is refused before any effect") {
    foreign_transaction foreign;
    CHECK(refused(store->publish({.data = "1"}, {.within = &foreign}), errc::unsupported));
    CHECK(refused(store->publish_batch({{.data = "1"}}, {.within = &foreign}), errc::unsupported));
    CHECK(count_of(*all) == 0);
  }
  if (!store->capabilities().shared_transactions) return;
  REQUIRE(harness.begin);
  SECTION("what is published within a transaction is there when it commits") {
    const auto open = harness.begin(*store);
    CHECK(store->publish({.data = "1"}, {.within = open.get()}).value().subscriptions == 1);
    CHECK(store->publish_batch({{.data = "2"}, {.data = "3"}}, {.within = open.get()}).value().size() == 2);
    CHECK(count_of(*all) == 0);
    REQUIRE(open->commit());
    CHECK((take(*all) == texts{"1", "2", "3"}));
  }
  SECTION("and never, when it does not") {
    const auto open = harness.begin(*store);
    REQUIRE(store->publish({.data = "1"}, {.within = open.get()}));
    open->roll_back();
    CHECK(count_of(*all) == 0);
    REQUIRE(store->publish({.data = "2"}));
    CHECK((take(*all) == texts{"2"}));
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::topic_conformance
