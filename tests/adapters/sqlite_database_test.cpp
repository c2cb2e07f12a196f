// SPDX-License-Identifier: MIT
// What is sqlite_database's own: what SQL may not do to a connection that others use, whose tables are whose, what is
// kept.

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <dormouse/adapters/sqlite.hpp>
#include <dormouse/testing/services/service_harness.hpp>

#include "adapters/sqlite/guest_statements.hpp"
#include "adapters/sqlite/sql_words.hpp"
#include "engines/sqlite/engine.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using namespace dormouse;
using dormouse::testing::refused;

namespace {

constexpr auto denied = errc::permission_denied;
constexpr auto invalid = errc::invalid_argument;

// A file in memory with a table of the user's and one of a service's.
struct fixture {
  std::shared_ptr<sqlite_file> file = open_sqlite_file({}).value();
  std::unique_ptr<database> sql = open_sqlite_database(file).value();

  fixture() {
    as_service("CREATE TABLE dormouse_1_items (id INTEGER PRIMARY KEY, words TEXT)");
    as_service("INSERT INTO dormouse_1_items VALUES (1, 'kept')");
    REQUIRE(sql->execute("CREATE TABLE mine (id INTEGER PRIMARY KEY, words TEXT)"));
    REQUIRE(sql->execute("INSERT INTO mine VALUES (1, 'a')"));
  }
  void as_service(const char* text) {
    REQUIRE(file->opened().write([&](sqlite::connection& on) { return on.execute(text); }, {}));
  }
  // Looks at the connection: there is one, in memory.
  template <class F>
  void on_connection(F&& look) {
    REQUIRE(file->opened().write(
        [&](sqlite::connection& on) -> result<void> {
          look(on);
          return {};
        },
        {}));
  }
  std::string text(const std::string& query) {
    const auto got = sql->query(query).value();
    return got.rows.empty() ? "nothing" : got.rows[0].get<std::string>(0).value();
  }
};

// Refused so wherever SQL goes in, and the file is none the worse for it.
bool refused_everywhere(fixture& at, const std::string& text, errc code) {
  auto open = at.sql->begin().value();
  const bool in_transaction = refused(open.execute(text), code);
  open.roll_back();
  const bool alone = refused(at.sql->execute(text), code) && refused(at.sql->execute_many(text, {{}}), code);
  const bool read = !at.sql->query(text);
  const bool migrated = refused(at.sql->migrate({{1, "step", "SELECT 1; " + text}}), code);
  return in_transaction && alone && read && migrated && at.text("SELECT words FROM dormouse_1_items") == "kept" &&
         at.text("SELECT words FROM mine") == "a" && at.sql->execute("UPDATE mine SET words = 'a'");
}

}  // namespace

TEST_CASE("SQL of users changes nothing on which other users of the connection rely", "[database][sqlite]") {
  fixture at;
  for (const char* each : {"BEGIN",
                           "BEGIN IMMEDIATE",
                           "COMMIT",
                           "END",
                           "ROLLBACK",
                           "SAVEPOINT a",
                           "RELEASE piece",
                           "ROLLBACK TO piece",
                           "ATTACH 'other.db' AS other",
                           "DETACH main",
                           "PRAGMA journal_mode",
                           "PRAGMA journal_mode = DELETE",
                           "PRAGMA synchronous = OFF",
                           "PRAGMA foreign_keys = OFF",
                           "PRAGMA writable_schema = ON",
                           "PRAGMA query_only = ON",
                           "PRAGMA user_version = 5",
                           "PRAGMA application_id(5)",
                           "PRAGMA wal_checkpoint",
                           "PRAGMA defer_foreign_keys = ON",
                           "CREATE TEMP TABLE t (a)",
                           "CREATE TEMPORARY VIEW v AS SELECT 1",
                           "CREATE TABLE temp.t (a)",
                           "CREATE TRIGGER temp.r AFTER INSERT ON main.mine BEGIN SELECT 1; END",
                           "CREATE TEMP TRIGGER r AFTER INSERT ON mine BEGIN SELECT 1; END",
                           "SELECT load_extension('x')"}) {
    INFO(each);
    CHECK(refused_everywhere(at, each, denied));
  }
  CHECK(refused_everywhere(at, "VACUUM", errc::unsupported));
  CHECK(refused_everywhere(at, "/* all */ vacuum INTO 'copy.db'", errc::unsupported));
  CHECK(at.sql->execute("BEGIN").error().detail.find("database::begin()") != std::string::npos);
}

TEST_CASE("a conflict clause does not end the transaction that a statement shares with others", "[database][sqlite]") {
  fixture at;
  for (const char* each : {"INSERT OR ROLLBACK INTO mine VALUES (1, 'b')", "UPDATE OR rollback mine SET id = 1",
                           "CREATE TABLE other (a UNIQUE ON CONFLICT ROLLBACK)",
                           "CREATE TRIGGER r AFTER INSERT ON mine BEGIN SELECT RAISE(ROLLBACK, 'no'); END"}) {
    INFO(each);
    CHECK(refused_everywhere(at, each, denied));
  }
  // Where it is no clause, it is a word like any other.
  CHECK(at.sql->execute("INSERT INTO mine VALUES (2, 'rollback') /* rollback */ -- rollback"));
  CHECK(at.sql->execute("CREATE TABLE other (\"rollback\" TEXT, [ROLLBACK x] TEXT, `rollback y` TEXT)"));
  CHECK(at.sql->query("SELECT 'it''s a rollback', \"rollback\" FROM other"));
}

TEST_CASE("PRAGMAs that only tell are answered", "[database][sqlite]") {
  fixture at;
  CHECK(at.sql->query("PRAGMA table_info(mine)").value().rows.size() == 2);
  CHECK(at.sql->query("SELECT name FROM pragma_table_info('mine')").value().rows.size() == 2);
  CHECK(at.sql->query("PRAGMA foreign_keys").value().rows.at(0).get<bool>(0).value());
  CHECK(at.text("PRAGMA integrity_check") == "ok");
  CHECK(at.sql->query("PRAGMA user_version").value().rows.size() == 1);
}

TEST_CASE("tables of services can be read, and only services write them", "[database][sqlite]") {
  fixture at;
  for (const char* each :
       {"INSERT INTO dormouse_1_items VALUES (2, 'x')", "UPDATE dormouse_1_items SET words = 'x'",
        "DELETE FROM DORMOUSE_1_items", "DROP TABLE \"dormouse_1_items\"", "ALTER TABLE dormouse_1_items ADD COLUMN x",
        "ALTER TABLE [Dormouse_1_items] RENAME TO x", "CREATE INDEX i ON dormouse_1_items (words)",
        "CREATE INDEX dormouse_i ON mine (words)", "CREATE TABLE dormouse_2_items (a)",
        "CREATE VIEW dormouse_v AS SELECT 1", "ALTER TABLE mine RENAME TO Dormouse_2_items",
        "CREATE TRIGGER r AFTER INSERT ON dormouse_1_items BEGIN SELECT 1; END",
        "REPLACE INTO dormouse_1_items VALUES (1, 'x')"}) {
    INFO(each);
    CHECK(refused_everywhere(at, each, denied));
  }
  CHECK(at.sql->execute("CREATE VIEW seen AS SELECT words FROM dormouse_1_items"));
  CHECK(at.text("SELECT words FROM seen") == "kept");
  CHECK(at.sql->execute("INSERT INTO mine SELECT id + 1, words FROM dormouse_1_items"));
  // Of their own, users change what they like.
  CHECK(at.sql->execute("ALTER TABLE mine RENAME TO ours"));
  CHECK(at.sql->execute("ALTER TABLE ours RENAME COLUMN words TO text"));
  CHECK(at.sql->execute("ALTER TABLE ours ADD COLUMN more"));
  CHECK(at.sql->execute("ALTER TABLE ours DROP COLUMN text"));
  CHECK(at.sql->execute("CREATE INDEX i ON ours (more)"));
  CHECK((at.sql->execute("REINDEX i") && at.sql->execute("ANALYZE") && at.sql->execute("DROP INDEX i")));
  CHECK(at.sql->execute("CREATE TABLE copied AS SELECT * FROM dormouse_1_items"));
  CHECK((at.sql->execute("DROP TABLE ours") && at.sql->execute("DROP VIEW seen")));
  // The notes of migrations are for operators to mend.
  REQUIRE(at.sql->migrate({{1, "one", "SELECT 1"}}));
  CHECK(at.sql->execute("DELETE FROM dormouse_migrations").value().rows_changed == 1);
}

