// SPDX-License-Identifier: MIT
// Transactions over the services of one SQLite file: all of it or nothing, told when it is committed.

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <dormouse/adapters/memory_table.hpp>
#include <dormouse/adapters/retrying_table.hpp>
#include <dormouse/adapters/sqlite.hpp>
#include <dormouse/adapters/sqlite_messaging.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/service_harness.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::refused;

namespace {

struct counting_watcher final : change_watcher {
  std::atomic<int> told{0};
  void changed() noexcept override { ++told; }
};

struct shop {
  testing::manual_clock time{};
  support::temporary_folder folder{};
  std::shared_ptr<sqlite_file> file =
      open_sqlite_file({.path = folder / "shop.db", .durability = durability_level::process, .time = &time}).value();
  std::unique_ptr<table> orders = open_sqlite_table(file, {.schema = {.change_view = table_change_view::keys}}).value();
  std::unique_ptr<queue> work = open_sqlite_queue(file, {.name = "work"}).value();

  std::unique_ptr<service_transaction> begin() { return begin_sqlite_transaction(file).value(); }
  std::string receipt() { return work->receive().value().at(0).receipt; }
  bool has_order(const char* id) { return orders->get({id, ""}).value().has_value(); }
  queue_counts counts() { return work->counts().value(); }
};

bool has_expired(const result<void>& got) { return !got && got.error().code == errc::expired; }

}  // namespace

TEST_CASE("a put, a send and an ack within a transaction are there when it has committed, not before", "[sqlite]") {
  shop all;
  REQUIRE(all.work->send({.data = "first"}));
  const std::string receipt = all.receipt();
  auto within = all.begin();
  REQUIRE(all.orders->put({"17", ""}, {{"state", "paid"}}, {.within = within.get()}));
  REQUIRE(all.work->send({.data = "second"}, {.within = within.get()}));
  REQUIRE(all.work->ack(receipt, {.within = within.get()}));
  CHECK(!all.has_order("17"));
  CHECK(all.counts().visible == 0);
  CHECK(all.counts().in_flight == 1);
  REQUIRE(within->commit());
  CHECK(all.has_order("17"));
  const auto got = all.work->receive({.count = 10}).value();
  REQUIRE(got.size() == 1);
  CHECK(got.front().data == "second");
  CHECK(has_expired(within->commit()));
}

TEST_CASE("a transaction that is rolled back, or let go, has done nothing to any service", "[sqlite]") {
  shop all;
  REQUIRE(all.work->send({.data = "first"}));
  const std::string receipt = all.receipt();
  for (const bool by_hand : {true, false}) {
    auto within = all.begin();
    REQUIRE(all.orders->put({"17", ""}, {{"state", "paid"}}, {.within = within.get()}));
    REQUIRE(all.work->send({.data = "second", .dedup_id = "2"}, {.within = within.get()}));
    REQUIRE(all.work->ack(receipt, {.within = within.get()}));
    if (by_hand) within->roll_back();
    within.reset();
    CHECK(!all.has_order("17"));
    CHECK(all.counts().in_flight == 1);
    CHECK(all.counts().visible == 0);
  }
  // Bounds and receipts go by what is there.
  REQUIRE(!all.work->send({.data = "second", .dedup_id = "2"}).value().duplicate);
  REQUIRE(all.work->ack(receipt));
  CHECK(all.counts().in_flight == 0);
}

TEST_CASE("what was counted within a transaction that was rolled back does not count", "[sqlite]") {
  shop all;
  const auto narrow = open_sqlite_queue(all.file, {.name = "narrow", .settings = {.messages_max = 2}}).value();
  for (int round = 0; round < 3; ++round) {
    auto within = all.begin();
    REQUIRE(narrow->send({.data = "a"}, {.within = within.get()}));
    REQUIRE(narrow->send({.data = "b"}, {.within = within.get()}));
    CHECK(refused(narrow->send({.data = "c"}, {.within = within.get()}), errc::throttled, failure_reason::queue_depth));
  }
  REQUIRE(narrow->send({.data = "a"}));
  REQUIRE(narrow->send({.data = "b"}));
  CHECK(refused(narrow->send({.data = "c"}), errc::throttled, failure_reason::queue_depth));
}

