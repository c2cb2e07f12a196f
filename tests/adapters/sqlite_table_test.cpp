// SPDX-License-Identifier: MIT
// What tables of a SQLite file have of their own beside the contract: restarts, schemas that change, damaged files.

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <dormouse/adapters/sqlite.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/service_harness.hpp>

#include "engines/sqlite/engine.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::refused;

namespace {

const table_index by_state{.name = "by_state", .partition_field = "state", .sort_field = "due"};
const table_index by_owner{.name = "by_owner", .partition_field = "owner"};

table_item order(const char* state, std::int64_t due, const char* owner = "ann") {
  return {{"state", state}, {"due", due}, {"owner", owner}};
}

// SQLite without the library: what a disk, or another program, may do to a file that is closed.
class raw_file {
 public:
  explicit raw_file(const std::filesystem::path& path) { REQUIRE(sqlite3_open(path.c_str(), &handle_) == SQLITE_OK); }
  raw_file(const raw_file&) = delete;
  raw_file& operator=(const raw_file&) = delete;
  ~raw_file() { sqlite3_close(handle_); }
  void run(const std::string& sql) {
    char* error = nullptr;
    const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, &error);
    INFO(sql << ": " << (error != nullptr ? error : ""));
    REQUIRE(code == SQLITE_OK);
  }
  std::int64_t number(const std::string& sql) {
    sqlite3_stmt* prepared = nullptr;
    REQUIRE(sqlite3_prepare_v2(handle_, sql.c_str(), -1, &prepared, nullptr) == SQLITE_OK);
    REQUIRE(sqlite3_step(prepared) == SQLITE_ROW);
    const std::int64_t found = sqlite3_column_int64(prepared, 0);
    sqlite3_finalize(prepared);
    return found;
  }

 private:
  sqlite3* handle_ = nullptr;
};

struct fixture {
  testing::manual_clock time{};
  support::temporary_folder folder{};
  std::filesystem::path path = folder / "t.db";

  std::shared_ptr<sqlite_file> file() {
    return open_sqlite_file({.path = path, .durability = durability_level::process, .time = &time}).value();
  }
  std::unique_ptr<table> open(const table_schema& schema = {}) {
    return open_sqlite_table(file(), {.schema = schema}).value();
  }
};

std::vector<std::string> found_in(table& store, const char* index, const char* partition) {
  std::vector<std::string> sorts;
  const auto page = store.query({.partition = partition, .index = index}).value();
  for (const auto& each : page.entries) sorts.push_back(each.key.sort);
  return sorts;
}

template <class T>
bool is_corrupt(const result<T>& got) {
  return refused(got, errc::corruption);
}

using texts = std::vector<std::string>;

struct counting final : change_watcher {
  std::atomic<int> count{0};
  void changed() noexcept override { ++count; }
};

}  // namespace

// ---- several tables -------------------------------------------------------------------------------------------------

TEST_CASE("tables of one file share nothing but the file, whatever their names", "[sqlite][table]") {
  fixture at;
  {
    const auto file = at.file();
    const table_schema logged{.change_view = table_change_view::keys};
    std::vector<std::unique_ptr<table>> stores;
    for (const char* name : {"orders", "Orders", "orders_log", "1-a", "_"}) {
      stores.push_back(open_sqlite_table(file, {.name = name, .schema = logged}).value());
    }
    for (std::size_t i = 0; i < stores.size(); ++i) {
      REQUIRE(stores[i]->put({"p", "s"}, {{"of", static_cast<std::int64_t>(i)}}, {.token = "same"}));
      REQUIRE(stores[i]->remember("reader", i));
    }
    for (std::size_t i = 0; i < stores.size(); ++i) {
      CHECK((stores[i]->get({"p", "s"}).value()->item.at("of") == attribute(static_cast<std::int64_t>(i))));
      CHECK(stores[i]->last_change().value() == 1);
      CHECK(stores[i]->position("reader").value() == i);
    }
    REQUIRE(stores[0]->erase({"p", "s"}));
    CHECK(stores[1]->get({"p", "s"}).value());
  }
  CHECK(check_sqlite_file(*at.file()));
}

