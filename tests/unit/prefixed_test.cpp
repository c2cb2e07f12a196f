// SPDX-License-Identifier: MIT
// Tenants behind one store: none sees anything of another's by any call.

#include "support/catch.hpp"

#include <dormouse/adapters/memory_object_store.hpp>
#include <dormouse/adapters/memory_table.hpp>
#include <dormouse/adapters/prefixed_object_store.hpp>
#include <dormouse/adapters/prefixed_table.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/service_harness.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::refused;

namespace {

struct tables {
  testing::manual_clock time{};
  memory_table shared{{.schema = {.indexes = {{.name = "by_state", .partition_field = "state"}},
                                  .change_view = table_change_view::both,
                                  .changes_max = 20},
                       .time = &time}};
  prefixed_table ann{shared, "ann/"};
  prefixed_table bob{shared, "bob/"};
};

struct stores {
  memory_object_store shared{};
  prefixed_object_store ann{shared, "ann/"};
  prefixed_object_store bob{shared, "bob/"};
};

struct counting final : change_watcher {
  int told = 0;
  void changed() noexcept override { ++told; }
};

table_item state(std::string text) { return {{"state", std::move(text)}}; }

// The keys that a walk through everything gives, page by page.
std::vector<std::string> partitions(table& store, table_scan what = {}) {
  std::vector<std::string> all;
  do {
    auto page = store.scan(what).value();
    CHECK(page.examined <= what.page_size);
    for (const auto& each : page.entries) all.push_back(each.key.partition);
    what.cursor = page.cursor;
  } while (!what.cursor.empty());
  return all;
}

constexpr auto invalid = errc::invalid_argument;

}  // namespace

TEST_CASE("a tenant sees nothing of another's items by any call of a table", "[prefixed]") {
  tables at;
  REQUIRE(at.ann.put({"k", "1"}, state("ann's")));
  REQUIRE(at.bob.put({"k", "1"}, state("bob's")));
  REQUIRE(at.bob.put({"only", ""}, state("bob's")));
  CHECK((at.shared.get({"ann/k", "1"}).value()->item == state("ann's")));
  CHECK((at.ann.get({"k", "1"}).value()->item == state("ann's")));
  CHECK(!at.ann.get({"only", ""}).value());
  CHECK(!at.ann.get({"bob/k", "1"}).value());
  CHECK(!at.ann.get({"../bob/k", "1"}).value());
  const auto batch = at.ann.get_batch({{"k", "1"}, {"only", ""}, {"bob/only", ""}}).value();
  REQUIRE(batch.found.size() == 1);
  CHECK((batch.found[0].key == table_key{"k", "1"} && batch.found[0].item == state("ann's")));

  CHECK(!at.ann.erase({"only", ""}).value());
  CHECK(!at.ann.put({"only", ""}, {}, {.when = {.if_exists = true}}));
  CHECK(at.ann.update({"k", "1"}, table_update().set(field("n"), true)));
  std::vector<std::size_t> failed_at;
  CHECK(!at.ann.transact({check_write({"only", ""}, {.if_exists = true})}, {.failed = &failed_at}));
  CHECK(at.ann.transact({erase_write({"only", ""}), put_write({"other", ""}, {})}));
  CHECK(at.ann.write_batch({erase_write({"only", ""}), put_write({"more", ""}, {})}).value().size() == 2);
  CHECK((at.bob.get({"k", "1"}).value()->item == state("bob's") && at.bob.get({"only", ""}).value()));

  const auto page = at.ann.query({.partition = "k"}).value();
  REQUIRE(page.entries.size() == 1);
  CHECK(page.entries[0].key == table_key{"k", "1"});
  CHECK(at.ann.query({.partition = "only"}).value().entries.empty());
  CHECK(refused(at.ann.query({.partition = "bob's", .index = "by_state"}), invalid, failure_reason::name));
  CHECK(at.ann.capabilities().indexes.empty());
}

