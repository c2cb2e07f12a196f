// SPDX-License-Identifier: MIT
// Migrations above any adapter: what is done, in which order, what is refused, what happens beside another migrator.

#include "support/catch.hpp"
#include "support/probe_database.hpp"

#include <dormouse/services/database.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/service_harness.hpp>

#include <chrono>
#include <string>
#include <string_view>
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
  texts scripts{};  // in their order

  fixture() {
    how.on_sql = [this](std::string_view sql) {
      if (sql.find("dormouse_migrations") == std::string_view::npos) scripts.emplace_back(sql);
    };
  }
};

const std::vector<migration> two{{1, "first", "one"}, {5, "second", "two"}};
const std::vector<migration> three{{1, "first", "one"}, {5, "second", "two"}, {6, "third", "three"}};

}  // namespace

TEST_CASE("each migration is done once, in its own transaction with its note, in order", "[database][migrate]") {
  fixture at;
  CHECK(at.database.migrate(two).value() == 5);
  const texts one_step{"begin", "execute", "query", "execute", "script", "commit", "end"};
  texts expected = one_step;
  expected.insert(expected.end(), one_step.begin(), one_step.end());
  for (const char* each : {"begin", "execute", "query", "end"}) expected.emplace_back(each);
  CHECK(at.how.calls == expected);
  CHECK(at.scripts == texts{"one", "two"});
  REQUIRE(at.how.notes.size() == 2);
  CHECK(at.how.notes.at(5).at(1) == sql_value("second"));
  CHECK(at.how.notes.at(5).at(3) == sql_value(std::int64_t{1'700'000'000'000'000}));

  CHECK(at.database.migrate(two).value() == 5);
  CHECK(at.scripts.size() == 2);
  CHECK(at.database.migrate(three).value() == 6);
  CHECK(at.scripts == texts{"one", "two", "three"});
  CHECK(fixture{}.database.migrate({}).value() == 0);
}

TEST_CASE("migrations that are none are refused before anything is done", "[database][migrate]") {
  fixture at;
  constexpr auto invalid = errc::invalid_argument;
  CHECK(refused(at.database.migrate({{0, "n", "s"}}), invalid));
  CHECK(refused(at.database.migrate({{2, "n", "s"}, {2, "m", "s"}}), invalid));
  CHECK(refused(at.database.migrate({{2, "n", "s"}, {1, "m", "s"}}), invalid));
  CHECK(refused(at.database.migrate({{1, "", "s"}}), invalid, failure_reason::name));
  CHECK(refused(at.database.migrate({{1, "\xff", "s"}}), invalid, failure_reason::name));
  CHECK(refused(at.database.migrate({{1, std::string(129, 'n'), "s"}}), invalid, failure_reason::name));
  CHECK(refused(at.database.migrate({{1, "n", ""}}), invalid, failure_reason::value_bytes));
  CHECK(at.how.calls.empty());
}

TEST_CASE("a history that differs is a conflict, and nothing is done", "[database][migrate]") {
  fixture at;
  REQUIRE(at.database.migrate(two));
  at.scripts.clear();
  CHECK(refused(at.database.migrate({{1, "first", "one"}, {5, "second", "other"}, {6, "n", "s"}}), errc::conflict));
  CHECK(refused(at.database.migrate({{1, "first", "one"}}), errc::conflict));
  CHECK(refused(at.database.migrate({}), errc::conflict));
  CHECK(refused(at.database.migrate({{1, "first", "one"}, {6, "third", "three"}}), errc::conflict));
  CHECK(refused(at.database.migrate({{1, "first", "one"}, {3, "between", "s"}, {5, "second", "two"}}), errc::conflict));
  CHECK(at.scripts.empty());
  CHECK(at.database.migrate({{1, "renamed", "one"}, {5, "second", "two"}}).value() == 5);  // a name is for people
}

TEST_CASE("a migration that fails is named and leaves no note, those before it stay", "[database][migrate]") {
  fixture at;
  const auto code = GENERATE(errc::invalid_argument, errc::already_exists, errc::limit_exceeded);
  at.how.fail_at(6 + 5, {.code = code, .effect = effect_kind::not_applied, .detail = "no", .native_code = 3});
  const auto failed = at.database.migrate(three);
  REQUIRE(refused(failed, code));
  CHECK((failed.error().detail == "migration 5 (second): no" && failed.error().native_code == 3));
  CHECK((at.how.notes.size() == 1 && at.how.notes.contains(1)));
  CHECK(at.database.migrate(three).value() == 6);
  CHECK(at.scripts == texts{"one", "two", "three"});
}

TEST_CASE("a migrator that another was faster than looks again and does what is left", "[database][migrate]") {
  fixture at;
  // The call that fails: 1 begin, 2 the table of notes, 3 reading it, 4 the note, 5 the step, 6 the commit.
  const int call = GENERATE(1, 2, 3, 4, 5, 6);
  const bool exists = call == 2 || call == 4;
  at.how.fail_at(call, {.code = exists ? errc::already_exists : errc::conflict, .effect = effect_kind::not_applied});
  CHECK(at.database.migrate(two).value() == 5);
  CHECK(at.how.notes.size() == 2);
}

TEST_CASE("a step that another has done meanwhile is not done again", "[database][migrate]") {
  fixture at;
  bool other = false;
  at.how.act = [&](std::string_view what) {
    if (what != "execute" || other || at.how.calls.size() < 4) return;
    other = true;  // between the reading of the notes and the writing of ours
    at.how.notes[1] = {1, "first", "one", 0};
  };
  CHECK(at.database.migrate(two).value() == 5);
  CHECK(at.scripts == texts{"two"});
}

TEST_CASE("a commit of a migration that may have happened is told, not repeated", "[database][migrate]") {
  fixture at;
  at.how.fail_at(6, {.code = errc::conflict, .effect = effect_kind::unknown});
  const auto failed = at.database.migrate(two);
  REQUIRE(!failed);
  CHECK(failed.error().effect == effect_kind::unknown);
  CHECK(at.scripts.size() == 1);
}

TEST_CASE("migrations end at the deadline, lost races do, in the end", "[database][migrate]") {
  fixture at;
  at.how.act = [&](std::string_view what) {
    if (what == "script") at.time.advance(1s);
  };
  CHECK(refused(at.database.migrate(three, {.deadline = at.time.now() + 2s}), errc::deadline_exceeded,
                failure_reason::caller_deadline));
  CHECK(at.how.notes.size() == 2);
  at.how.act = [&](std::string_view what) {
    if (what == "begin") at.how.fail_at(1, {.code = errc::conflict, .effect = effect_kind::not_applied});
  };
  CHECK(refused(at.database.migrate(three), errc::conflict));
}