TEST_CASE("who opens a table twice has the same one, with the same schema", "[sqlite][table]") {
  fixture at;
  const auto file = at.file();
  const table_schema logged{.change_view = table_change_view::keys};
  auto first = open_sqlite_table(file, {.schema = logged}).value();
  auto second = open_sqlite_table(file, {.schema = logged}).value();
  counting watcher;
  REQUIRE(first->watch(watcher));
  const auto version = second->put({"p", "s"}, {}).value();
  CHECK(first->get({"p", "s"}).value()->version == version);
  CHECK(watcher.count == 1);
  CHECK(first->put({"p", "s"}, {}).value() > version);

  table_schema other = logged;
  other.indexes = {by_state};
  CHECK(refused(open_sqlite_table(file, {.schema = other}), errc::invalid_argument));
  first->unwatch(watcher);
  first.reset();
  CHECK(refused(open_sqlite_table(file, {.schema = other}), errc::invalid_argument));
  second.reset();
  CHECK(open_sqlite_table(file, {.schema = other}).value()->capabilities().indexes.size() == 1);
}

TEST_CASE("a table that is opened again and again in an open file does not grow it", "[sqlite][table]") {
  fixture at;
  const auto file = at.file();
  for (int i = 0; i < 200; ++i) {
    const auto store = open_sqlite_table(file, {}).value();
    REQUIRE(store->put({"p", "s"}, {{"n", i}}));
    CHECK((store->get({"p", "s"}).value()->item.at("n") == attribute(i)));
  }
  CHECK(file->shared().kept.size() == 1);
}

TEST_CASE("options of a table outside their bounds are refused at once", "[sqlite][table]") {
  const auto file = open_sqlite_file({}).value();
  for (const std::string& name : {std::string(), std::string("a b"), std::string("a\"b"), std::string(65, 'a')}) {
    CHECK_THROWS_AS(open_sqlite_table(file, {.name = name}), std::invalid_argument);
  }
  CHECK_THROWS_AS(open_sqlite_table(file, {.schema = {.changes_max = 0}}), std::invalid_argument);
  CHECK_THROWS_AS(open_sqlite_table(nullptr), std::invalid_argument);
  CHECK(open_sqlite_table(file, {.name = std::string(64, 'a')}));
}

// ---- restarts -------------------------------------------------------------------------------------------------------

TEST_CASE("versions and numbers of changes go on after a restart", "[sqlite][table]") {
  fixture at;
  const table_schema logged{.change_view = table_change_view::keys, .changes_age = 1s};
  table_version last = 0;
  for (std::uint64_t round = 1; round <= 3; ++round) {
    const auto store = at.open(logged);
    CHECK(store->last_change().value() == 40 * (round - 1));
    for (int i = 0; i < 40; ++i) {
      const auto version = store->put({"p", "s"}, {}).value();
      CHECK(version > last);
      last = version;
    }
    // All changes have become too old, but for the number of the last one.
    at.time.advance(2s);
    CHECK(refused(store->changes(40 * round - 1), errc::expired));
    CHECK(store->changes(40 * round).value().empty());
  }
}

TEST_CASE("what was kept for ten minutes is kept over a restart, and no longer", "[sqlite][table]") {
  fixture at;
  const table_key key{"p", "s"};
  const auto first = at.open()->put(key, {}, {.token = "once"}).value();
  at.time.advance(10min - 1ms);
  CHECK(at.open()->put(key, {}, {.token = "once"}).value() == first);
  CHECK(refused(at.open()->put(key, {{"other", true}}, {.token = "once"}), errc::invalid_argument));
  at.time.advance(1ms);
  CHECK(at.open()->put(key, {}, {.token = "once"}).value() != first);
}

TEST_CASE("answers to tokens that are too old leave the file", "[sqlite][table]") {
  fixture at;
  {
    const auto store = at.open();
    for (int i = 0; i < 10; ++i) REQUIRE(store->put({"p", "s"}, {}, {.token = std::to_string(i)}));
    at.time.advance(11min);
    for (int i = 10; i < 13; ++i) REQUIRE(store->put({"p", "s"}, {}, {.token = std::to_string(i)}));
  }
  CHECK(raw_file(at.path).number("SELECT count(*) FROM dormouse_tokens") == 3);
}

TEST_CASE("items expire while the file is closed, and writes take them away", "[sqlite][table]") {
  fixture at;
  const auto soon = at.time.wall() + 10s;
  {
    const auto store = at.open();
    for (int i = 0; i < 10; ++i) REQUIRE(store->put({"p", std::to_string(i)}, {}, {.expires_at = soon}));
    REQUIRE(store->put({"p", "stays"}, {}));
  }
  at.time.advance(10s);
  {
    const auto store = at.open();
    CHECK_FALSE(store->get({"p", "0"}).value());
    CHECK(store->scan().value().examined == 1);
    for (int i = 0; i < 3; ++i) REQUIRE(store->put({"q", "s"}, {}));
  }
  CHECK(raw_file(at.path).number("SELECT count(*) FROM dormouse_1_items") == 10 + 2 - 3 * 2);
  {
    const auto store = at.open();
    CHECK_FALSE(store->remove_expired().value());
  }
  CHECK(raw_file(at.path).number("SELECT count(*) FROM dormouse_1_items") == 2);
}

// ---- schemas that change --------------------------------------------------------------------------------------------

TEST_CASE("indexes that are new are built, those that are gone dropped", "[sqlite][table]") {
  fixture at;
  const auto fill = [](table& store) {
    REQUIRE(store.put({"p", "1"}, order("open", 20)));
    REQUIRE(store.put({"p", "2"}, order("open", 10, "bob")));
    REQUIRE(store.put({"p", "3"}, order("paid", 5)));
    REQUIRE(store.put({"p", "4"}, {{"text", "in no index"}}));
  };
  fill(*at.open());
  {
    const auto store = at.open({.indexes = {by_state}});
    CHECK(found_in(*store, "by_state", "open") == texts{"2", "1"});
    REQUIRE(store->put({"p", "1"}, order("paid", 20)));
    CHECK(found_in(*store, "by_state", "open") == texts{"2"});
    CHECK(found_in(*store, "by_state", "paid") == texts{"3", "1"});
  }
  {
    const auto store = at.open({.indexes = {by_owner}});
    CHECK(found_in(*store, "by_owner", "ann") == texts{"1", "3"});
    CHECK(refused(store->query({.partition = "open", .index = "by_state"}), errc::invalid_argument,
                  failure_reason::name));
    // It has the columns that by_state had: nothing of what is written now may be there when that is back.
    REQUIRE(store->put({"p", "2"}, order("paid", 1, "ann")));
    REQUIRE(store->erase({"p", "3"}));
  }
  {
    const auto store = at.open({.indexes = {by_owner, by_state}});
    CHECK(found_in(*store, "by_state", "open").empty());
    CHECK(found_in(*store, "by_state", "paid") == texts{"2", "1"});
    CHECK(found_in(*store, "by_owner", "ann") == texts{"1", "2"});
    CHECK(found_in(*store, "by_owner", "bob").empty());
  }
  {
    table_index other = by_state;  // the same name, another order
    other.sort_field = "owner";
    other.projection = {"owner"};
    const auto store = at.open({.indexes = {other}});
    CHECK(found_in(*store, "by_state", "paid") == texts{"1", "2"});
    const auto page = store->query({.partition = "paid", .index = "by_state", .page_size = 1}).value();
    CHECK((page.entries.at(0).item == table_item{{"owner", "ann"}}));
  }
  CHECK(at.open()->capabilities().indexes.empty());
  CHECK(check_sqlite_file(*at.file()));
  CHECK(raw_file(at.path).number("SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND name GLOB '*_x[0-9]*'") ==
        0);
}

TEST_CASE("who read a log before it was off for a while is told that he has missed some", "[sqlite][table]") {
  fixture at;
  const table_schema logged{.change_view = table_change_view::keys};
  REQUIRE(at.open(logged)->put({"p", "1"}, {}));
  CHECK(at.open(logged)->changes(0).value().size() == 1);
  {
    const auto store = at.open();
    CHECK(refused(store->changes(0), errc::unsupported));
    REQUIRE(store->put({"p", "2"}, {}));
  }
  const auto store = at.open(logged);
  CHECK(refused(store->changes(0), errc::expired));
  CHECK(refused(store->changes(1), errc::expired));
  const auto last = store->last_change().value();
  CHECK(store->changes(last).value().empty());
  REQUIRE(store->put({"p", "3"}, {}));
  const auto changes = store->changes(last).value();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].key.sort == "3");
}

TEST_CASE("a view that tells more is taken over from now on", "[sqlite][table]") {
  fixture at;
  const table_item item{{"a", true}};
  REQUIRE(at.open({.change_view = table_change_view::keys})->put({"p", "1"}, item));
  const auto store = at.open({.change_view = table_change_view::both});
  REQUIRE(store->put({"p", "1"}, {}));
  const auto changes = store->changes(0).value();
  REQUIRE(changes.size() == 2);
  CHECK_FALSE(changes[0].current.has_value());
  CHECK((changes[1].former == item));
  CHECK((changes[1].current == table_item{}));
}

TEST_CASE("rows of changes that are kept no more leave the file", "[sqlite][table]") {
  fixture at;
  {
    const auto store = at.open({.change_view = table_change_view::keys, .changes_max = 10});
    for (int i = 0; i < 500; ++i) REQUIRE(store->put({"p", "s"}, {{"n", i}}));
    CHECK(store->changes(490).value().size() == 10);
    CHECK(refused(store->changes(489), errc::expired));
  }
  CHECK(raw_file(at.path).number("SELECT count(*) FROM dormouse_1_items_log") < 30);
  {
    const auto store = at.open({.change_view = table_change_view::keys, .changes_age = 60s});
    for (int i = 0; i < 50; ++i) {
      at.time.advance(10s);
      REQUIRE(store->put({"p", "s"}, {{"n", i}}));
    }
    CHECK(refused(store->changes(500), errc::expired));
    CHECK(store->changes(544).value().size() == 6);
  }
  CHECK(raw_file(at.path).number("SELECT count(*) FROM dormouse_1_items_log") < 30);
}

// ---- files that are not what they were ------------------------------------------------------------------------------

TEST_CASE("a row that is not what was written is never handed out", "[sqlite][table]") {
  fixture at;
  const table_schema indexed{.indexes = {by_state}};
  {
    const auto store = at.open(indexed);
    REQUIRE(store->put({"p", "1"}, order("open", 1), {.expires_at = at.time.wall() + 1h}));
    REQUIRE(store->put({"p", "2"}, order("open", 2)));
  }
  const std::string damage =
      GENERATE(as<std::string>{}, "item = CAST(substr(item, 1, 20) || x'00' || substr(item, 22) AS BLOB)",  // a byte
               "item = substr(item, 1, length(item) - 1)", "item = x''", "item = NULL", "item = 5",
               "version = version + 1", "expires_at = NULL", "expires_at = expires_at + 1", "expires_at = 5",
               "sort = x'33'", "item = (SELECT item FROM dormouse_1_items WHERE sort = x'32')");
  INFO(damage);
  {
    raw_file raw(at.path);
    raw.run("PRAGMA ignore_check_constraints = 1");
    if (damage == "item = NULL") {
      raw.run(
          "PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = replace(sql, 'item BLOB NOT NULL', 'item "
          "BLOB') WHERE name = 'dormouse_1_items'; PRAGMA writable_schema = RESET");
    }
    raw.run("UPDATE dormouse_1_items SET " + damage + " WHERE sort = x'31'");
  }
  const auto store = at.open(indexed);
  const table_key key{"p", damage == "sort = x'33'" ? "3" : "1"};
  CHECK(is_corrupt(store->get(key)));
  CHECK(is_corrupt(store->get_batch({{"p", "2"}, key})));
  CHECK(is_corrupt(store->query({.partition = "p"})));
  CHECK(is_corrupt(store->query({.partition = "open", .index = "by_state"})));
  CHECK(is_corrupt(store->scan()));
  CHECK(is_corrupt(store->put(key, {}, {.when = {.if_exists = true}})));
  CHECK(is_corrupt(store->update(key, table_update().set(field("a"), 1))));
  std::optional<stored_item> former;
  CHECK(is_corrupt(store->erase(key, {.former = &former})));
  CHECK_FALSE(former);
  CHECK(store->get({"p", "2"}).value());
  // Neither a write on its way nor remove_expired() takes it for one that has expired.
  REQUIRE(store->put({"q", ""}, {}));
  REQUIRE(store->remove_expired());
  const bool healed = damage == "expires_at = NULL";
  CHECK((healed || is_corrupt(store->get(key))));
  // It can be got rid of.
  const bool erases = GENERATE(true, false);
  if (erases) {
    CHECK(store->erase(key).value());
    CHECK_FALSE(store->get(key).value());
  } else {
    REQUIRE(store->put(key, {}));
    CHECK(store->get(key).value());
  }
  CHECK(store->scan());
}

TEST_CASE("an entry at a wrong place of an index is not handed out", "[sqlite][table]") {
  fixture at;
  REQUIRE(at.open({.indexes = {by_state}})->put({"p", "1"}, order("open", 1)));
  raw_file(at.path).run("UPDATE dormouse_1_items SET x0_p = CAST('paid' AS BLOB)");
  const auto store = at.open({.indexes = {by_state}});
  CHECK(is_corrupt(store->query({.partition = "paid", .index = "by_state"})));
  CHECK(store->get({"p", "1"}).value());
}

TEST_CASE("an index is not built of rows that are corrupt", "[sqlite][table]") {
  fixture at;
  REQUIRE(at.open()->put({"p", "1"}, order("open", 1)));
  raw_file(at.path).run("UPDATE dormouse_1_items SET version = 7777");
  CHECK(is_corrupt(open_sqlite_table(at.file(), {.schema = {.indexes = {by_state}}})));
  REQUIRE(at.open()->erase({"p", "1"}));
  CHECK(at.open({.indexes = {by_state}})->query({.partition = "open", .index = "by_state"}));
}

TEST_CASE("changes, positions and answers that are not what was written are corrupt", "[sqlite][table]") {
  fixture at;
  const table_schema logged{.change_view = table_change_view::both};
  {
    const auto store = at.open(logged);
    REQUIRE(store->put({"p", "1"}, order("open", 1), {.token = "once"}));
    REQUIRE(store->put({"p", "1"}, order("paid", 1)));
    REQUIRE(store->remember("reader", 1));
  }
  SECTION("changes") {
    const char* damage = GENERATE("kind = 3", "partition = x'71'", "sort = NULL", "former = NULL", "current = former",
                                  "made = made + 1", "sum = sum + 1");
    INFO(damage);
    raw_file(at.path).run(std::string("UPDATE dormouse_1_items_log SET ") + damage + " WHERE id = 2");
    const auto store = at.open(logged);
    CHECK(store->changes(0, 1).value().size() == 1);
    CHECK(is_corrupt(store->changes(0, 2)));
    CHECK(is_corrupt(store->changes(1)));
  }
  SECTION("positions") {
    raw_file(at.path).run("UPDATE dormouse_positions SET position = 2");
    CHECK(is_corrupt(at.open(logged)->position("reader")));
    REQUIRE(at.open(logged)->remember("reader", 2));
    CHECK(at.open(logged)->position("reader").value() == 2);
  }
  SECTION("answers") {
    raw_file(at.path).run("UPDATE dormouse_tokens SET answer = substr(answer, 1, 30)");
    CHECK(is_corrupt(at.open(logged)->put({"p", "1"}, order("open", 1), {.token = "once"})));
    CHECK(at.open(logged)->last_change().value() == 2);
  }
}

TEST_CASE("a table of another format, or whose schema is damaged, is not opened", "[sqlite][table]") {
  fixture at;
  REQUIRE(at.open()->put({"p", "1"}, {}));
  const auto open = [&] { return open_sqlite_table(at.file(), {}); };
  raw_file(at.path).run("UPDATE dormouse_tables SET format = 2");
  CHECK(refused(open(), errc::unsupported));
  raw_file(at.path).run("UPDATE dormouse_tables SET format = 1, schema = CAST(schema || x'00' AS BLOB)");
  CHECK(is_corrupt(open()));
  CHECK(open_sqlite_table(at.file(), {.name = "other"}));
}

// ---- commits --------------------------------------------------------------------------------------------------------

TEST_CASE("a put, a batch and a transaction are one commit each", "[sqlite][table]") {
  fixture at;
  const auto file = at.file();
  const auto store = open_sqlite_table(file, {.schema = {.change_view = table_change_view::both}}).value();
  std::vector<table_write> writes;
  for (int i = 0; i < 100; ++i) writes.push_back(put_write({"p", std::to_string(i)}, {}));
  REQUIRE(store->put({"p", "s"}, {}));  // which also fetches versions
  const auto commits = [&] { return file->opened().commits(); };
  const auto before = commits();
  REQUIRE(store->put({"p", "s"}, {}, {.token = "token"}));
  CHECK(commits() == before + 1);
  REQUIRE(store->write_batch(writes));
  CHECK(commits() == before + 2);
  REQUIRE(store->transact(writes));
  CHECK(commits() == before + 3);
  REQUIRE(store->get({"p", "s"}));
  CHECK(refused(store->put({"p", "s"}, {}, {.when = {.if_absent = true}}), errc::condition_failed));
  CHECK(commits() == before + 3);
}

