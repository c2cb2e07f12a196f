// SPDX-License-Identifier: MIT
#pragma once

// What every table promises, as Catch2 sections: call check_table_conformance() inside a TEST_CASE, for each adapter
// and each decorator. What a table says it can do must work; what it says it cannot must be refused.
// Include Catch2 (either major version) before this header.

#include <dormouse/testing/services/table_batches.hpp>
#include <dormouse/testing/services/table_changes.hpp>
#include <dormouse/testing/services/table_changes_kept.hpp>
#include <dormouse/testing/services/table_conditions.hpp>
#include <dormouse/testing/services/table_expiry.hpp>
#include <dormouse/testing/services/table_harness.hpp>
#include <dormouse/testing/services/table_indexes.hpp>
#include <dormouse/testing/services/table_items.hpp>
#include <dormouse/testing/services/table_limits.hpp>
#include <dormouse/testing/services/table_queries.hpp>
#include <dormouse/testing/services/table_reopened.hpp>
#include <dormouse/testing/services/table_scans.hpp>
#include <dormouse/testing/services/table_threads.hpp>
#include <dormouse/testing/services/table_tokens.hpp>
#include <dormouse/testing/services/table_transactions.hpp>
#include <dormouse/testing/services/table_updates.hpp>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

inline void check_table_conformance(const table_harness& harness) {
  SECTION("items") { table_conformance::check_items(harness); }
  SECTION("limits") { table_conformance::check_limits(harness); }
  SECTION("conditions") { table_conformance::check_conditions(harness); }
  SECTION("conditions as filters") { table_conformance::check_filter_limits(harness); }
  SECTION("updates") { table_conformance::check_updates(harness); }
  SECTION("batches") { table_conformance::check_batches(harness); }
  SECTION("transactions") { table_conformance::check_transactions(harness); }
  SECTION("tokens") { table_conformance::check_tokens(harness); }
  SECTION("queries") { table_conformance::check_queries(harness); }
  SECTION("scans") { table_conformance::check_scans(harness); }
  SECTION("indexes") { table_conformance::check_indexes(harness); }
  SECTION("expiry") { table_conformance::check_expiry(harness); }
  SECTION("changes") { table_conformance::check_changes(harness); }
  SECTION("kept changes") { table_conformance::check_kept_changes(harness); }
  SECTION("threads") { table_conformance::check_threads(harness); }
  SECTION("reopened") { table_conformance::check_reopened(harness); }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing
