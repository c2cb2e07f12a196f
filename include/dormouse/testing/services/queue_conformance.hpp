// SPDX-License-Identifier: MIT
#pragma once

// What every queue promises, as Catch2 sections: call check_queue_conformance() inside a TEST_CASE, for each adapter
// and each decorator. What a queue says it can do must work; what it says it cannot must be refused.
// Include Catch2 (either major version) before this header.

#include <dormouse/testing/services/queue_batches.hpp>
#include <dormouse/testing/services/queue_capacity.hpp>
#include <dormouse/testing/services/queue_dead_letters.hpp>
#include <dormouse/testing/services/queue_deduplication.hpp>
#include <dormouse/testing/services/queue_groups.hpp>
#include <dormouse/testing/services/queue_harness.hpp>
#include <dormouse/testing/services/queue_limits.hpp>
#include <dormouse/testing/services/queue_messages.hpp>
#include <dormouse/testing/services/queue_receipts.hpp>
#include <dormouse/testing/services/queue_reopened.hpp>
#include <dormouse/testing/services/queue_threads.hpp>
#include <dormouse/testing/services/queue_visibility.hpp>
#include <dormouse/testing/services/queue_waiting.hpp>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

inline void check_queue_conformance(const queue_harness& harness) {
  SECTION("messages") { queue_conformance::check_messages(harness); }
  SECTION("limits") { queue_conformance::check_limits(harness); }
  SECTION("visibility") { queue_conformance::check_visibility(harness); }
  SECTION("receipts") { queue_conformance::check_receipts(harness); }
  SECTION("dead letters") { queue_conformance::check_dead_letters(harness); }
  SECTION("groups") { queue_conformance::check_groups(harness); }
  SECTION("deduplication") { queue_conformance::check_deduplication(harness); }
  SECTION("capacity") { queue_conformance::check_capacity(harness); }
  SECTION("batches") { queue_conformance::check_batches(harness); }
  SECTION("waiting") { queue_conformance::check_waiting(harness); }
  SECTION("threads") { queue_conformance::check_threads(harness); }
  SECTION("reopened") { queue_conformance::check_reopened(harness); }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing
