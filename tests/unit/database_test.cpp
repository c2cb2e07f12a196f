// SPDX-License-Identifier: MIT
// What is the interface's own: checks before the adapter, containment, what a transaction does after a failure,
// retries. Migrations: migration_test.cpp.

#include "support/catch.hpp"
#include "support/probe_database.hpp"

#include <dormouse/services/database.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/service_harness.hpp>

#include <chrono>
#include <functional>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::refused;
using texts = std::vector<std::string>;

namespace {

struct fixture {
  testing::manual_clock time{};
  support::probe_behaviour how{};
  support::probe_database database{time, how};

  std::optional<dormouse::clock::time_point> past() const { return time.now(); }
};

template <class T>
bool failed(const result<T>& got, errc code, effect_kind effect) {
  return !got && got.error().code == code && got.error().effect == effect;
}

constexpr auto invalid = errc::invalid_argument;
const std::function<bool(sql_row&&)> take_all = [](sql_row&&) { return true; };
const std::function<result<void>(transaction&)> no_work = [](transaction&) -> result<void> { return {}; };

}  // namespace

TEST_CASE("SQL that cannot be any never reaches the adapter", "[database]") {
  fixture at;
  auto open = at.database.begin().value();
  const std::vector<std::string> wrong{"", std::string("a\0b", 3), "\xff",
                                       std::string(database::sql_bytes_max + 1, ' ')};
  for (const auto& sql : wrong) {
    CHECK(!at.database.query(sql));
    CHECK(failed(at.database.query(sql), invalid, effect_kind::not_applied));
    CHECK(failed(at.database.query_each(sql, {}, take_all), invalid, effect_kind::not_applied));
    CHECK(failed(at.database.execute(sql), invalid, effect_kind::not_applied));
    CHECK(failed(at.database.execute_many(sql, {}), invalid, effect_kind::not_applied));
    CHECK(failed(at.database.migrate({{1, "n", sql}}), invalid, effect_kind::not_applied));
    CHECK(failed(open.query(sql), invalid, effect_kind::not_applied));
    CHECK(failed(open.execute(sql), invalid, effect_kind::not_applied));
  }
  CHECK(at.how.calls == texts{"begin"});
  CHECK(at.database.execute(std::string(database::sql_bytes_max, ' ')));
}

TEST_CASE("parameters beyond their bounds never reach the adapter", "[database]") {
  fixture at;
  const sql_parameters many(database::parameters_max + 1);
  const sql_parameters large{1, std::string(database::value_bytes_max + 1, 'x')};
  CHECK(refused(at.database.query("q", many), invalid));
  CHECK(refused(at.database.query_each("q", many, take_all), invalid));
  CHECK(refused(at.database.execute("q", many), invalid));
  CHECK(refused(at.database.execute_many("q", {{1}, many}), invalid));
  constexpr auto bytes = failure_reason::value_bytes;
  CHECK(refused(at.database.query("q", large), errc::too_large, bytes));
  CHECK(refused(at.database.execute("q", {payload(std::get<std::string>(large[1]))}), errc::too_large, bytes));
  CHECK(refused(at.database.execute("q", {sql_json{std::get<std::string>(large[1])}}), errc::too_large, bytes));
  CHECK(refused(at.database.execute_many("q", {{1}, large}), errc::too_large, bytes));
  CHECK(at.how.calls.empty());
  CHECK(at.database.execute("q", sql_parameters(database::parameters_max)));
}