TEST_CASE("a scan gives and counts a tenant's own items only, with filter, projection and segments", "[prefixed]") {
  tables at;
  for (int i = 0; i < 40; ++i) {
    REQUIRE(at.bob.put({"b" + std::to_string(i), ""}, state("new")));
    if (i % 4 == 0) REQUIRE(at.ann.put({"a" + std::to_string(i), ""}, state(i % 8 == 0 ? "new" : "old")));
  }
  for (const std::size_t page_size : {std::size_t{1}, std::size_t{7}, std::size_t{1'000}}) {
    CHECK(partitions(at.ann, {.page_size = page_size}).size() == 10);
    CHECK(partitions(at.bob, {.page_size = page_size}).size() == 40);
    CHECK(partitions(at.ann, {.filter = field("state") == "new", .page_size = page_size}).size() == 5);
  }
  std::size_t of_segments = 0;
  for (std::size_t i = 0; i < 3; ++i) of_segments += partitions(at.ann, {.segment = i, .segments = 3}).size();
  CHECK(of_segments == 10);
  const auto page = at.ann.scan({.filter = field("state") == "old", .projection = {"none"}}).value();
  CHECK((page.examined == 10 && page.entries.size() == 5 && page.entries[0].item.empty()));
}

TEST_CASE("a cursor is good for its own tenant only", "[prefixed]") {
  tables at;
  for (auto* tenant : {&at.ann, &at.bob}) {
    for (const char* sort : {"1", "2", "3"}) REQUIRE(tenant->put({"k", sort}, {}));
  }
  const auto scan_cursor = at.bob.scan({.page_size = 4}).value().cursor;
  REQUIRE(!scan_cursor.empty());
  CHECK(refused(at.ann.scan({.page_size = 4, .cursor = scan_cursor}), invalid));
  CHECK(at.bob.scan({.page_size = 4, .cursor = scan_cursor}));
  // A place within a partition is no secret, and the partition is the tenant's own.
  const auto query_cursor = at.bob.query({.partition = "k", .page_size = 1}).value().cursor;
  const auto page = at.ann.query({.partition = "k", .page_size = 2, .cursor = query_cursor});
  if (page) {
    for (const auto& each : page->entries) CHECK(each.key.partition == "k");
  }
}

TEST_CASE("changes of a table are a tenant's own, in numbers of the shared log", "[prefixed]") {
  tables at;
  REQUIRE(at.ann.put({"a", ""}, state("1")));
  for (int i = 0; i < 5; ++i) REQUIRE(at.bob.put({"b", ""}, state("secret")));
  REQUIRE(at.ann.erase({"a", ""}));
  const auto changes = at.ann.changes(0).value();
  REQUIRE(changes.size() == 2);
  CHECK((changes[0].sequence == 1 && changes[0].key == table_key{"a", ""} && *changes[0].current == state("1")));
  CHECK((changes[1].sequence == 7 && changes[1].kind == table_change_kind::remove));
  CHECK((at.ann.changes(0, 1).value().size() == 1 && at.ann.changes(1, 1).value().at(0).sequence == 7));
  CHECK((at.ann.last_change().value() == 7 && at.ann.changes(7).value().empty()));
  CHECK(refused(at.ann.changes(8), invalid));
  CHECK(at.bob.changes(0).value().size() == 5);

  // Who has read up to his last one misses nothing when others fill the log: it was others' only that he passed.
  for (int i = 0; i < 30; ++i) {
    REQUIRE(at.bob.put({"b", ""}, state("more")));
    if (i % 10 == 0) CHECK(at.ann.changes(7).value().empty());
  }
  CHECK(at.ann.changes(7).value().empty());
  REQUIRE(at.ann.put({"a", ""}, {}));
  CHECK(at.ann.changes(7).value().size() == 1);
  CHECK(refused(at.bob.changes(7), errc::expired));
  for (int i = 0; i < 30; ++i) REQUIRE(at.bob.put({"b", ""}, {}));
  CHECK(refused(at.ann.changes(7), errc::expired));  // his own is among those that are gone
}

TEST_CASE("readers, tokens and watchers of tenants do not meet", "[prefixed]") {
  tables at;
  const std::string longest(64, 'r');
  REQUIRE(at.ann.put({"k", ""}, {}));
  REQUIRE(at.ann.remember(longest, 1));
  CHECK(at.ann.position(longest).value() == 1);
  CHECK(!at.bob.position(longest).value());
  CHECK(!at.ann.position(std::string(63, 'r')).value());
  CHECK(!at.ann.position(std::string(63, 'r') + 's').value());
  CHECK(!at.shared.position(longest).value());

  const std::string token(64, 't');
  const auto first = at.ann.put({"k", ""}, state("ann's"), {.token = token}).value();
  CHECK(at.bob.put({"k", ""}, state("bob's"), {.token = token}));
  CHECK(at.ann.put({"k", ""}, state("ann's"), {.token = token}).value() == first);
  CHECK(refused(at.ann.put({"k", ""}, state("other"), {.token = token}), invalid));
  CHECK(at.ann.transact({put_write({"l", ""}, {})}, {.token = "t"}));
  CHECK(at.bob.transact({put_write({"l", ""}, {{"n", true}})}, {.token = "t"}));

  counting watcher;
  REQUIRE(at.ann.watch(watcher));
  REQUIRE(at.ann.put({"k", ""}, {}));
  CHECK(watcher.told == 1);
  at.ann.unwatch(watcher);
  REQUIRE(at.ann.put({"k", ""}, {}));
  CHECK(watcher.told == 1);
}

TEST_CASE("a partition fits together with its prefix, or is refused by every call", "[prefixed]") {
  tables at;
  const std::string longest(at.ann.capabilities().partition_bytes_max, 'p');
  CHECK(longest.size() == table::partition_bytes_max - 4);
  REQUIRE(at.ann.put({longest, ""}, {}));
  CHECK(at.ann.get({longest, ""}).value());
  CHECK((partitions(at.ann) == std::vector<std::string>{longest}));
  const table_key bad{longest + "p", ""};
  const auto refuses = [](const auto& got) { return refused(got, invalid, failure_reason::key_bytes); };
  CHECK(refuses(at.ann.get(bad)));
  CHECK(refuses(at.ann.get_batch({bad})));
  CHECK(refuses(at.ann.put(bad, {})));
  CHECK(refuses(at.ann.update(bad, table_update().remove(field("n")))));
  CHECK(refuses(at.ann.erase(bad)));
  CHECK(refuses(at.ann.write_batch({put_write({"k", ""}, {}), put_write(bad, {})})));
  CHECK(refuses(at.ann.transact({put_write({"k", ""}, {}), put_write(bad, {})})));
  CHECK(refuses(at.ann.query({.partition = bad.partition})));
  CHECK(at.shared.size() == 1);
}

TEST_CASE("a tenant sees nothing of another's objects by any call of a store", "[prefixed]") {
  stores at;
  REQUIRE(at.ann.put("k", "ann's"));
  REQUIRE(at.bob.put("k", "bob's"));
  REQUIRE(at.bob.put("only", "bob's"));
  CHECK(at.shared.get("ann/k").value().data.text() == "ann's");
  const auto got = at.ann.get("k").value();
  CHECK((got.data.text() == "ann's" && got.info.key == "k" && at.ann.head("k").value().key == "k"));
  CHECK(at.ann.open("k").value().info().key == "k");
  for (const char* key : {"only", "bob/only", "../bob/only", "/bob/only"}) {
    CHECK(refused(at.ann.get(key), errc::not_found));
    CHECK(refused(at.ann.head(key), errc::not_found));
    CHECK(refused(at.ann.copy(key, "copy"), errc::not_found));
    CHECK(!at.ann.erase(key).value());
  }
  CHECK(at.ann.copy("k", "only").value().key == "only");
  CHECK(at.ann.put("only", "", {.content_type = "a/b"}).value().key == "only");
  CHECK(at.bob.get("only").value().data.text() == "bob's");

  const auto keys = [](object_store& store, object_list_options options) {
    std::vector<std::string> all;
    do {
      auto page = store.list(options).value();
      for (const auto& each : page.objects) all.push_back(each.key);
      for (const auto& each : page.common_prefixes) all.push_back(each + "*");
      options.cursor = page.cursor;
    } while (!options.cursor.empty());
    return all;
  };
  REQUIRE(at.ann.put("bob/x", ""));
  CHECK((keys(at.ann, {}) == std::vector<std::string>{"bob/x", "k", "only"}));
  CHECK((keys(at.ann, {.page_size = 1}) == std::vector<std::string>{"bob/x", "k", "only"}));
  CHECK((keys(at.ann, {.delimiter = "/", .page_size = 1}) == std::vector<std::string>{"bob/*", "k", "only"}));
  CHECK((keys(at.bob, {.prefix = "o"}) == std::vector<std::string>{"only"}));
  CHECK(keys(at.ann, {.prefix = "../"}).empty());
  // A place in a list is a key; with another tenant's it is a place among one's own.
  const auto cursor = at.bob.list({.page_size = 1}).value().cursor;
  CHECK(at.ann.list({.page_size = 5, .cursor = cursor}).value().objects.at(0).key == "only");
}

TEST_CASE("changes and positions of a store are a tenant's own", "[prefixed]") {
  stores at;
  REQUIRE(at.ann.put("a", "1"));
  for (int i = 0; i < 150; ++i) REQUIRE(at.bob.put("b", "secret"));
  REQUIRE(at.ann.erase("a"));
  const auto changes = at.ann.changes(0, 2).value();
  REQUIRE(changes.size() == 2);
  CHECK((changes[0].info.key == "a" && changes[1].info.key == "a" && changes[1].sequence == 152));
  CHECK((at.ann.changes(1, 1).value().size() == 1 && at.ann.last_change().value() == 152));
  CHECK(at.bob.changes(0, 1'000).value().size() == 150);
  CHECK(at.bob.changes(1, 3).value().at(0).info.key == "b");
  REQUIRE(at.ann.remember("reader", 7));
  CHECK((at.ann.position("reader").value() == 7 && !at.bob.position("reader").value()));
  counting watcher;
  REQUIRE(at.ann.watch(watcher));
  REQUIRE(at.ann.put("a", ""));
  at.ann.unwatch(watcher);
  REQUIRE(at.ann.put("a", ""));
  CHECK(watcher.told == 1);
}

TEST_CASE("a key fits together with its prefix, or is refused, prefixes go behind prefixes", "[prefixed]") {
  stores at;
  const std::string longest(at.ann.capabilities().key_bytes_max, 'k');
  CHECK(longest.size() == object_store::key_bytes_max - 4);
  REQUIRE(at.ann.put(longest, "x"));
  CHECK(refused(at.ann.put(longest + "k", ""), invalid, failure_reason::key_bytes));
  CHECK(refused(at.ann.copy(longest, longest + "k"), invalid, failure_reason::key_bytes));
  CHECK(refused(at.ann.list({.prefix = longest + "k"}), invalid, failure_reason::key_bytes));
  CHECK(at.ann.list({.start_after = longest + "k"}).value().objects.empty());

  prefixed_object_store photos(at.bob, "photos/");
  REQUIRE(photos.put("cat", "meow"));
  CHECK(at.shared.get("bob/photos/cat").value().data.text() == "meow");
  CHECK(at.bob.get("photos/cat").value().info.key == "photos/cat");
  CHECK(photos.changes(0).value().at(0).info.key == "cat");
  CHECK(photos.capabilities().key_bytes_max == object_store::key_bytes_max - 11);
}

TEST_CASE("a prefix that could begin with another one is refused", "[prefixed]") {
  memory_table shared;
  memory_object_store objects;
  for (const std::string& bad :
       {std::string(), std::string("/"), std::string("ann"), std::string("a/b/"), std::string("a/b"),
        std::string("a\0/", 3), std::string("\xff/"), std::string(256, 'a') + "/"}) {
    CHECK_THROWS_AS(prefixed_table(shared, bad), std::invalid_argument);
    CHECK_THROWS_AS(prefixed_object_store(objects, bad), std::invalid_argument);
  }
  std::vector<std::unique_ptr<object_store>> nested;
  object_store* last = &objects;
  const auto nest = [&] {
    nested.push_back(std::make_unique<prefixed_object_store>(*last, std::string(255, 'a') + "/"));
    last = nested.back().get();
  };
  for (int i = 0; i < 3; ++i) nest();
  CHECK_THROWS_AS(nest(), std::invalid_argument);  // no room for a key would be left
  CHECK(last->capabilities().key_bytes_max == 256);
}
