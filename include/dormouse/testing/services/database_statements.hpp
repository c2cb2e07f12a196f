// SPDX-License-Identifier: MIT
#pragma once

// Single statements: what they return, what is refused, what constraints are called. Part of database_conformance.hpp.

#include <dormouse/testing/services/database_harness.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::database_conformance {

inline void check_execution(const database_harness& harness) {
  const auto in = with_notes(harness, 3);
  SECTION("execute() says how many rows it changed, and the last key if the engine gives one") {
    CHECK(in->execute("UPDATE notes SET words = ? WHERE id > 1", {"new"}).value().rows_changed == 2);
    CHECK(in->execute("UPDATE notes SET words = ? WHERE id > 9", {"new"}).value().rows_changed == 0);
    CHECK(in->execute("DELETE FROM notes").value().rows_changed == 3);
    CHECK(in->execute("INSERT INTO notes VALUES (1, 'a'), (2, 'b')").value().rows_changed == 2);
    CHECK(in->execute("CREATE TABLE other (id BIGINT)").value().rows_changed == 0);
    if (in->dialect() != sql_dialect::sqlite) return;
    REQUIRE(in->execute("CREATE TABLE keyed (id INTEGER PRIMARY KEY, words TEXT)"));
    CHECK(in->execute("INSERT INTO keyed (words) VALUES ('a')").value().last_id == 1);
    CHECK(in->execute("INSERT INTO keyed (id, words) VALUES (41, 'b'), (NULL, 'c')").value().last_id == 42);
    CHECK(in->execute("UPDATE keyed SET words = ''").value().last_id == 0);
  }
  SECTION("what is no single statement of SQL is refused, and changes nothing") {
    const std::vector<std::string> wrong{"SELEC 1",
                                         "SELECT id FROM nowhere",
                                         "SELECT nothing FROM notes",
                                         " ",
                                         "-- none",
                                         "/* none */ ;",
                                         "DELETE FROM notes; DELETE FROM notes",
                                         "DELETE FROM notes; x",
                                         "DELETE FROM notes WHERE",
                                         "'"};
    for (const auto& each : wrong) {
      CHECK(refused(in->execute(each), invalid));
      CHECK(refused(in->query(each), invalid));
      CHECK(refused(in->execute_many(each, {{}}), invalid));
    }
    CHECK(count(*in, "notes") == 3);
    CHECK(in->execute("DELETE FROM notes WHERE id = 1; -- and no more\n ;"));
    CHECK(in->query("SELECT 1;").value().rows.size() == 1);
  }
  SECTION("parameters are as many as the SQL has") {
    const std::string sql = "INSERT INTO notes VALUES (?, ?)";
    for (const sql_parameters& each : {sql_parameters{}, sql_parameters{4}, sql_parameters{4, "x", 5}}) {
      CHECK(refused(in->execute(sql, each), invalid));
      CHECK(refused(in->execute_many(sql, {{4, "x"}, each}), invalid));
    }
    CHECK(refused(in->query("SELECT 1", {1}), invalid));
    CHECK(count(*in, "notes") == 3);
  }
  SECTION("SQL ends or begins no transaction") {
    auto open = in->begin().value();
    for (const char* each : {"BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT a"}) {
      CHECK(!open.execute(each));
      open.roll_back();
      CHECK(!in->execute(each));
      CHECK(!in->query(each));
      open = in->begin().value();
    }
    open.roll_back();
    CHECK(in->execute("DELETE FROM notes"));
  }
  SECTION("many sets take effect together, or not at all") {
    const std::string sql = "INSERT INTO notes VALUES (?, ?)";
    CHECK(in->execute_many(sql, {{4, "d"}, {5, "e"}}).value().rows_changed == 2);
    CHECK(words(*in, 5) == "e");
    CHECK(refused(in->execute_many(sql, {{6, "f"}, {7, "g"}, {5, "again"}}), errc::already_exists));
    CHECK(count(*in, "notes") == 5);
    CHECK(in->execute_many(sql, {}).value().rows_changed == 0);
    std::vector<sql_parameters> many;
    for (int i = 0; i < 1'000; ++i) many.push_back({1'000 + i, "many"});
    CHECK(in->execute_many(sql, many).value().rows_changed == 1'000);
    CHECK(count(*in, "notes") == 1'005);
  }
}

inline void check_rows(const database_harness& harness) {
  const auto in = with_notes(harness, 5);
  const std::string sql = "SELECT id, words AS what FROM notes ORDER BY id";
  SECTION("query() only reads") {
    for (const char* each :
         {"INSERT INTO notes VALUES (9, 'x')", "UPDATE notes SET words = 'x'", "DELETE FROM notes",
          "CREATE TABLE other (id BIGINT)", "DROP TABLE notes", "INSERT INTO notes VALUES (9, 'x') RETURNING id"}) {
      CHECK(refused(in->query(each), invalid));
    }
    CHECK(count(*in, "notes") == 5);
    CHECK(words(*in, 1) == "old");
    CHECK(in->execute("CREATE TABLE other (id BIGINT)"));
  }
  SECTION("rows come in their order, with their names") {
    const auto got = in->query(sql).value();
    CHECK(got.names == std::vector<std::string>{"id", "what"});
    REQUIRE(got.rows.size() == 5);
    for (std::size_t i = 0; i < 5; ++i) {
      const auto [id, what] = got.rows[i].as<std::int64_t, std::string>().value();
      CHECK((id == static_cast<std::int64_t>(i) + 1 && what == "old"));
      CHECK(got.rows[i].get<std::string>("what").value() == "old");
    }
    CHECK(in->query("SELECT id FROM notes WHERE id > ?", {9}).value().rows.empty());
  }
  SECTION("rows beyond rows_max are too many") {
    CHECK(in->query(sql, {}, {.rows_max = 5}).value().rows.size() == 5);
    CHECK(refused(in->query(sql, {}, {.rows_max = 4}), errc::too_large, failure_reason::value_bytes));
  }
  SECTION("rows are taken one by one, until it is enough or the taker throws") {
    std::int64_t taken = 0;
    const auto three = [&](sql_row&& row) { return (taken = row.get<std::int64_t>("id").value()) < 3; };
    REQUIRE(in->query_each(sql, {}, three));
    CHECK(taken == 3);
    const auto thrown = in->query_each(sql, {}, [](sql_row&&) -> bool { throw std::runtime_error("taker"); });
    CHECK((refused(thrown, errc::internal) && thrown.error().detail == "taker"));
    CHECK(in->query(sql).value().rows.size() == 5);
    CHECK(in->execute("DELETE FROM notes").value().rows_changed == 5);
  }
  SECTION("a call whose deadline has passed does nothing") {
    const auto past = harness.now();
    CHECK(late(in->query(sql, {}, {.deadline = past})));
    CHECK(late(in->query_each(sql, {}, [](sql_row&&) { return true; }, {.deadline = past})));
    CHECK(late(in->execute("DELETE FROM notes", {}, {.deadline = past})));
    CHECK(late(in->execute_many("DELETE FROM notes", {{}}, {.deadline = past})));
    CHECK(late(in->begin({.deadline = past})));
    CHECK(count(*in, "notes") == 5);
    const auto later = harness.now() + std::chrono::hours(1);
    CHECK(in->query(sql, {}, {.deadline = later}).value().rows.size() == 5);
    CHECK(in->execute("DELETE FROM notes", {}, {.deadline = later}).value().rows_changed == 5);
  }
}

// A constraint's name is the engine's, made of the table's and the column's.
inline void check_constraints(const database_harness& harness) {
  const auto in = harness.make_empty();
  REQUIRE(
      in->execute("CREATE TABLE people (id BIGINT PRIMARY KEY, email TEXT UNIQUE, age BIGINT NOT NULL "
                  "CHECK (age >= 0), boss BIGINT REFERENCES people (id))"));
  const std::string sql = "INSERT INTO people VALUES (?, ?, ?, ?)";
  REQUIRE(in->execute(sql, {1, "ann", 30, {}}));
  REQUIRE(in->execute(sql, {2, "bob", 40, 1}));
  const auto twice = in->execute(sql, {3, "ann", 50, {}});
  CHECK(refused(twice, errc::already_exists));
  CHECK((!twice && twice.error().detail.find("email") != std::string::npos));
  CHECK(refused(in->execute(sql, {1, "eve", 50, {}}), errc::already_exists));
  CHECK(refused(in->execute(sql, {3, "eve", {}, {}}), invalid));
  CHECK(refused(in->execute(sql, {3, "eve", -1, {}}), invalid));
  CHECK(refused(in->execute(sql, {3, "eve", 50, 9}), invalid));
  CHECK(refused(in->execute("DELETE FROM people WHERE id = 1"), invalid));
  CHECK(refused(in->execute("UPDATE people SET email = 'ann'"), errc::already_exists));
  CHECK(
      refused(in->execute("INSERT INTO people VALUES (3, 'eve', 1, NULL), (4, 'ann', 1, NULL)"), errc::already_exists));
  CHECK(count(*in, "people") == 2);
  CHECK(only<std::int64_t>(in->query("SELECT COUNT(DISTINCT email) FROM people")) == 2);
}

// Checked at the end of the transaction: also of the one that a single statement is.
inline void check_deferred_constraints(const database_harness& harness) {
  const auto in = harness.make_empty();
  REQUIRE(
      in->execute("CREATE TABLE parts (id BIGINT PRIMARY KEY, of BIGINT REFERENCES parts (id) "
                  "DEFERRABLE INITIALLY DEFERRED)"));
  CHECK(refused(in->execute("INSERT INTO parts VALUES (1, 2)"), invalid));
  auto open = in->begin().value();
  REQUIRE(open.execute("INSERT INTO parts VALUES (1, 2)"));
  CHECK(refused(open.commit(), invalid));
  CHECK(refused(open.commit(), errc::expired));
  CHECK(count(*in, "parts") == 0);
  open = in->begin().value();
  REQUIRE(open.execute("INSERT INTO parts VALUES (1, 2)"));
  REQUIRE(open.execute("INSERT INTO parts VALUES (2, NULL)"));
  CHECK(open.commit());
  CHECK(count(*in, "parts") == 2);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::database_conformance
