// SPDX-License-Identifier: MIT
#pragma once

// What every database promises, as Catch2 sections: call check_database_conformance() inside a TEST_CASE, for each
// adapter and each decorator. What a database says it can do must work; what it says it cannot must be refused. The SQL
// is of the kind that SQLite and PostgreSQL share; for what they spell differently see database_harness.hpp.
// Include Catch2 (either major version) before this header.

#include <dormouse/services/database.hpp>
#include <dormouse/testing/services/database_harness.hpp>
#include <dormouse/testing/services/database_migrations.hpp>
#include <dormouse/testing/services/database_statements.hpp>
#include <dormouse/testing/services/database_threads.hpp>
#include <dormouse/testing/services/database_transactions.hpp>
#include <dormouse/testing/services/database_values.hpp>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

inline void check_database_conformance(const database_harness& harness) {
  namespace suite = database_conformance;
  SECTION("values") { suite::check_values(harness); }
  SECTION("statements") { suite::check_execution(harness); }
  SECTION("rows") { suite::check_rows(harness); }
  SECTION("constraints have codes, and the violated one a name") { suite::check_constraints(harness); }
  SECTION("deferred constraints are checked by the commit") { suite::check_deferred_constraints(harness); }
  SECTION("transactions") { suite::check_ends(harness); }
  SECTION("levels that are declared can be had, others are refused") { suite::check_levels(harness); }
  SECTION("waiting") { suite::check_waiting(harness); }
  SECTION("migrations") { suite::check_migrations(harness); }
  SECTION("threads") { suite::check_threads(harness); }
  if (harness.reopen) {
    SECTION("what was committed is there when it is opened again") { suite::check_reopening(harness); }
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing
