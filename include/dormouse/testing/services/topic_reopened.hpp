// SPDX-License-Identifier: MIT
#pragma once

// What is still there when a topic is opened again. Part of topic_conformance.hpp.

#include <dormouse/testing/services/topic_harness.hpp>

#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::topic_conformance {

inline void check_reopened(const topic_harness& harness) {
  if (!harness.reopen) return;
  auto store = harness.make_empty();
  const auto filter = of_type(harness, "t");
  SECTION("subscriptions, filters, settings, orders, messages and dead letters are kept") {
    const subscription_settings some{.name = "some",
                                     .filter = filter,
                                     .queue = {.deliveries_max = 7},
                                     .order_by = subscription_settings::grouping::subject};
    const bool groups = subscribed(*store, {.name = "all"})->capabilities().groups;
    {
      const auto kept = subscribed(*store, groups ? some : subscription_settings{.name = "some", .filter = filter});
      (void)subscribed(*store, {.name = "ended"});
      for (const char* data : {"1", "2", "3"}) REQUIRE(store->publish({.type = "t", .subject = "s", .data = data}));
      REQUIRE(store->publish({.type = "u", .data = "4"}));
      CHECK(store->unsubscribe("ended").value());
      const auto got = kept->receive().value();
      REQUIRE(got.size() == 1);
      REQUIRE(kept->reject(got[0].receipt, "bad"));
    }
    store = harness.reopen(std::move(store));
    const auto told = store->subscriptions().value();
    REQUIRE(told.size() == 2);
    CHECK((told[0].name == "all" && told[0].filter.empty() && told[0].queue == queue_settings{}));
    CHECK((told[1].name == "some" && told[1].filter == filter->text()));
    if (groups) CHECK(told[1].queue.deliveries_max == 7);
    // Without anybody having subscribed again.
    CHECK(published(*store, {.type = "t", .subject = "s", .data = "5"}) == 2);
    CHECK(published(*store, {.type = "u", .data = "6"}) == 1);
    const auto kept = subscribed(*store, groups ? some : subscription_settings{.name = "some", .filter = filter});
    CHECK(kept->counts().value().dead == 1);
    if (groups) CHECK(kept->receive({.count = 10}).value().size() == 1);
    CHECK(kept->counts().value().waiting == (groups ? 2 : 0));
    CHECK((take(*subscribed(*store, {.name = "all"})) == texts{"1", "2", "3", "4", "5", "6"}));
    CHECK(count_of(*subscribed(*store, {.name = "ended"})) == 0);
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::topic_conformance