TEST_CASE("a call that fails within a transaction has done nothing, and leaves the others", "[sqlite]") {
  shop all;
  auto within = all.begin();
  REQUIRE(all.orders->put({"1", ""}, {{"n", 1}}, {.within = within.get()}));
  CHECK(!all.orders->put({"1", ""}, {{"n", 2}}, {.when = {.if_absent = true}, .within = within.get()}));
  CHECK(!all.orders->transact({put_write({"2", ""}, {{"n", 2}}), erase_write({"3", ""}, {.if_exists = true})},
                              {.within = within.get()}));
  CHECK(refused(all.work->ack("nonsense", {.within = within.get()}), errc::invalid_argument, failure_reason::name));
  REQUIRE(all.orders->transact({put_write({"4", ""}, {{"n", 4}})}, {.within = within.get()}));
  REQUIRE(within->commit());
  CHECK(std::get<std::int64_t>(all.orders->get({"1", ""}).value()->item.at("n")) == 1);
  CHECK(!all.has_order("2"));
  CHECK(all.has_order("4"));
}

TEST_CASE("watchers and receivers that wait are told when a transaction has committed", "[sqlite]") {
  shop all;
  counting_watcher of_orders;
  counting_watcher of_work;
  REQUIRE(all.orders->watch(of_orders));
  REQUIRE(all.work->watch(of_work));
  auto waiting = std::async(std::launch::async, [&] { return all.work->receive({.wait = 20s}); });
  {
    auto undone = all.begin();
    REQUIRE(all.orders->put({"1", ""}, {}, {.within = undone.get()}));
    REQUIRE(all.work->send({.data = "a"}, {.within = undone.get()}));
  }
  auto within = all.begin();
  REQUIRE(all.orders->put({"1", ""}, {}, {.within = within.get()}));
  REQUIRE(all.work->send({.data = "b"}, {.within = within.get()}));
  CHECK(of_orders.told == 0);
  CHECK(of_work.told == 0);
  REQUIRE(within->commit());
  CHECK(of_orders.told == 1);
  CHECK(of_work.told == 1);
  const auto got = waiting.get();
  REQUIRE(got);
  REQUIRE(got->size() == 1);
  CHECK(got->front().data == "b");
  all.orders->unwatch(of_orders);
  all.work->unwatch(of_work);
}

TEST_CASE("a transaction that is idle for too long is rolled back by who waits to write", "[sqlite]") {
  shop all;
  auto within = begin_sqlite_transaction(all.file, {.idle_timeout = 1s}).value();
  REQUIRE(all.orders->put({"1", ""}, {}, {.within = within.get()}));
  REQUIRE(all.work->send({.data = "a"}, {.within = within.get()}));
  all.time.advance(2s);
  std::async(std::launch::async, [&] { return all.work->send({.data = "b"}); }).get().value();
  CHECK(refused(all.work->send({.data = "c"}, {.within = within.get()}), errc::expired));
  CHECK(has_expired(within->commit()));
  CHECK(!all.has_order("1"));
  const auto got = all.work->receive({.count = 10}).value();
  REQUIRE(got.size() == 1);
  CHECK(got.front().data == "b");
}

TEST_CASE("a transaction of another file is refused, and so is one where no service takes part", "[sqlite]") {
  shop all;
  shop other;
  auto within = other.begin();
  CHECK(refused(all.orders->put({"1", ""}, {}, {.within = within.get()}), errc::unsupported));
  CHECK(refused(all.work->send({.data = "a"}, {.within = within.get()}), errc::unsupported));
  CHECK(refused(all.work->ack("nonsense", {.within = within.get()}), errc::unsupported));
  memory_table in_memory;
  CHECK(refused(in_memory.put({"1", ""}, {}, {.within = within.get()}), errc::unsupported));
  CHECK(refused(in_memory.transact({put_write({"1", ""}, {})}, {.within = within.get()}), errc::unsupported));
  within->roll_back();
  auto own = all.begin();
  CHECK(refused(all.orders->put({"1", ""}, {}, {.token = "t", .within = own.get()}), errc::invalid_argument));
  CHECK(refused(all.orders->transact({put_write({"1", ""}, {})}, {.token = "t", .within = own.get()}),
                errc::invalid_argument));
}

