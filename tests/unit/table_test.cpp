// SPDX-License-Identifier: MIT
// What is the interface's own (checks before the adapter, containment), and what is memory_table's (bounds).

#include "support/catch.hpp"

#include <dormouse/adapters/memory_table.hpp>

#include <chrono>
#include <functional>
#include <limits>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace dormouse;

namespace {

const dormouse::clock& system_time() {
  static const dormouse::clock time;
  return time;
}

// Counts what reaches it, keeps what it was given, and does what it is told.
class probe final : public table {
 public:
  probe() : table(system_time()) {}
  table_capabilities capabilities() const noexcept override { return {}; }
  durability_level durability() const noexcept override { return durability_level::memory; }

  int reached = 0;
  std::function<void()> act{};  // may throw
  std::optional<failure> answer{};
  std::vector<table_entry> entries{};
  std::optional<dormouse::clock::time_point> deadline{};
  std::string prefix{};
  std::optional<table_key> after{};
  std::size_t count = 0;

 private:
  template <class T>
  result<T> arrive(const table_call_options& options, result<T> otherwise) {
    ++reached;
    deadline = options.deadline;
    if (act) act();
    if (answer) return *answer;
    return otherwise;
  }
  result<std::optional<table_item>> do_get(const table_key&, const table_call_options& options) override {
    return arrive<std::optional<table_item>>(options, std::optional<table_item>{});
  }
  result<void> do_put(const table_key&, table_item&&, const table_call_options& options) override {
    return arrive<void>(options, {});
  }
  result<bool> do_erase(const table_key&, const table_call_options& options) override {
    return arrive<bool>(options, false);
  }
  result<std::vector<table_entry>> do_list(std::string_view partition_prefix, const table_key* last,
                                           std::size_t entries_max, const table_call_options& options) override {
    prefix = partition_prefix;
    after = last != nullptr ? std::optional<table_key>(*last) : std::nullopt;
    count = entries_max;
    return arrive<std::vector<table_entry>>(options, entries);
  }
};

// The failure; one that no test expects when there is none.
template <class T>
failure why(const result<T>& got) {
  return got ? failure{.detail = "no failure"} : got.error();
}

// Calls all four, and `check(got, writes)` with what each gave.
template <class Check>
void call_each(table& store, const table_key& key, const table_call_options& options, Check&& check) {
  check(store.get(key, options), false);
  check(store.put(key, {}, options), true);
  check(store.erase(key, options), true);
  check(store.list({.deadline = options.deadline}), false);
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

}  // namespace

TEST_CASE("what the interface refuses never reaches the adapter", "[table]") {
  probe store;
  const std::string longest(table::partition_bytes_max, 'p');
  for (const table_key& bad : {table_key{}, {"", "s"}, {longest + "p", ""}, {"p", longest}}) {
    CHECK(!store.get(bad));
    CHECK(!store.put(bad, {}));
    CHECK(!store.erase(bad));
  }
  const table_key key{"k", ""};
  CHECK(!store.put(key, {{"", true}}));
  CHECK(!store.put(key, {{std::string(table::name_bytes_max + 1, 'n'), true}}));
  CHECK(!store.put(key, {{"n", std::numeric_limits<double>::quiet_NaN()}}));
  CHECK(!store.put(key, {{"n", -std::numeric_limits<double>::infinity()}}));
  CHECK(!store.put(key, {{"n", std::string(table::item_bytes_max, 'x')}}));
  CHECK(!store.put(key, {{"n", payload(std::string(table::item_bytes_max, 'x'))}}));
  CHECK(!store.list({.page_size = 0}));
  CHECK(!store.list({.page_size = table::page_size_max + 1}));
  CHECK(!store.list({.partition_prefix = longest + "p"}));
  CHECK(!store.list({.cursor = "x"}));
  call_each(store, key, {.deadline = system_time().now()}, [](const auto& got, bool) {
    REQUIRE(!got);
    CHECK(got.error().code == errc::deadline_exceeded);
    CHECK(got.error().effect == effect_kind::not_applied);
  });
  CHECK(store.reached == 0);
}

TEST_CASE("a wrong argument is named before a deadline that has passed", "[table]") {
  probe store;
  const table_call_options late{.deadline = dormouse::clock::time_point{}};
  CHECK(why(store.put({"k", ""}, {{"", true}}, late)).reason == failure_reason::name);
  CHECK(why(store.get({}, late)).reason == failure_reason::key_bytes);
  CHECK(why(store.list({.page_size = 0, .deadline = late.deadline})).reason == failure_reason::page_size);
}

TEST_CASE("a refusal says what was wrong, in printable words", "[table]") {
  probe store;
  CHECK(why(store.get({"", "ab"})).detail ==
        "key of 0 and 2 bytes; give a partition of 1 .. 2048 and a sort of 0 .. 1024");
  const auto put = store.put({"k", ""}, {{"a\n\xff", std::numeric_limits<double>::infinity()}});
  CHECK(why(put).detail == "attribute \"a..\" is a number that is not finite");
}

TEST_CASE("a call arrives once, with its deadline", "[table]") {
  probe store;
  const auto deadline = system_time().now() + std::chrono::hours(1);
  int calls = 0;
  call_each(store, {"k", ""}, {.deadline = deadline}, [&](const auto& got, bool) {
    CHECK(got);
    CHECK(store.reached == ++calls);
    CHECK(store.deadline == deadline);
  });
}

TEST_CASE("what an adapter throws becomes a failure with its effect", "[table]") {
  probe store;
  const int thrown = GENERATE(1, 2, 3);
  store.act = [&] {
    if (thrown == 1) throw std::bad_alloc{};
    if (thrown == 2) throw std::runtime_error("engine");
    throw 3;
  };
  call_each(store, {"k", ""}, {}, [&](const auto& got, bool writes) {
    REQUIRE(!got);
    CHECK(got.error().code == (thrown == 1 ? errc::out_of_memory : errc::internal));
    CHECK(got.error().effect == (writes ? effect_kind::unknown : effect_kind::not_applied));
    if (thrown == 2) CHECK(got.error().detail == "engine");
  });
}

TEST_CASE("what an adapter answers is passed on as it is", "[table]") {
  probe store;
  store.answer = failure{.code = errc::unavailable, .effect = effect_kind::applied, .detail = "engine"};
  call_each(store, {"k", ""}, {}, [&](const auto& got, bool) {
    REQUIRE(!got);
    CHECK(got.error() == *store.answer);
  });
}

TEST_CASE("a page ends with a cursor only if more follows, and goes on after its last entry", "[table]") {
  probe store;
  store.entries = {{{"a", "1"}, {}}, {{"a", "2"}, {}}, {{"b", ""}, {}}};
  const auto page = store.list({.page_size = 2}).value();
  CHECK(store.count == 3);
  CHECK(!store.after);
  CHECK(page.entries.size() == 2);
  REQUIRE(!page.cursor.empty());
  CHECK(store.list({.page_size = 3, .cursor = page.cursor}).value().cursor.empty());
  CHECK(store.after == table_key{"a", "2"});
  store.entries = {{{"ab", ""}, {}}, {{"ac", ""}, {}}};
  const auto other = store.list({.partition_prefix = "a", .page_size = 1}).value().cursor;
  REQUIRE(store.list({.partition_prefix = "a", .cursor = other}));
  CHECK(store.prefix == "a");
  CHECK(store.after == table_key{"ab", ""});
  CHECK(why(store.list({.cursor = other})).detail == "the cursor belongs to another prefix");
}

TEST_CASE("a cursor that is cut short or changed anywhere is refused", "[table]") {
  probe store;
  store.entries = {{{"ab", "10"}, {}}, {{"ac", ""}, {}}};
  const std::string prefix = GENERATE("", "a");
  const auto cursor = store.list({.partition_prefix = prefix, .page_size = 1}).value().cursor;
  const auto is_refused = [&](std::string harmed) {
    const auto got = store.list({.partition_prefix = prefix, .cursor = std::move(harmed)});
    return !got && got.error().code == errc::invalid_argument;
  };
  REQUIRE(!is_refused(cursor));
  store.reached = 0;
  for (std::size_t at = 0; at < cursor.size(); ++at) {
    CAPTURE(at);
    if (at > 0) CHECK(is_refused(cursor.substr(0, at)));
    CHECK(is_refused(cursor.substr(at + 1) + "0"));
    for (const char other : {'0', '1', 'f', 'A', '.', '\0', '\xff'}) {
      auto changed = cursor;
      changed[at] = other;
      if (changed != cursor) CHECK(is_refused(changed));
    }
  }
  CHECK(store.reached == 0);
}

TEST_CASE("an item's bytes are its names and values", "[table]") {
  CHECK(table::item_bytes({}) == 0);
  CHECK(table::item_bytes({{"ab", {}}}) == 3);
  CHECK(table::item_bytes({{"ab", true}}) == 3);
  CHECK(table::item_bytes({{"ab", std::int64_t{1}}}) == 10);
  CHECK(table::item_bytes({{"ab", 1.0}}) == 10);
  CHECK(table::item_bytes({{"ab", std::string("xyz")}}) == 5);
  CHECK(table::item_bytes({{"ab", payload("xyz")}, {"c", std::string()}}) == 6);
}

TEST_CASE("a full memory_table refuses, naming its limit, and changes nothing", "[table][memory]") {
  const auto is_full = [](const result<void>& put) {
    return !put && put.error().code == errc::limit_exceeded && put.error().reason == failure_reason::store_full &&
           put.error().effect == effect_kind::not_applied;
  };
  SECTION("by items") {
    memory_table store({.items_max = 2});
    REQUIRE(store.put({"a", ""}, {}));
    REQUIRE(store.put({"b", ""}, {}));
    CHECK(is_full(store.put({"c", ""}, {})));
    CHECK(store.size() == 2);
    CHECK(!store.get({"c", ""}).value().has_value());
    CHECK(store.put({"b", ""}, {{"x", true}}));  // no new room needed
    CHECK(store.erase({"a", ""}));
    CHECK(store.size() == 1);
    CHECK(store.put({"c", ""}, {}));
  }
  SECTION("by bytes, exactly") {
    memory_table store({.bytes_max = 20});
    const table_item largest{{"n", std::string(15, 'x')}};
    REQUIRE(store.put({"k", "ey"}, {{"n", std::string(16, 'x')}}));  // 3 + 1 + 16
    REQUIRE(store.put({"k", "ey"}, largest));                        // gives one back
    CHECK(is_full(store.put({"k", "ey"}, {{"n", std::string(17, 'x')}})));
    CHECK((store.get({"k", "ey"}).value() == largest));
    CHECK(is_full(store.put({"ke", ""}, {})));
    CHECK(store.put({"o", ""}, {}));
    CHECK(store.erase({"o", ""}));
    CHECK(store.erase({"k", "ey"}).value());
    CHECK(store.size() == 0);
    CHECK(store.put({"k", "ey"}, {{"n", std::string(16, 'x')}}));  // all was given back
  }
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
}

TEST_CASE("a memory_table without a clock of its own uses the system's", "[table][memory]") {
  memory_table store;
  CHECK(store.durability() == durability_level::memory);
  const auto now = std::chrono::steady_clock::now();
  CHECK(store.put({"k", ""}, {}, {.deadline = now + std::chrono::hours(1)}));
  CHECK(!store.put({"k", ""}, {}, {.deadline = now}));
}