TEST_CASE("a trigger is no way around the rules, not even for a statement that was compiled before",
          "[database][sqlite]") {
  fixture at;
  const std::string insert = "INSERT INTO mine (words) VALUES ('x')";
  REQUIRE(at.sql->execute(insert));
  REQUIRE(at.sql->execute("CREATE TRIGGER r AFTER INSERT ON mine BEGIN UPDATE dormouse_1_items SET words = 'x'; END"));
  CHECK(refused(at.sql->execute(insert), denied));
  CHECK(at.text("SELECT words FROM dormouse_1_items") == "kept");
  REQUIRE(at.sql->execute("DROP TRIGGER r"));
  CHECK(at.sql->execute(insert));
}

TEST_CASE("the rules are for users: what services do beside them is neither refused nor compiled anew",
          "[database][sqlite]") {
  fixture at;
  constexpr std::string_view mine = "UPDATE dormouse_1_items SET words = ?";
  const auto change = [&] {
    int compiled_anew = 0;
    at.on_connection([&](sqlite::connection& on) {
      auto prepared = on.prepare(mine);
      REQUIRE(prepared);
      prepared->bind_text(1, "changed");
      CHECK(prepared->run().value() == 1);
      compiled_anew = sqlite3_stmt_status(prepared->handle(), SQLITE_STMTSTATUS_REPREPARE, 0);
    });
    return compiled_anew;
  };
  const int before = change();
  for (int i = 0; i < 10; ++i) REQUIRE(at.sql->query("SELECT " + std::to_string(i)));
  CHECK(!at.sql->execute("BEGIN"));
  CHECK(change() == before);
  CHECK(at.text("SELECT words FROM dormouse_1_items") == "changed");
}

