// SPDX-License-Identifier: MIT
#pragma once

// What every topic promises, as Catch2 sections: call check_topic_conformance() inside a TEST_CASE, for each adapter
// and each decorator. What a topic says it can do must work; what it says it cannot must be refused. Its queues are
// checked as far as they belong to the topic; queue_conformance.hpp has the rest.
// Include Catch2 (either major version) before this header.

#include <dormouse/testing/services/topic_events.hpp>
#include <dormouse/testing/services/topic_full_queues.hpp>
#include <dormouse/testing/services/topic_harness.hpp>
#include <dormouse/testing/services/topic_limits.hpp>
#include <dormouse/testing/services/topic_reopened.hpp>
#include <dormouse/testing/services/topic_subscriptions.hpp>
#include <dormouse/testing/services/topic_threads.hpp>
#include <dormouse/testing/services/topic_transactions.hpp>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

inline void check_topic_conformance(const topic_harness& harness) {
  SECTION("events") { topic_conformance::check_events(harness); }
  SECTION("subscriptions") { topic_conformance::check_subscriptions(harness); }
  SECTION("full queues") { topic_conformance::check_full_queues(harness); }
  SECTION("limits") { topic_conformance::check_limits(harness); }
  SECTION("transactions") { topic_conformance::check_transactions(harness); }
  SECTION("reopened") { topic_conformance::check_reopened(harness); }
  SECTION("threads") { topic_conformance::check_threads(harness); }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing
