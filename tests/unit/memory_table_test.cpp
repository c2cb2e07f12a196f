// SPDX-License-Identifier: MIT
// What is memory_table's alone: its bounds. The rest is in the conformance suite.

#include "support/catch.hpp"

#include <dormouse/adapters/memory_table.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/service_harness.hpp>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::refused;

namespace {

template <class T>
bool is_full(const result<T>& got) {
  return refused(got, errc::limit_exceeded, failure_reason::store_full);
}

// What the constructor says about these options; empty when it takes them.
std::string refusal_of(const memory_table_options& options) {
  try {
    const memory_table taken(options);
    return {};
  } catch (const std::invalid_argument& why) {
    return why.what();
  }
}

// Reads the log as it is told of it.
class reading_watcher : public change_watcher {
 public:
  explicit reading_watcher(table& store) : store_(store) {}
  void changed() noexcept override { last = store_.last_change().value_or(0); }
  std::uint64_t last = 0;

 private:
  table& store_;
};

}  // namespace

TEST_CASE("a full memory_table refuses, naming its limit, and changes nothing", "[table][memory]") {
  SECTION("by items") {
    memory_table store({.items_max = 2});
    REQUIRE(store.put({"a", ""}, {}));
    REQUIRE(store.put({"b", ""}, {}));
    CHECK(is_full(store.put({"c", ""}, {})));
    CHECK(is_full(store.update({"c", ""}, table_update().set(field("x"), 1))));
    CHECK(is_full(store.transact({erase_write({"a", ""}), put_write({"c", ""}, {}), put_write({"d", ""}, {})})));
    CHECK(store.size() == 2);
    CHECK(!store.get({"c", ""}).value().has_value());
    CHECK(store.put({"b", ""}, {{"x", true}}));  // no new room needed
    CHECK(store.transact({erase_write({"a", ""}), put_write({"c", ""}, {})}));
    CHECK(store.erase({"b", ""}));
    CHECK(store.size() == 1);
    CHECK(store.put({"d", ""}, {}));
  }
  SECTION("by bytes, exactly") {
    memory_table store({.bytes_max = 20});
    const table_item largest{{"n", std::string(15, 'x')}};
    REQUIRE(store.put({"k", "ey"}, {{"n", std::string(16, 'x')}}));  // 3 + 1 + 16
    REQUIRE(store.put({"k", "ey"}, largest));                        // gives one back
    CHECK(is_full(store.put({"k", "ey"}, {{"n", std::string(17, 'x')}})));
    CHECK((store.get({"k", "ey"}).value()->item == largest));
    CHECK(is_full(store.put({"ke", ""}, {})));
    CHECK(store.put({"o", ""}, {}));
    CHECK(store.erase({"o", ""}));
    CHECK(store.erase({"k", "ey"}).value());
    CHECK(store.size() == 0);
    CHECK(store.put({"k", "ey"}, {{"n", std::string(16, 'x')}}));  // all was given back
  }
  SECTION("by bytes, the answers to tokens among them, for ten minutes") {
    testing::manual_clock time;
    memory_table store({.bytes_max = 20, .time = &time});
    REQUIRE(store.put({"k", ""}, {}, {.token = "0123456789"}));
    CHECK(is_full(store.put({"l", ""}, {{"n", std::string(8, 'x')}})));
    time.advance(10min);
    CHECK(store.put({"l", ""}, {{"n", std::string(17, 'x')}}));
  }
  SECTION("by bytes, and expired items give theirs back") {
    testing::manual_clock time;
    memory_table store({.bytes_max = 20, .time = &time});
    REQUIRE(store.put({"k", ""}, {{"n", std::string(18, 'x')}}, {.expires_at = time.wall() + 1s}));
    CHECK(is_full(store.put({"l", ""}, {})));
    time.advance(1s);
    CHECK(store.put({"l", ""}, {{"n", std::string(18, 'x')}}));
    CHECK(store.size() == 1);
  }
}

TEST_CASE("the log of a memory_table keeps as many bytes as its items may have", "[table][memory]") {
  memory_table store({.bytes_max = 100, .schema = {.change_view = table_change_view::both}});
  for (int i = 0; i < 4; ++i) REQUIRE(store.put({"k", ""}, {{"n", std::string(30, 'x')}}));  // 32, then 63 bytes each
  CHECK(refused(store.changes(2), errc::expired));
  CHECK(store.changes(3).value().size() == 1);
  CHECK(store.last_change().value() == 4);
}

TEST_CASE("memory_table keeps 100,000 tokens, and makes others wait", "[table][memory]") {
  testing::manual_clock time;
  memory_table store({.time = &time});
  for (int i = 0; i < 100'000; ++i) {
    if (!store.put({"k", ""}, {}, {.token = std::to_string(i)})) FAIL(i);
  }
  time.advance(9min);
  const auto late = store.put({"k", ""}, {}, {.token = "late"});
  CHECK(refused(late, errc::throttled, failure_reason::store_full));
  CHECK(late.error().retry_after == 1min);
  CHECK(store.put({"k", ""}, {}, {.token = "7"}).value() == 8);  // the first answer
  CHECK(store.put({"k", ""}, {}));
  time.advance(1min);
  CHECK(store.put({"k", ""}, {}, {.token = "late"}));
}

TEST_CASE("memory_table keeps the positions of a thousand readers", "[table][memory]") {
  memory_table store({.schema = {.change_view = table_change_view::keys}});
  for (int who = 0; who < 1'000; ++who) REQUIRE(store.remember(std::to_string(who), 1));
  CHECK(is_full(store.remember("one_more", 1)));
  CHECK(store.position("one_more").value() == std::nullopt);
  REQUIRE(store.remember("7", 2));
  CHECK(store.position("7").value() == 2U);
}

TEST_CASE("a page of memory_table passes over a bounded number of expired items", "[table][memory]") {
  testing::manual_clock time;
  memory_table store({.time = &time});
  for (int i = 0; i < 10'001; ++i) {
    if (!store.put({"p", sort_number(i)}, {}, {.expires_at = time.wall() + 1s})) FAIL(i);
  }
  REQUIRE(store.put({"p", sort_number(20'000)}, {}));
  time.advance(1s);
  const auto first = store.query({.partition = "p"}).value();
  CHECK((first.entries.empty() && first.examined == 0));
  REQUIRE(!first.cursor.empty());
  CHECK(store.query({.partition = "p", .cursor = first.cursor}).value().entries.size() == 1);
}

TEST_CASE("writes to a memory_table take away expired items, a few each", "[table][memory]") {
  testing::manual_clock time;
  memory_table store({.time = &time});
  for (int i = 0; i < 10; ++i) REQUIRE(store.put({"p", sort_number(i)}, {}, {.expires_at = time.wall() + 1s}));
  time.advance(1s);
  CHECK(store.size() == 10);
  CHECK(store.put({"q", ""}, {}));
  CHECK(store.size() == 9);
  CHECK(!store.erase({"q", "none"}).value());
  CHECK(store.size() == 7);
}

TEST_CASE("memory_table refuses options outside their bounds by name", "[table][memory]") {
  constexpr std::size_t tib = std::size_t{1} << 40U;
  CHECK(refusal_of({.items_max = 1, .bytes_max = 1}).empty());
  CHECK(refusal_of({.items_max = 1'000'000'000, .bytes_max = tib}).empty());
  for (const std::size_t bad : {std::size_t{0}, std::size_t{1'000'000'001}}) {
    CHECK(refusal_of({.items_max = bad}).find("items_max") != std::string::npos);
  }
  for (const std::size_t bad : {std::size_t{0}, tib + 1}) {
    CHECK(refusal_of({.bytes_max = bad}).find("bytes_max") != std::string::npos);
  }
  CHECK(refusal_of({.schema = {.changes_max = 0}}).find("memory_table_options::schema.changes_max") !=
        std::string::npos);
}

TEST_CASE("a memory_table without a clock of its own uses the system's", "[table][memory]") {
  memory_table store;
  CHECK(store.durability() == durability_level::memory);
  const auto now = std::chrono::steady_clock::now();
  CHECK(store.put({"k", ""}, {}, {.deadline = now + 1h}));
  CHECK(!store.put({"k", ""}, {}, {.deadline = now}));
}

TEST_CASE("who watches a memory_table may read it while being told", "[table][memory]") {
  testing::manual_clock time;
  memory_table store({.schema = {.change_view = table_change_view::keys}, .time = &time});
  reading_watcher reader(store);
  REQUIRE(store.watch(reader));
  REQUIRE(store.put({"a", ""}, {}, {.expires_at = time.wall() + 1s}));
  CHECK(reader.last == 1);
  time.advance(2s);
  CHECK(refused(store.put({"a", ""}, {}, {.when = {.if_exists = true}}), errc::condition_failed));
  CHECK(reader.last == 2);  // the expiry, although the write failed
  store.unwatch(reader);
}
