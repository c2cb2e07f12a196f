// SPDX-License-Identifier: MIT
// What queues of a SQLite file have of their own beside the contract: restarts, damaged rows, no write without need.

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <dormouse/adapters/sqlite_messaging.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/service_harness.hpp>

#include "engines/sqlite/engine.hpp"

#include <sqlite3.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::refused;

namespace {

struct fixture {
  testing::manual_clock time{};
  support::temporary_folder folder{};
  std::filesystem::path path = folder / "q.db";

  std::shared_ptr<sqlite_file> file() {
    return open_sqlite_file({.path = path, .durability = durability_level::process, .time = &time}).value();
  }
  std::unique_ptr<queue> open(const queue_settings& settings = {}) {
    return open_sqlite_queue(file(), {.name = "q", .settings = settings}).value();
  }
  // SQLite without the library: what a disk may do to a file that is closed.
  void damage(const char* sql) const {
    sqlite3* handle = nullptr;
    REQUIRE(sqlite3_open(path.c_str(), &handle) == SQLITE_OK);
    const int code = sqlite3_exec(handle, sql, nullptr, nullptr, nullptr);
    sqlite3_close(handle);
    REQUIRE(code == SQLITE_OK);
  }
};

}  // namespace

TEST_CASE("what was in flight when the process ended is visible at once, and its delivery counts", "[sqlite][queue]") {
  fixture on;
  auto work = on.open({.deliveries_max = 2});
  REQUIRE(work->send({.data = "a"}));
  const auto first = work->receive({.visibility = 1h}).value().at(0);
  work.reset();
  work = on.open({.deliveries_max = 2});
  CHECK(work->counts().value().visible == 1);
  // The receipt of the former process is void, before and after the message is received again.
  CHECK(refused(work->ack(first.receipt), errc::expired, failure_reason::stale_receipt));
  const auto second = work->receive({.visibility = 1h}).value().at(0);
  CHECK(second.deliveries == 2);
  CHECK(second.first_received_at == first.first_received_at);
  CHECK(refused(work->ack(first.receipt), errc::expired, failure_reason::stale_receipt));
  work.reset();
  work = on.open({.deliveries_max = 2});
  CHECK(work->receive().value().empty());
  const auto dead = work->dead_letters().value();
  REQUIRE(dead.letters.size() == 1);
  CHECK(dead.letters.front().reason == dead_letter_reason::deliveries);
}

TEST_CASE("a message is never given the sequence of one that is gone, whatever was opened between", "[sqlite][queue]") {
  fixture on;
  std::uint64_t last = 0;
  for (int round = 0; round < 3; ++round) {
    const auto work = on.open();
    for (int i = 0; i < 2; ++i) {
      const auto sent = work->send({.data = "a"}).value();
      CHECK(sent.sequence > last);
      last = sent.sequence;
    }
    CHECK(work->purge().value() == 2);
  }
}

TEST_CASE("who receives in vain writes nothing", "[sqlite][queue]") {
  fixture on;
  const auto file = on.file();
  const auto work = open_sqlite_queue(file, {.name = "q"}).value();
  REQUIRE(work->receive().value().empty());
  REQUIRE(work->send({.data = "a"}));
  REQUIRE(work->receive({.visibility = 30s}).value().size() == 1);
  REQUIRE(work->receive().value().empty());
  const auto commits = file->opened().commits();
  for (int i = 0; i < 10; ++i) REQUIRE(work->receive().value().empty());
  CHECK(file->opened().commits() == commits);
  on.time.advance(30s);
  CHECK(work->receive().value().size() == 1);
}

TEST_CASE("the calendar may jump while messages are hidden: only the steady clock counts", "[sqlite][queue]") {
  fixture on;
  auto work = on.open();
  REQUIRE(work->send({.data = "a", .delay = 60s}));
  on.time.jump_wall(24h);
  CHECK(work->receive().value().empty());
  on.time.jump_wall(-48h);
  on.time.advance(60s);
  CHECK(work->receive({.visibility = 0ms}).value().size() == 1);
  // Between two processes the calendar counts, but time does not go back.
  work.reset();
  work = on.open();
  CHECK(work->receive().value().size() == 1);
}