TEST_CASE("what does not fit changes nothing, and there is room again for what does", "[sqlite][table]") {
  fixture at;
  const auto file = at.file();
  const auto store = open_sqlite_table(file, {.schema = {.change_view = table_change_view::keys}}).value();
  REQUIRE(store->put({"p", "first"}, {{"n", 1}}));
  REQUIRE(file->opened().write([](sqlite::connection& in) { return in.execute("PRAGMA max_page_count = 300"); }, {}));
  const table_item big{{"text", std::string(100'000, 'x')}};
  int stored = 0;
  for (; stored < 100; ++stored) {
    const auto put = store->put({"p", std::to_string(stored)}, big);
    if (put) continue;
    CHECK(refused(put, errc::limit_exceeded, failure_reason::store_full));
    break;
  }
  REQUIRE(stored > 2);
  REQUIRE(stored < 20);
  CHECK(store->last_change().value() == static_cast<std::uint64_t>(stored) + 1);
  CHECK(store->get({"p", "first"}).value());
  CHECK_FALSE(store->get({"p", std::to_string(stored)}).value());
  std::vector<table_write> batch;
  batch.push_back(put_write({"q", "small"}, {}));
  batch.push_back(put_write({"q", "big"}, big));
  const auto both = store->write_batch(batch);
  if (both) {
    CHECK((*both)[0]);
    CHECK(refused((*both)[1], errc::limit_exceeded, failure_reason::store_full));
  } else {
    CHECK(refused(both, errc::limit_exceeded, failure_reason::store_full));
    CHECK_FALSE(store->get({"q", "small"}).value());
  }
  CHECK(store->erase({"p", "0"}).value());
  CHECK(store->put({"p", "again"}, big));
}

TEST_CASE("a scan's segments are disjoint, and each goes on where it ended", "[sqlite][table]") {
  const auto store = open_sqlite_table(open_sqlite_file({}).value()).value();
  constexpr std::size_t count = 1'000;
  for (std::size_t from = 0; from < count; from += 100) {
    std::vector<table_write> writes;
    for (std::size_t i = from; i < from + 100; ++i) writes.push_back(put_write({"p", std::to_string(i)}, {}));
    REQUIRE(store->write_batch(writes));
  }
  for (std::size_t i = 0; i < count; i += 3) REQUIRE(store->erase({"p", std::to_string(i)}));
  std::vector<std::string> all;
  for (std::size_t segment = 0; segment < 5; ++segment) {
    table_scan what{.segment = segment, .segments = 5, .page_size = 7};
    const auto before = all.size();
    do {
      const auto page = store->scan(what).value();
      for (const auto& each : page.entries) all.push_back(each.key.sort);
      what.cursor = page.cursor;
    } while (!what.cursor.empty());
    CHECK(all.size() - before > 50);
  }
  CHECK(all.size() == count - (count + 2) / 3);
  std::sort(all.begin(), all.end());
  CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
}

TEST_CASE("eight threads on two tables of a file lose no change", "[sqlite][table][threads]") {
  fixture at;
  const auto file = at.file();
  const table_schema logged{.indexes = {by_owner}, .change_view = table_change_view::both};
  const auto a = open_sqlite_table(file, {.name = "a", .schema = logged}).value();
  const auto b = open_sqlite_table(file, {.name = "b", .schema = logged}).value();
  counting watcher;
  REQUIRE(a->watch(watcher));
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      table& store = thread % 2 == 0 ? *a : *b;
      for (int i = 0; i < 50; ++i) {
        const bool added =
            store.update({"p", "n"}, table_update().increment(field("n"), 1).set(field("owner"), "all")).has_value();
        const bool put = store.put({"p", std::to_string(thread)}, order("open", i, "each")).has_value();
        const auto page = store.query({.partition = "all", .index = "by_owner"});
        if (!added || !put || !page || page->entries.size() != 1) ++failures;
      }
    });
  }
  for (auto& each : threads) each.join();
  a->unwatch(watcher);
  CHECK(failures == 0);
  for (table* store : {a.get(), b.get()}) {
    CHECK((store->get({"p", "n"}).value()->item.at("n") == attribute(200)));
    CHECK(store->last_change().value() == 400);
    CHECK(store->changes(0, 1'000).value().size() == 400);
  }
  CHECK(watcher.count == 400);
  CHECK(check_sqlite_file(*file));
}