TEST_CASE("options beyond their bounds, and levels that are not declared, never reach the adapter", "[database]") {
  fixture at;
  CHECK(refused(at.database.query("q", {}, {.rows_max = 0}), invalid));
  CHECK(refused(at.database.query("q", {}, {.rows_max = 10'000'001}), invalid));
  CHECK(refused(at.database.query_each("q", {}, {}), invalid));
  CHECK(refused(at.database.begin({.idle_timeout = 0ms}), invalid));
  CHECK(refused(at.database.begin({.idle_timeout = 24h + 1ms}), invalid));
  CHECK(refused(at.database.begin({.isolation = static_cast<isolation_level>(0)}), invalid));
  CHECK(refused(at.database.begin({.isolation = static_cast<isolation_level>(4)}), invalid));
  CHECK(refused(at.database.begin({.isolation = isolation_level::snapshot}), errc::unsupported));
  CHECK(refused(at.database.begin({.isolation = isolation_level::read_committed}), errc::unsupported));
  CHECK(refused(retry_transaction(at.database, {}), invalid));
  CHECK(refused(retry_transaction(at.database, no_work, {.attempts_max = 0}), invalid));
  CHECK(refused(retry_transaction(at.database, no_work, {.attempts_max = 1'001}), invalid));
  CHECK(at.how.calls.empty());
  at.how.capabilities = {.read_committed = true, .snapshot = true};
  CHECK(at.database.begin({.isolation = isolation_level::snapshot}));
  CHECK(at.database.begin({.isolation = isolation_level::read_committed}));
}

TEST_CASE("a call whose deadline has passed does nothing", "[database]") {
  fixture at;
  const auto late = [](const auto& got) {
    return refused(got, errc::deadline_exceeded, failure_reason::caller_deadline);
  };
  CHECK(late(at.database.query("q", {}, {.deadline = at.past()})));
  CHECK(late(at.database.query_each("q", {}, take_all, {.deadline = at.past()})));
  CHECK(late(at.database.execute("q", {}, {.deadline = at.past()})));
  CHECK(late(at.database.execute_many("q", {{}}, {.deadline = at.past()})));
  CHECK(late(at.database.begin({.deadline = at.past()})));
  CHECK(late(at.database.migrate({{1, "n", "s"}}, {.deadline = at.past()})));
  CHECK(late(retry_transaction(at.database, no_work, {.each = {.deadline = at.past()}})));
  CHECK(at.how.calls.empty());
  REQUIRE(at.database.query("q", {}, {.deadline = at.time.now() + 1ns}));
  CHECK(at.how.deadline == at.time.now() + 1ns);  // passed on, for engines that can wait
}

TEST_CASE("nothing an adapter of a database throws leaves the interface", "[database]") {
  fixture at;
  auto open = at.database.begin().value();
  at.how.act = [](std::string_view) { throw std::runtime_error("broken"); };
  const auto broken = [](const auto& got, effect_kind effect) {
    return failed(got, errc::internal, effect) && got.error().detail == "broken";
  };
  CHECK(broken(at.database.query("q"), effect_kind::not_applied));
  CHECK(broken(at.database.query_each("q", {}, take_all), effect_kind::not_applied));
  CHECK(broken(at.database.execute("q"), effect_kind::unknown));
  CHECK(broken(at.database.execute_many("q", {{}}), effect_kind::not_applied));
  CHECK(broken(at.database.begin(), effect_kind::not_applied));
  CHECK(broken(at.database.migrate({{1, "n", "s"}}), effect_kind::unknown));
  CHECK(broken(open.execute("q"), effect_kind::not_applied));
  CHECK(broken(open.commit(), effect_kind::not_applied));  // in the same way
  at.how.act = [](std::string_view what) {
    if (what == "commit") throw std::bad_alloc();
    if (what == "query") throw 1;
  };
  CHECK(failed(at.database.query("q"), errc::internal, effect_kind::not_applied));
  CHECK(failed(at.database.execute_many("q", {{}}), errc::out_of_memory, effect_kind::unknown));
  open = at.database.begin().value();
  CHECK(failed(open.commit(), errc::out_of_memory, effect_kind::unknown));
}

TEST_CASE("rows are taken one by one, until it is enough, and what the taker throws is contained", "[database]") {
  fixture at;
  at.how.rows = {{1}, {2}, {3}};
  int taken = 0;
  const auto two = [&](sql_row&&) { return ++taken < 2; };
  REQUIRE(at.database.query_each("q", {}, two));
  CHECK(taken == 2);
  const auto thrown = at.database.query_each("q", {}, [&](sql_row&&) -> bool {
    ++taken;
    throw std::runtime_error("taker");
  });
  CHECK((failed(thrown, errc::internal, effect_kind::not_applied) && thrown.error().detail == "taker"));
  CHECK(taken == 3);
  CHECK(!at.how.row_threw);  // not through the adapter
}

TEST_CASE("a query keeps rows_max rows and no more", "[database]") {
  fixture at;
  at.how.rows = {{1}, {2}, {3}};
  const auto all = at.database.query("q", {}, {.rows_max = 3}).value();
  CHECK((all.rows.size() == 3 && all.names == texts{"a"}));
  CHECK(all.rows[2].get<std::int64_t>("a").value() == 3);
  CHECK(refused(at.database.query("q", {}, {.rows_max = 2}), errc::too_large, failure_reason::value_bytes));
  auto open = at.database.begin().value();
  CHECK(open.query("q", {}, {.rows_max = 3}).value().rows.size() == 3);
  CHECK(refused(open.query("q", {}, {.rows_max = 2}), errc::too_large, failure_reason::value_bytes));
  CHECK(refused(open.execute("q"), errc::too_large, failure_reason::value_bytes));
  at.how.rows.clear();
  CHECK((at.database.query("q").value().rows.empty() && at.database.query("q").value().names.empty()));
}

TEST_CASE("many sets are one transaction: committed, or rolled back at the first failure", "[database]") {
  fixture at;
  at.how.done = {.rows_changed = 2, .last_id = 7};
  const auto all = at.database.execute_many("q", {{1}, {2}}).value();
  CHECK((all.rows_changed == 4 && all.last_id == 7));
  CHECK(at.how.calls == texts{"begin", "execute", "execute", "commit", "end"});
  at.how.calls.clear();
  CHECK(at.database.execute_many("q", {}).value().rows_changed == 0);
  CHECK(at.how.calls.empty());
  at.how.fail_at(3, {.code = errc::already_exists, .effect = effect_kind::not_applied});
  CHECK(refused(at.database.execute_many("q", {{1}, {2}, {3}}), errc::already_exists));
  CHECK(at.how.calls == texts{"begin", "execute", "execute", "end"});
}

TEST_CASE("many sets end at the deadline, and none of them stays", "[database]") {
  fixture at;
  at.how.act = [&](std::string_view what) {
    if (what == "execute") at.time.advance(1s);
  };
  const auto late = at.database.execute_many("q", {{1}, {2}, {3}}, {.deadline = at.time.now() + 2s});
  CHECK(refused(late, errc::deadline_exceeded, failure_reason::caller_deadline));
  CHECK(at.how.calls == texts{"begin", "execute", "execute", "end"});
}

TEST_CASE("a transaction that is not committed is rolled back, once", "[database]") {
  fixture at;
  { auto dropped = at.database.begin().value(); }
  CHECK(at.how.calls == texts{"begin", "end"});
  at.how.calls.clear();
  {
    auto first = at.database.begin().value();
    auto second = at.database.begin().value();
    first = std::move(second);
    CHECK(at.how.calls == texts{"begin", "begin", "end"});
    CHECK(refused(second.execute("q"), errc::expired));
    CHECK(refused(second.query("q"), errc::expired));
    CHECK(refused(second.commit(), errc::expired));
    second.roll_back();
    REQUIRE(first.commit());
  }
  CHECK(at.how.calls == texts{"begin", "begin", "end", "commit", "end"});
}

TEST_CASE("after its end a transaction is expired", "[database]") {
  fixture at;
  const bool commits = GENERATE(true, false);
  auto open = at.database.begin().value();
  if (commits) {
    REQUIRE(open.commit());
  } else {
    open.roll_back();
  }
  at.how.calls.clear();
  CHECK(refused(open.execute("q"), errc::expired));
  CHECK(refused(open.query("q"), errc::expired));
  CHECK(refused(open.commit(), errc::expired));
  open.roll_back();
  CHECK(at.how.calls.empty());
}

TEST_CASE("a transaction survives a refused statement, and no other failure", "[database]") {
  fixture at;
  const auto code = GENERATE(errc::invalid_argument, errc::already_exists, errc::conflict, errc::unavailable,
                             errc::permission_denied, errc::limit_exceeded);
  const auto effect = GENERATE(effect_kind::not_applied, effect_kind::unknown);
  const bool goes_on = (code == invalid || code == errc::already_exists) && effect == effect_kind::not_applied;
  auto open = at.database.begin().value();
  at.how.fail_at(1, {.code = code, .effect = effect, .detail = "why", .native_code = 5});
  const auto first = open.execute("q");
  CHECK(failed(first, code, effect));
  if (goes_on) {
    CHECK(open.execute("q"));
    CHECK(open.commit());
    return;
  }
  CHECK(at.how.calls == texts{"begin", "execute", "end"});  // rolled back at once: others may wait
  const auto again = open.query("q");
  CHECK((!again && again.error() == first.error() && again.error().native_code == 5));
  CHECK(failed(open.commit(), code, effect));
  open.roll_back();
  CHECK(at.how.calls.size() == 3);
}

TEST_CASE("a commit that failed is the end of its transaction, too", "[database]") {
  fixture at;
  auto open = at.database.begin().value();
  at.how.fail_at(1, {.code = errc::invalid_argument, .effect = effect_kind::not_applied});
  CHECK(refused(open.commit(), invalid));
  CHECK(refused(open.execute("q"), errc::expired));
  CHECK(at.how.calls == texts{"begin", "commit", "end"});
}

TEST_CASE("a transaction's deadline is one for all of it", "[database]") {
  fixture at;
  auto open = at.database.begin({.deadline = at.time.now() + 1s}).value();
  CHECK(at.how.deadline == at.time.now() + 1s);
  REQUIRE(open.execute("q"));
  at.time.advance(1s);
  const auto late = [](const auto& got) {
    return refused(got, errc::deadline_exceeded, failure_reason::caller_deadline);
  };
  CHECK(late(open.query("q")));
  CHECK(at.how.calls == texts{"begin", "execute", "end"});
  CHECK(late(open.commit()));
}

TEST_CASE("a transaction is tried again after a conflict, and after nothing else", "[database]") {
  fixture at;
  int runs = 0;
  const failure conflict{.code = errc::conflict, .effect = effect_kind::not_applied};
  const auto until_third = [&](transaction& open) -> result<void> {
    if (++runs < 3) return conflict;
    auto done = open.execute("q");
    return done ? result<void>{} : result<void>(done.error());
  };
  REQUIRE(retry_transaction(at.database, until_third));
  CHECK(at.how.calls == texts{"begin", "end", "begin", "end", "begin", "execute", "commit", "end"});

  runs = -100;
  CHECK(refused(retry_transaction(at.database, until_third, {.attempts_max = 4}), errc::conflict));
  CHECK(runs == -96);
  runs = 0;
  const auto fails = [&](transaction&) -> result<void> {
    ++runs;
    return failure{.code = errc::throttled, .effect = effect_kind::not_applied};
  };
  CHECK(refused(retry_transaction(at.database, fails), errc::throttled));
  CHECK(failed(retry_transaction(at.database, [&](transaction&) -> result<void> { throw ++runs; }), errc::internal,
               effect_kind::not_applied));
  CHECK(runs == 2);
}

TEST_CASE("a conflict of begin, of a statement whose failure was swallowed, or of commit is retried", "[database]") {
  fixture at;
  at.how.fail_at(GENERATE(1, 2, 3), {.code = errc::conflict, .effect = effect_kind::not_applied});
  const auto work = [](transaction& open) -> result<void> {
    (void)open.execute("q");
    return {};
  };
  REQUIRE(retry_transaction(at.database, work));
  CHECK((at.how.calls.size() >= 5 && at.how.calls[at.how.calls.size() - 2] == "commit"));
}

TEST_CASE("a commit that may have happened is not done again", "[database]") {
  fixture at;
  at.how.fail_at(2, {.code = errc::conflict, .effect = effect_kind::unknown});
  CHECK(failed(retry_transaction(at.database, no_work), errc::conflict, effect_kind::unknown));
  CHECK(at.how.calls == texts{"begin", "commit", "end"});
}

TEST_CASE("retries end at the deadline", "[database]") {
  fixture at;
  int runs = 0;
  const auto slow = [&](transaction&) -> result<void> {
    ++runs;
    at.time.advance(1s);
    return failure{.code = errc::conflict, .effect = effect_kind::not_applied};
  };
  const auto late = retry_transaction(at.database, slow, {.each = {.deadline = at.time.now() + 3s}});
  CHECK(refused(late, errc::deadline_exceeded, failure_reason::caller_deadline));
  CHECK(runs == 3);
}