TEST_CASE("a damaged message is never delivered: one failure, then it is a dead letter without data",
          "[sqlite][queue]") {
  fixture on;
  auto work = on.open();
  REQUIRE(work->send({.data = "good"}));
  const auto bad = work->send({.data = "bad", .attributes = {{"a", "b"}}}).value();
  REQUIRE(work->send({.data = "good too"}));
  work.reset();
  on.damage("UPDATE dormouse_queue_1_q SET data = x'626164ff' WHERE attributes IS NOT NULL");
  work = on.open();
  const auto good = work->receive({.count = 10}).value();
  REQUIRE(good.size() == 1);
  CHECK(good.front().data == "good");
  const auto failed = work->receive({.count = 10});
  REQUIRE(!failed);
  CHECK(failed.error().code == errc::corruption);
  CHECK(work->receive({.count = 10}).value().at(0).data == "good too");
  const auto dead = work->dead_letters().value().letters;
  REQUIRE(dead.size() == 1);
  CHECK(dead.front().id == bad.id);
  CHECK(dead.front().data.size() == 0);
  CHECK(dead.front().attributes.empty());
  CHECK(!dead.front().error.empty());
}

TEST_CASE("two who open the same queue share it, with the same settings only", "[sqlite][queue]") {
  fixture on;
  const auto file = on.file();
  auto one = open_sqlite_queue(file, {.name = "q"}).value();
  auto two = open_sqlite_queue(file, {.name = "q"}).value();
  CHECK(refused(open_sqlite_queue(file, {.name = "q", .settings = {.deliveries_max = 9}}), errc::invalid_argument));
  REQUIRE(one->send({.data = "a"}));
  const auto got = two->receive().value().at(0);
  REQUIRE(one->ack(got.receipt));
  CHECK(open_sqlite_queue(file, {.name = "other"}).value()->receive().value().empty());
  one.reset();
  two.reset();
  const auto changed = open_sqlite_queue(file, {.name = "q", .settings = {.deliveries_max = 9}});
  REQUIRE(changed);
  CHECK((*changed)->settings().deliveries_max == 9);
}

TEST_CASE("receipts of another queue of the file are none of this one", "[sqlite][queue]") {
  fixture on;
  const auto file = on.file();
  const auto one = open_sqlite_queue(file, {.name = "one"}).value();
  const auto two = open_sqlite_queue(file, {.name = "two"}).value();
  REQUIRE(one->send({.data = "a"}));
  REQUIRE(two->send({.data = "b"}));
  const auto receipt = one->receive().value().at(0).receipt;
  REQUIRE(two->receive().value().size() == 1);
  CHECK(refused(two->ack(receipt), errc::invalid_argument, failure_reason::name));
  CHECK(two->counts().value().in_flight == 1);
}

TEST_CASE("an ack of a message that died and was redriven changes nothing", "[sqlite][queue]") {
  fixture on;
  const auto work = on.open();
  const auto id = work->send({.data = "a"}).value().id;
  const auto receipt = work->receive().value().at(0).receipt;
  REQUIRE(work->reject(receipt, "no"));
  CHECK(refused(work->ack(receipt), errc::expired, failure_reason::stale_receipt));
  REQUIRE(work->redrive(id).value());
  CHECK(refused(work->ack(receipt), errc::expired, failure_reason::stale_receipt));
  const auto again = work->receive().value().at(0);
  CHECK(again.id == id);
  CHECK(again.deliveries == 1);
  REQUIRE(work->ack(again.receipt));
  REQUIRE(work->ack(again.receipt));
}

TEST_CASE("a second process, or opening, is refused the file of a queue", "[sqlite][queue]") {
  fixture on;
  const auto work = on.open();
  CHECK(refused(open_sqlite_file({.path = on.path}), errc::unavailable, failure_reason::owned_elsewhere));
}

TEST_CASE("options of a queue outside their bounds are programming errors", "[sqlite][queue]") {
  fixture on;
  const auto file = on.file();
  CHECK_THROWS_AS(open_sqlite_queue(file, {.name = "a b"}), std::invalid_argument);
  CHECK_THROWS_AS(open_sqlite_queue(file, {.name = "q", .settings = {.deliveries_max = 0}}), std::invalid_argument);
  CHECK_THROWS_AS(open_sqlite_queue(nullptr), std::invalid_argument);
}
