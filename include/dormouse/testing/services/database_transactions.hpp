// SPDX-License-Identifier: MIT
#pragma once

// Transactions, by one thread; where another one has to wait, by two. Part of database_conformance.hpp.

#include <dormouse/testing/eventually.hpp>
#include <dormouse/testing/services/database_harness.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::database_conformance {

inline void check_ends(const database_harness& harness) {
  const auto in = with_notes(harness, 1);
  const std::string change = "UPDATE notes SET words = ? WHERE id = 1";
  SECTION("a commit keeps everything, and what was not committed never happened") {
    auto open = in->begin().value();
    REQUIRE(open.execute(change, {"new"}).value().rows_changed == 1);
    CHECK(only<std::string>(open.query("SELECT words FROM notes")) == "new");
    if (in->capabilities().connections_max > 1) CHECK(words(*in, 1) == "old");
    REQUIRE(open.commit());
    CHECK(words(*in, 1) == "new");
    open = in->begin().value();
    REQUIRE(open.execute(change, {"never"}));
    REQUIRE(open.execute("CREATE TABLE never (id BIGINT)"));
    open.roll_back();
    CHECK(words(*in, 1) == "new");
    CHECK(refused(in->query("SELECT * FROM never"), invalid));
  }
  SECTION("a transaction that is dropped, or moved over, is rolled back") {
    {
      auto dropped = in->begin().value();
      REQUIRE(dropped.execute(change, {"dropped"}));
    }
    auto open = in->begin().value();
    REQUIRE(open.execute("INSERT INTO notes VALUES (2, 'moved')"));
    auto owner = std::move(open);
    CHECK(refused(open.execute(change, {"no"}), errc::expired));
    CHECK(refused(open.commit(), errc::expired));
    REQUIRE(owner.commit());
    owner = in->begin().value();
    REQUIRE(owner.execute(change, {"over"}));
    owner = transaction(std::move(open));
    CHECK((words(*in, 1) == "old" && words(*in, 2) == "moved"));
  }
  SECTION("after its end a transaction is expired") {
    auto open = in->begin().value();
    REQUIRE(open.commit());
    CHECK(refused(open.execute(change, {"no"}), errc::expired));
    CHECK(refused(open.query("SELECT 1"), errc::expired));
    CHECK(refused(open.commit(), errc::expired));
    open = in->begin().value();
    open.roll_back();
    CHECK(refused(open.execute(change, {"no"}), errc::expired));
    CHECK(words(*in, 1) == "old");
  }
  SECTION("statements of a transaction may write and give rows; rows beyond rows_max end it") {
    auto open = in->begin().value();
    CHECK(only<std::int64_t>(open.query("INSERT INTO notes VALUES (?, 'x') RETURNING id + 1", {7})) == 8);
    REQUIRE(open.commit());
    CHECK(words(*in, 7) == "x");
    open = in->begin().value();
    REQUIRE(open.execute(change, {"no"}));
    constexpr auto large = errc::too_large;
    CHECK(refused(open.query("SELECT * FROM notes", {}, {.rows_max = 1}), large, failure_reason::value_bytes));
    CHECK(refused(open.commit(), large, failure_reason::value_bytes));
    CHECK(words(*in, 1) == "old");
  }
  SECTION("a refused statement changes nothing, and the transaction goes on") {
    auto open = in->begin().value();
    REQUIRE(open.execute(change, {"new"}));
    CHECK(refused(open.execute("INSERT INTO notes VALUES (1, 'again')"), errc::already_exists));
    CHECK(refused(open.execute("INSERT INTO notes VALUES (5, 'x'), (1, 'x')"), errc::already_exists));
    CHECK(refused(open.execute("SELEC"), invalid));
    CHECK(refused(open.execute("DELETE FROM notes; DELETE FROM notes"), invalid));
    CHECK(refused(open.query("SELECT 1", {1}), invalid));
    REQUIRE(open.commit());
    CHECK((words(*in, 1) == "new" && count(*in, "notes") == 1));
  }
}

