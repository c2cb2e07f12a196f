// SPDX-License-Identifier: MIT
#pragma once

// Several threads at one database. Part of database_conformance.hpp. Assertions are for the test's own thread.

#include <dormouse/testing/services/database_harness.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::database_conformance {

inline void on_threads(int threads, const std::function<void(int who)>& work) {
  std::vector<std::thread> all;
  for (int who = 0; who < threads; ++who) all.emplace_back(work, who);
  for (auto& each : all) each.join();
}

inline result<std::int64_t> read_number(transaction& open, const std::string& sql) {
  auto rows = open.query(sql);
  if (!rows) return std::move(rows).error();
  return rows->rows.at(0).get<std::int64_t>(0);
}

inline result<void> run(transaction& open, const std::string& sql, const sql_parameters& values) {
  auto done = open.execute(sql, values);
  return done ? result<void>{} : result<void>(std::move(done).error());
}

inline void check_threads(const database_harness& harness) {
  const auto in = harness.make_empty();
  REQUIRE(in->execute("CREATE TABLE accounts (id BIGINT PRIMARY KEY, amount BIGINT NOT NULL)"));
  REQUIRE(in->execute("INSERT INTO accounts VALUES (1, 0), (2, 0)"));
  std::atomic<int> wrong{0};
  SECTION("no update is lost between reading and writing") {
    on_threads(8, [&](int) {
      const auto add = [](transaction& open) -> result<void> {
        const auto amount = read_number(open, "SELECT amount FROM accounts WHERE id = 1");
        if (!amount) return amount.error();
        return run(open, "UPDATE accounts SET amount = ? WHERE id = 1", {*amount + 1});
      };
      for (int i = 0; i < 15; ++i) {
        if (!retry_transaction(*in, add, {.attempts_max = 1'000})) ++wrong;
      }
    });
    CHECK(wrong == 0);
    CHECK(only<std::int64_t>(in->query("SELECT amount FROM accounts WHERE id = 1")) == 120);
  }
  SECTION("what two transactions have read together, neither writes upon alone") {
    REQUIRE(in->execute("UPDATE accounts SET amount = 10"));
    on_threads(4, [&](int who) {
      const sql_parameters mine{1 + who % 2};
      const auto take = [&](transaction& open) -> result<void> {
        const auto all = read_number(open, "SELECT CAST(SUM(amount) AS BIGINT) FROM accounts");
        if (!all) return all.error();
        return *all < 1 ? result<void>{} : run(open, "UPDATE accounts SET amount = amount - 1 WHERE id = ?", mine);
      };
      for (int i = 0; i < 15; ++i) {
        if (!retry_transaction(*in, take, {.attempts_max = 1'000})) ++wrong;
      }
    });
    CHECK(wrong == 0);
    CHECK(only<std::int64_t>(in->query("SELECT CAST(SUM(amount) AS BIGINT) FROM accounts")) == 0);
  }
  SECTION("single statements of several threads all take effect, and readers see whole transactions") {
    on_threads(8, [&](int who) {
      const std::string both = "UPDATE accounts SET amount = amount + 1";
      for (int i = 0; i < 15; ++i) {
        const std::int64_t id = 100 + who * 100 + i;
        if (!in->execute("INSERT INTO accounts VALUES (?, 0)", {id})) ++wrong;
        if (in->execute("INSERT INTO accounts VALUES (?, 0)", {id})) ++wrong;
        if (!in->execute(both + " WHERE id < 3")) ++wrong;
        const auto seen = in->query("SELECT amount FROM accounts WHERE id < 3");
        if (!seen || seen->rows.size() != 2 || !(seen->rows[0].values() == seen->rows[1].values())) ++wrong;
      }
    });
    CHECK(wrong == 0);
    CHECK(only<std::int64_t>(in->query("SELECT MAX(amount) FROM accounts")) == 120);
    CHECK(count(*in, "accounts") == 122);
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::database_conformance
