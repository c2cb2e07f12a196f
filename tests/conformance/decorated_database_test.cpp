// SPDX-License-Identifier: MIT
// A decorated database is a database: each decorator, and all of them around each other, pass the suite. And what is
// the decorators' own with SQL: which statements are made again.

#include "support/catch.hpp"

#include <dormouse/adapters/metered_database.hpp>
#include <dormouse/adapters/retrying_database.hpp>
#include <dormouse/adapters/sqlite.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/database_conformance.hpp>
#include <dormouse/testing/services/faulty_database.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace dormouse;
using operation = service_operation;

namespace {

using wrapper = std::function<std::unique_ptr<database>(database&)>;

std::unique_ptr<database> open(const dormouse::clock& time) {
  return open_sqlite_database(open_sqlite_file({.path = {}, .time = &time}).value()).value();
}

// Decorators around a database, the last one outermost, that belong together; calls go to the last one.
class decorated final : public detail::forwarding_database<detail::plain_forwarding> {
 public:
  using owned = std::vector<std::unique_ptr<database>>;
  explicit decorated(owned all) : forwarding_database(*all.back()), all_(std::move(all)) {}
  ~decorated() override {
    while (!all_.empty()) all_.pop_back();
  }

 private:
  owned all_;
};

void conforms(const std::vector<wrapper>& wrappers, testing::manual_clock& time) {
  const auto make = [&] {
    decorated::owned all;
    all.push_back(open(time));
    for (const auto& each : wrappers) all.push_back(each(*all.back()));
    return std::make_unique<decorated>(std::move(all));
  };
  testing::check_database_conformance(
      {.make_empty = make, .now = [&] { return time.now(); }, .advance = [&](auto by) { time.advance(by); }});
}

const wrapper retried = [](database& inner) { return std::make_unique<retrying_database>(inner); };
const wrapper metered = [](database& inner) { return std::make_unique<metered_database>(inner); };

wrapper faulty(testing::service_fault_plan& plan) {
  return [&plan](database& inner) { return std::make_unique<testing::faulty_database>(inner, plan); };
}

// A database with a table of numbers that fails as planned, behind one that tries again.
struct numbers {
  testing::manual_clock time{};
  testing::service_fault_plan plan{time};
  std::unique_ptr<database> inner = open(time);
  testing::faulty_database faulty{*inner, plan};
  retrying_database store{faulty, {.delay_first = {}}};

  numbers() {
    REQUIRE(inner->execute("create table numbers (n integer)"));
    for (int i = 0; i < 3; ++i) REQUIRE(inner->execute("insert into numbers values (?)", {i}));
  }
  std::int64_t count() {
    return inner->query("select count(*) from numbers").value().rows.at(0).get<std::int64_t>(0).value();
  }
};

template <class T>
bool failed(const result<T>& got, errc code, effect_kind effect) {
  return !got && got.error().code == code && got.error().effect == effect;
}

}  // namespace

TEST_CASE("a retrying database conforms", "[adapter][database][retrying]") {
  testing::manual_clock time;
  conforms({retried}, time);
}

TEST_CASE("a metered database conforms", "[adapter][database][metered]") {
  testing::manual_clock time;
  conforms({metered}, time);
}

TEST_CASE("a faulty database whose plan is empty conforms", "[adapter][database][faulty]") {
  testing::manual_clock time;
  testing::service_fault_plan plan(time);
  conforms({faulty(plan)}, time);
}

TEST_CASE("all decorators around a database conform", "[adapter][database][decorators]") {
  testing::manual_clock time;
  testing::service_fault_plan plan(time);
  conforms({faulty(plan), retried, metered}, time);
}

TEST_CASE("a query is made again until a row of it was taken, a statement only when it has changed nothing",
          "[database][retrying]") {
  numbers at;
  at.plan.fail({.of = operation::database_query});
  CHECK(at.store.query("select n from numbers").value().rows.size() == 3);
  at.plan.lose_reply({.of = operation::database_query});  // three rows were taken before
  CHECK(failed(at.store.query("select n from numbers"), errc::unavailable, effect_kind::not_applied));
  at.plan.lose_reply({.of = operation::database_query});
  CHECK(at.store.query("select n from numbers where n > 7").value().rows.empty());
  CHECK(at.store.repeated() == 2);

  at.plan.fail({.of = operation::database_execute});
  CHECK(at.store.execute("insert into numbers values (7)"));
  at.plan.lose_reply({.of = operation::database_execute});
  CHECK(failed(at.store.execute("insert into numbers values (8)"), errc::unavailable, effect_kind::unknown));
  CHECK((at.count() == 5 && at.store.repeated() == 3));
}

TEST_CASE("a transaction's beginning is made again, what is within it never", "[database][retrying]") {
  numbers at;
  at.plan.lose_reply({.of = operation::database_begin});
  auto open = at.store.begin().value();
  CHECK(at.store.repeated() == 1);
  at.plan.fail({.of = operation::transaction_execute});
  CHECK(failed(open.execute("insert into numbers values (7)"), errc::unavailable, effect_kind::not_applied));
  CHECK(!open.commit());
  auto other = at.store.begin().value();
  REQUIRE(other.execute("insert into numbers values (7)"));
  at.plan.lose_reply({.of = operation::transaction_commit});
  CHECK(failed(other.commit(), errc::unavailable, effect_kind::unknown));
  CHECK((at.count() == 4 && at.store.repeated() == 1));

  at.plan.fail({.of = operation::transaction_commit}, {.code = errc::conflict, .effect = effect_kind::not_applied});
  CHECK(retry_transaction(at.store, [](transaction& in) -> result<void> {
    auto done = in.execute("insert into numbers values (8)");
    if (!done) return done.error();
    return {};
  }));
  CHECK((at.count() == 5 && at.plan.unfired().empty()));
}

TEST_CASE("statements are counted, in and out of transactions", "[database][metered]") {
  testing::manual_clock time;
  const auto inner = open(time);
  metered_database store(*inner);
  REQUIRE(store.execute("create table t (n integer unique)"));
  REQUIRE(store.execute("insert into t values (1)"));
  CHECK(!store.execute("insert into t values (1)"));
  auto open = store.begin().value();
  REQUIRE(open.execute("insert into t values (2)"));
  REQUIRE(open.query("select n from t"));
  REQUIRE(open.commit());
  REQUIRE(store.query("select n from t"));
  const auto executed = store.statistics(operation::database_execute);
  CHECK((executed.calls == 3 && executed.failed(errc::already_exists) == 1 && executed.bytes_in == 33 + 2 * 24));
  CHECK(store.statistics(operation::database_query).calls == 1);
  CHECK(store.statistics(operation::database_begin).calls == 1);
  CHECK(store.statistics(operation::transaction_execute).bytes_in == 24);
  CHECK(store.statistics(operation::transaction_query).calls == 1);
  CHECK(store.statistics(operation::transaction_commit).calls == 1);
  CHECK(store.statistics(operation::table_get).calls == 0);
}