TEST_CASE("four threads, each with transactions of its own, apply each message once", "[sqlite]") {
  support::temporary_folder folder;
  const auto file = open_sqlite_file({.path = folder / "t.db", .durability = durability_level::process}).value();
  const auto orders = open_sqlite_table(file).value();
  const auto work = open_sqlite_queue(file, {.settings = {.deliveries_max = 1'000}}).value();
  constexpr int count = 100;
  std::vector<std::future<int>> all;
  for (int i = 0; i < 4; ++i) {
    all.push_back(std::async(std::launch::async, [&, i] {
      int failed = 0;
      for (int n = i; n < count; n += 4) failed += work->send({.data = std::to_string(n)}) ? 0 : 1;
      for (int round = 0;; ++round) {
        const auto got = work->receive({.wait = 50ms});
        if (!got || got->empty()) return got ? failed : failed + 1;
        auto within = begin_sqlite_transaction(file);
        if (!within) return failed + 1;
        const queue_send_options part{.within = within->get()};
        const table_key key{std::string(got->front().data.text()), ""};
        failed += orders->update(key, table_update().increment(field("n"), 1), {.within = part.within}) ? 0 : 1;
        const bool undone = round % 5 == 4;
        failed +=
            (undone ? work->nack(got->front().receipt, {}, {}, part) : work->ack(got->front().receipt, part)) ? 0 : 1;
        if (undone) (*within)->roll_back();
        if (undone) failed += work->nack(got->front().receipt) ? 0 : 1;
        if (!undone) failed += (*within)->commit() ? 0 : 1;
      }
    }));
  }
  for (auto& each : all) CHECK(each.get() == 0);
  for (int n = 0; n < count; ++n) {
    const auto order = orders->get({std::to_string(n), ""}).value();
    REQUIRE(order);
    CHECK(std::get<std::int64_t>(order->item.at("n")) == 1);
  }
  const auto left = work->counts().value();
  CHECK(left.visible + left.waiting + left.in_flight + left.dead == 0);
}

TEST_CASE("a retrying table makes no call within a transaction again", "[sqlite]") {
  shop all;
  int waits = 0;
  retrying_table orders(*all.orders, {.attempts_max = 3, .wait = [&](clock::time_point) { return ++waits != 0; }});
  const auto narrow = open_sqlite_queue(all.file, {.name = "narrow", .settings = {.messages_max = 1}}).value();
  auto within = all.begin();
  REQUIRE(orders.put({"1", ""}, {}, {.within = within.get()}));
  REQUIRE(within->commit());
  CHECK(!orders.put({"1", ""}, {}, {.within = within.get()}));
  CHECK(waits == 0);
}

TEST_CASE("an idle timeout outside its bounds is a programming error", "[sqlite]") {
  shop all;
  CHECK_THROWS_AS(begin_sqlite_transaction(all.file, {.idle_timeout = 0ms}), std::invalid_argument);
  CHECK_THROWS_AS(begin_sqlite_transaction(nullptr), std::invalid_argument);
  auto within = all.begin();
  const auto second = std::async(std::launch::async, [&] {
                        return begin_sqlite_transaction(all.file, {.deadline = all.time.now()});
                      }).get();
  CHECK(refused(second, errc::deadline_exceeded, failure_reason::caller_deadline));
}

TEST_CASE("a thread that would wait for its own transaction is refused", "[sqlite]") {
  shop all;
  {
    auto within = all.begin();
    CHECK(refused(all.work->send({.data = "a"}), errc::invalid_argument));
    CHECK(refused(all.orders->put({"1", ""}, {}), errc::invalid_argument));
    CHECK(refused(all.work->receive({.wait = 20s}), errc::invalid_argument));
    CHECK(refused(begin_sqlite_transaction(all.file), errc::invalid_argument));
    CHECK(!all.has_order("1"));
  }
  CHECK(all.work->send({.data = "a"}));
  CHECK(all.begin()->commit());
  CHECK(all.work->receive().value().size() == 1);
}