TEST_CASE("a table and SQL of one file stand side by side", "[database][table][sqlite]") {
  const support::temporary_folder folder;
  const auto file = open_sqlite_file({.path = folder / "shop.db"}).value();
  const auto items = open_sqlite_table(file, {.name = "orders"}).value();
  const auto books = open_sqlite_database(file).value();
  REQUIRE(books->execute("CREATE TABLE entries (id INTEGER PRIMARY KEY, amount BIGINT)"));
  std::atomic<int> wrong{0};
  std::vector<std::thread> all;
  for (int who = 0; who < 4; ++who) {
    all.emplace_back([&, who] {
      for (int i = 0; i < 20; ++i) {
        const auto name = std::to_string(who) + "-" + std::to_string(i);
        if (!items->put({.partition = name}, {{"n", i}})) ++wrong;
        if (!books->execute("INSERT INTO entries (amount) VALUES (?)", {i})) ++wrong;
        if (books->execute("INSERT INTO entries VALUES (1, 1)") || books->execute("DELETE FROM dormouse_tables"))
          ++wrong;
        if (!items->get({.partition = name})) ++wrong;
      }
    });
  }
  for (auto& each : all) each.join();
  CHECK(wrong == 0);
  CHECK(books->query("SELECT COUNT(*) FROM entries").value().rows.at(0).get<std::int64_t>(0).value() == 80);
  // Everything that lies in the file beside the user's own is a service's.
  const auto tables = books->query("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
  for (const auto& row : tables.value().rows) {
    const auto name = row.get<std::string>(0).value();
    if (name == "entries") continue;
    INFO(name);
    CHECK(refused(books->execute("DELETE FROM \"" + name + "\""), denied));
  }
  CHECK(tables.value().rows.size() > 1);
  CHECK(items->get({.partition = "3-19"}).value().has_value());
  CHECK(check_sqlite_file(*file));
}

TEST_CASE("the last statements are kept, not all of them, and no long ones", "[database][sqlite]") {
  fixture at;
  const auto kept = [&] {
    std::size_t count = 0;
    at.on_connection([&](sqlite::connection& on) { count = sqlite::guest_statements::of(on).kept(); });
    return count;
  };
  const auto runs = [&](std::string_view text) {
    int count = 0;
    at.on_connection([&](sqlite::connection& on) {
      for (auto* each = sqlite3_next_stmt(on.handle(), nullptr); each != nullptr;
           each = sqlite3_next_stmt(on.handle(), each)) {
        if (sqlite3_sql(each) == text) count = sqlite3_stmt_status(each, SQLITE_STMTSTATUS_RUN, 0);
      }
    });
    return count;
  };
  const std::string often = "SELECT words FROM mine WHERE id = ?";
  const auto before = kept();
  for (int i = 0; i < 10; ++i) REQUIRE(at.sql->query(often, {i}));
  CHECK(kept() == before + 1);
  CHECK(runs(often) == 10);
  for (int i = 0; i < 200; ++i) {
    REQUIRE(at.sql->query("SELECT " + std::to_string(i)));
    if (i % 10 == 0) REQUIRE(at.sql->query(often, {i}));
  }
  CHECK(kept() == sqlite::guest_statements::kept_max);
  CHECK(runs(often) == 30);
  CHECK((runs("SELECT 199") == 1 && runs("SELECT 100") == 0));
  const std::string large = "SELECT '" + std::string(sqlite::guest_statements::kept_text_bytes_max, 'x') + "'";
  REQUIRE(at.sql->query(large));
  CHECK(runs(large) == 0);
  CHECK(at.text("SELECT 100 || ''") == "100");
}

TEST_CASE("a kept statement follows the schema", "[database][sqlite]") {
  fixture at;
  const std::string all = "SELECT * FROM mine";
  CHECK(at.sql->query(all).value().names.size() == 2);
  REQUIRE(at.sql->execute("ALTER TABLE mine ADD COLUMN more TEXT DEFAULT 'm'"));
  const auto got = at.sql->query(all).value();
  REQUIRE(got.names.size() == 3);
  CHECK(got.rows.at(0).get<std::string>("more").value() == "m");
  REQUIRE(at.sql->execute("DROP TABLE mine"));
  CHECK(refused(at.sql->query(all), invalid));
}

TEST_CASE("values have SQLite's types, and what SQLite has no value for is refused", "[database][sqlite]") {
  fixture at;
  const sql_timestamp moment{std::chrono::microseconds{17}};
  const auto got = at.sql->query("SELECT typeof(?), typeof(?), typeof(?), typeof(?), typeof(?), typeof(?), typeof(?)",
                                 {{}, true, 1.0, "t", payload(""), sql_json{"1"}, moment});
  std::string types;
  for (const auto& each : got.value().rows.at(0).values()) types += std::get<std::string>(each) + " ";
  CHECK(types == "null integer real text blob text integer ");
  const double none = std::numeric_limits<double>::quiet_NaN();
  CHECK(refused(at.sql->execute("INSERT INTO mine VALUES (7, ?)", {none}), invalid));
  CHECK(at.sql->query("SELECT ?2, ?1", {1, 2}).value().rows.at(0).get<std::int64_t>(0).value() == 2);
}

TEST_CASE("a sqlite_database says what its file can do", "[database][sqlite]") {
  const support::temporary_folder folder;
  CHECK_THROWS_AS(open_sqlite_database(nullptr), std::invalid_argument);
  const auto in_memory = open_sqlite_database(open_sqlite_file({}).value()).value();
  CHECK((in_memory->capabilities().connections_max == 1 && in_memory->durability() == durability_level::memory));
  const auto in_file = open_sqlite_database(
      open_sqlite_file({.path = folder / "a.db", .durability = durability_level::process, .readers_max = 3}).value());
  CHECK(((*in_file)->capabilities().connections_max == 4 && (*in_file)->durability() == durability_level::process));
  CHECK((*in_file)->dialect() == sql_dialect::sqlite);
}

TEST_CASE("words of SQL end where SQLite's do", "[database][sqlite]") {
  const auto words = [](std::string_view sql) {
    std::vector<std::string> all;
    for (auto word = sqlite::next_word(sql); !word.empty(); word = sqlite::next_word(sql)) all.emplace_back(word);
    return all;
  };
  using texts = std::vector<std::string>;
  CHECK(words(" ;\t\r\n\f -- x\n/* y */;").empty());
  CHECK(words("a+b_1") == texts{"a", "+", "b_1"});
  CHECK(words("x'it''s' \"q \"\"w\" [b ]`c`") == texts{"x", "'it'", "'s'", "\"q \"", "\"w\"", "[b ]", "`c`"});
  CHECK(words("a--b") == texts{"a"});
  CHECK(words("a/*b") == texts{"a"});
  CHECK(words("a-/ b") == texts{"a", "-", "/", "b"});
  CHECK(words("'open") == texts{"'open"});
  CHECK(words("\xc3\xa9t\xc3\xa9 $1") == texts{"\xc3\xa9t\xc3\xa9", "$1"});
}
