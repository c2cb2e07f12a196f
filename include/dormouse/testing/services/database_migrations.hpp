// SPDX-License-Identifier: MIT
#pragma once

// Migrations. Part of database_conformance.hpp.

#include <dormouse/testing/services/database_harness.hpp>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::database_conformance {

inline std::vector<migration> history(std::size_t steps) {
  const std::vector<migration> all{
      {1, "notes", "CREATE TABLE notes (id BIGINT PRIMARY KEY, words TEXT); INSERT INTO notes VALUES (1, 'a;b')"},
      {3, "colour", "ALTER TABLE notes ADD COLUMN colour TEXT; -- the second of two\nUPDATE notes SET colour = 'red'"},
      {4, "more", "INSERT INTO notes VALUES (2, 'it''s', 'blue');"}};
  return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(steps)};
}

inline void check_migrations(const database_harness& harness) {
  const auto in = harness.make_empty();
  SECTION("migrations are done once, those that are new later") {
    CHECK(in->migrate({}).value() == 0);
    CHECK(in->migrate(history(2)).value() == 3);
    CHECK(in->migrate(history(2)).value() == 3);
    CHECK(words(*in, 1) == "a;b");
    CHECK(in->migrate(history(3)).value() == 4);
    CHECK((words(*in, 2) == "it's" && count(*in, "notes") == 2));
    CHECK(count(*in, "dormouse_migrations") == 3);
  }
  SECTION("another history is a conflict, and nothing is done") {
    REQUIRE(in->migrate(history(2)));
    auto changed = history(3);
    changed[0].sql += ' ';
    CHECK(refused(in->migrate(changed), errc::conflict));
    CHECK(refused(in->migrate(history(1)), errc::conflict));
    auto between = history(3);
    between.insert(between.begin() + 1, {2, "late", "CREATE TABLE late (id BIGINT)"});
    CHECK(refused(in->migrate(between), errc::conflict));
    CHECK(count(*in, "notes") == 1);
    CHECK(in->migrate(history(3)).value() == 4);
  }
  SECTION("a step that fails leaves those before it, and nothing of itself") {
    auto broken = history(3);
    broken[1].sql = "CREATE TABLE half (id BIGINT); INSERT INTO notes VALUES (9, 'half'); SELEC";
    const auto failed = in->migrate(broken);
    CHECK(refused(failed, invalid));
    CHECK((!failed && failed.error().detail.find("colour") != std::string::npos));
    CHECK(refused(in->query("SELECT * FROM half"), invalid));
    CHECK((count(*in, "notes") == 1 && count(*in, "dormouse_migrations") == 1));
    broken[1].sql = "INSERT INTO notes VALUES (9, 'x'); INSERT INTO notes VALUES (1, 'again')";
    CHECK(refused(in->migrate(broken), errc::already_exists));
    broken[1].sql = "INSERT INTO notes VALUES (9, ?)";
    CHECK(refused(in->migrate(broken), invalid));
    CHECK(count(*in, "notes") == 1);
    CHECK(in->migrate(history(3)).value() == 4);
  }
  SECTION("a migration does not end its transaction") {
    for (const char* each : {"COMMIT", "ROLLBACK", "INSERT INTO notes VALUES (9, 'x'); COMMIT; SELEC"}) {
      auto broken = history(2);
      broken[1].sql = each;
      CHECK(!in->migrate(broken));
      CHECK((count(*in, "notes") == 1 && count(*in, "dormouse_migrations") == 1));
    }
    CHECK(in->migrate(history(2)).value() == 3);
  }
  SECTION("those who migrate at once do each step once") {
    std::vector<migration> steps{{1, "counter", "CREATE TABLE counter (n BIGINT); INSERT INTO counter VALUES (0)"}};
    for (std::uint32_t i = 2; i <= 10; ++i) steps.push_back({i, "one more", "UPDATE counter SET n = n + 1"});
    std::atomic<int> wrong{0};
    std::vector<std::thread> all;
    for (int who = 0; who < 4; ++who) {
      all.emplace_back([&] {
        const auto done = in->migrate(steps);
        if (!done || *done != 10) ++wrong;
      });
    }
    for (auto& each : all) each.join();
    CHECK(wrong == 0);
    CHECK(only<std::int64_t>(in->query("SELECT n FROM counter")) == 9);
    CHECK(count(*in, "dormouse_migrations") == 10);
  }
}

inline void check_reopening(const database_harness& harness) {
  auto in = harness.make_empty();
  REQUIRE(in->migrate(history(2)));
  REQUIRE(in->execute("INSERT INTO notes VALUES (?, ?, ?)", {5, std::string("kept"), {}}));
  auto open = in->begin().value();
  REQUIRE(open.execute("UPDATE notes SET words = 'committed' WHERE id = 1"));
  REQUIRE(open.commit());
  {
    auto never = in->begin().value();
    REQUIRE(never.execute("DELETE FROM notes"));
  }
  in = harness.reopen(std::move(in));
  REQUIRE(in != nullptr);
  CHECK((words(*in, 1) == "committed" && words(*in, 5) == "kept" && count(*in, "notes") == 2));
  CHECK(in->migrate(history(3)).value() == 4);
  CHECK(count(*in, "notes") == 3);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::database_conformance