inline void check_levels(const database_harness& harness) {
  const auto in = with_notes(harness);
  const auto can = in->capabilities();
  CHECK(in->begin({.isolation = isolation_level::serializable}));
  for (const auto& [level, declared] : {std::pair(isolation_level::read_committed, can.read_committed),
                                        std::pair(isolation_level::snapshot, can.snapshot)}) {
    auto open = in->begin({.isolation = level});
    CHECK(open.has_value() == declared);
    if (!declared) CHECK(refused(open, errc::unsupported));
    if (open) CHECK((open->execute("INSERT INTO notes VALUES (1, 'x')") && open->commit()));
    REQUIRE(in->execute("DELETE FROM notes"));
  }
  CHECK(can.connections_max >= 1);
}

// Tries to write the first note on a thread of its own, while the clock moves.
inline result<execution> write_meanwhile(const database_harness& harness, database& in, const call_options& options,
                                         std::chrono::milliseconds step) {
  result<execution> done = failure{};
  std::atomic<bool> ended{false};
  std::thread other([&] {
    done = in.execute("UPDATE notes SET words = 'other' WHERE id = 1", {}, options);
    ended = true;
  });
  const bool in_time = eventually(std::chrono::seconds(30), [&] {
    if (!ended) harness.advance(step);
    return ended.load();
  });
  if (!in_time) INFO("the other thread still waits");
  other.join();
  REQUIRE(in_time);
  return done;
}

inline void check_waiting(const database_harness& harness) {
  using namespace std::chrono_literals;
  const auto in = with_notes(harness, 1);
  const std::string change = "UPDATE notes SET words = 'mine' WHERE id = 1";
  SECTION("a transaction that rests too long is rolled back for others, and expired then") {
    auto open = in->begin({.idle_timeout = 1s}).value();
    REQUIRE(open.execute(change));
    CHECK(write_meanwhile(harness, *in, {}, 100ms));
    CHECK(refused(open.execute(change), errc::expired));
    CHECK(refused(open.commit(), errc::expired));
    CHECK(words(*in, 1) == "other");
  }
  SECTION("who waits for a transaction gives up at the deadline, with nothing done") {
    auto open = in->begin({.idle_timeout = 24h}).value();
    REQUIRE(open.execute(change));
    CHECK(late(write_meanwhile(harness, *in, {.deadline = harness.now() + 1s}, 100ms)));
    REQUIRE(open.commit());
    CHECK(words(*in, 1) == "mine");
  }
  SECTION("a transaction ends at its deadline, and leaves nothing") {
    auto open = in->begin({.deadline = harness.now() + 1s}).value();
    REQUIRE(open.execute(change));
    harness.advance(1s);
    CHECK(late(open.execute(change)));
    CHECK(late(open.commit()));
    CHECK(in->execute("UPDATE notes SET words = 'other' WHERE id = 1 AND words = 'old'").value().rows_changed == 1);
  }
  SECTION("a statement that runs too long is ended at the deadline") {
    const std::string endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) ";
    std::atomic<bool> ended{false};
    std::thread time([&] {
      (void)eventually(60s, [&] {
        harness.advance(1ms);
        return ended.load();
      });
    });
    const auto read = in->query(endless + "SELECT COUNT(*) FROM n", {}, {.deadline = harness.now() + 400ms});
    auto open = in->begin({.deadline = harness.now() + 400ms}).value();
    const auto written = open.execute(endless + "INSERT INTO notes SELECT i, 'x' FROM n WHERE i < 0");
    ended = true;
    time.join();
    CHECK((late(read) && late(written)));
    CHECK(late(open.commit()));
    CHECK((words(*in, 1) == "old" && count(*in, "notes") == 1));
    CHECK(in->execute("DELETE FROM notes"));
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::database_conformance
