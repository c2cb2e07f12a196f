// SPDX-License-Identifier: MIT
// What is the interface's own: checks before the adapter, capabilities, cursors, containment, and the functions that an
// adapter need not have.

#include "support/catch.hpp"

#include <dormouse/services/table.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/service_harness.hpp>

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
using namespace std::chrono_literals;
using dormouse::testing::refused;

namespace {

constexpr auto invalid = errc::invalid_argument;

table_capabilities all_of_them() {
  return {.conditions = true,
          .updates = true,
          .transactions = true,
          .expiry = true,
          .tokens = true,
          .change_log = true,
          .strong_index_reads = true,
          .indexes = {{"by_state", "state", "", {}}}};
}

// Counts what reaches it, keeps what it was given, and does what it is told.
class probe final : public table {
 public:
  explicit probe(const dormouse::clock& clock, table_capabilities able = all_of_them())
      : table(clock), able_(std::move(able)) {}
  const table_capabilities& capabilities() const noexcept override { return able_; }
  durability_level durability() const noexcept override { return durability_level::memory; }

  int reached = 0;
  std::function<void()> act{};  // may throw
  std::optional<failure> answer{};
  std::vector<table_write> writes{};
  std::optional<dormouse::clock::time_point> deadline{};
  std::optional<std::string> after{};
  std::string place{};  // where its pages end
  table_version version = 7;

 private:
  template <class T>
  result<T> arrive(const std::optional<dormouse::clock::time_point>& until, result<T> otherwise) {
    ++reached;
    deadline = until;
    if (act) act();
    if (answer) return *answer;
    return otherwise;
  }
  result<table_page> page(const std::optional<dormouse::clock::time_point>& until, std::string_view from) {
    after = from.data() != nullptr ? std::optional<std::string>(from) : std::nullopt;
    return arrive<table_page>(until, table_page{.cursor = place});
  }
  result<std::optional<stored_item>> do_get(const table_key& key, const table_get_options& options) override {
    std::optional<stored_item> found;
    if (key.partition != "absent") found.emplace().version = version;
    return arrive<std::optional<stored_item>>(options.deadline, std::move(found));
  }
  result<write_outcome> do_write(table_write&& what, const table_write_options& options) override {
    writes.push_back(std::move(what));
    return arrive<write_outcome>(options.deadline, write_outcome{{.version = version}, true});
  }
  result<table_page> do_query(const table_query& what, std::string_view from) override {
    return page(what.deadline, from);
  }
  result<table_page> do_scan(const table_scan& what, std::string_view from) override {
    return page(what.deadline, from);
  }
  result<std::vector<table_version>> do_transact(std::vector<table_write>&& all,
                                                 const table_transaction_options& options) override {
    writes = std::move(all);
    return arrive<std::vector<table_version>>(options.deadline, std::vector<table_version>(writes.size(), version));
  }
  result<std::optional<calendar_time>> do_remove_expired(std::size_t, const call_options& options) override {
    return arrive<std::optional<calendar_time>>(options.deadline, std::optional<calendar_time>{});
  }
  result<std::vector<table_change>> do_changes(std::uint64_t, std::size_t, const call_options& options) override {
    return arrive<std::vector<table_change>>(options.deadline, std::vector<table_change>{});
  }
  result<std::uint64_t> do_last_change(const call_options& options) override {
    return arrive<std::uint64_t>(options.deadline, std::uint64_t{3});
  }
  result<std::optional<std::uint64_t>> do_position(std::string_view, const call_options& options) override {
    return arrive<std::optional<std::uint64_t>>(options.deadline, std::optional<std::uint64_t>{});
  }
  result<void> do_remember(std::string_view, std::uint64_t, const call_options& options) override {
    return arrive<void>(options.deadline, {});
  }

  const table_capabilities able_;
};

struct fixture {
  testing::manual_clock time{};
  probe store{time};
};

// Calls everything that takes a deadline, and `check(got, writes)` with what each gave.
template <class Check>
void call_each(table& store, const std::optional<dormouse::clock::time_point>& deadline, Check&& check) {
  const table_key key{"k", ""};
  check(store.get(key, {.deadline = deadline}), false);
  check(store.put(key, {}, {.deadline = deadline}), true);
  check(store.update(key, table_update().set(field("a"), 1), {.deadline = deadline}), true);
  check(store.erase(key, {.deadline = deadline}), true);
  check(store.transact({put_write(key, {})}, {.deadline = deadline}), true);
  check(store.query({.partition = "k", .deadline = deadline}), false);
  check(store.scan({.deadline = deadline}), false);
  check(store.remove_expired(1, {.deadline = deadline}), true);
  check(store.changes(0, 1, {.deadline = deadline}), false);
  check(store.last_change({.deadline = deadline}), false);
  check(store.position("r", {.deadline = deadline}), false);
  check(store.remember("r", 0, {.deadline = deadline}), true);
}

// A list within a list, and so on: `levels` of them.
attribute nested(std::size_t levels) {
  attribute value = "leaf";
  for (; levels > 0; --levels) {
    if (levels % 2 == 0) {
      attribute_map outer;
      outer.emplace("m", std::move(value));
      value = std::move(outer);
    } else {
      attribute_list outer;
      outer.push_back(std::move(value));
      value = std::move(outer);
    }
  }
  return value;
}

std::vector<table_write> puts(std::size_t count, std::size_t bytes = 0) {
  std::vector<table_write> writes;
  for (std::size_t i = 0; i < count; ++i) {
    table_item item;
    if (bytes > 0) item.emplace("x", std::string(bytes, 'x'));
    writes.push_back(put_write({std::to_string(i), ""}, std::move(item)));
  }
  return writes;
}

condition beyond_limits() {
  condition all = field("a") == 0;
  for (std::int64_t i = 1; i <= 400; ++i) all = all && field("a") != i;
  return all;
}

// What it says about this schema; empty when it takes it.
std::string refusal_of(const table_schema& schema) {
  try {
    check_table_schema(schema, "my_options");
    return {};
  } catch (const std::invalid_argument& why) {
    return why.what();
  }
}

}  // namespace

TEST_CASE("keys and items that no table takes never reach the adapter", "[table]") {
  fixture at;
  const std::string longest(table::partition_bytes_max, 'p');
  for (const table_key& bad : {table_key{}, {"", "s"}, {longest + "p", ""}, {"p", longest}}) {
    CHECK(refused(at.store.get(bad), invalid, failure_reason::key_bytes));
    CHECK(refused(at.store.put(bad, {}), invalid, failure_reason::key_bytes));
    CHECK(refused(at.store.update(bad, {}), invalid, failure_reason::key_bytes));
    CHECK(refused(at.store.erase(bad), invalid, failure_reason::key_bytes));
    CHECK(refused(at.store.get_batch({{"k", ""}, bad}), invalid, failure_reason::key_bytes));
    CHECK(refused(at.store.write_batch({erase_write(bad)}), invalid, failure_reason::key_bytes));
    CHECK(refused(at.store.transact({erase_write(bad)}), invalid, failure_reason::key_bytes));
  }
  const table_key key{"k", ""};
  const auto put = [&](attribute value) { return at.store.put(key, {{"n", std::move(value)}}); };
  CHECK(refused(at.store.put(key, {{"", true}}), invalid, failure_reason::name));
  CHECK(refused(at.store.put(key, {{std::string(256, 'n'), true}}), invalid, failure_reason::name));
  CHECK(refused(put(attribute_map{{"", true}}), invalid, failure_reason::name));
  CHECK(refused(put(std::numeric_limits<double>::quiet_NaN()), invalid));
  CHECK(refused(put(attribute_list{1, -std::numeric_limits<double>::infinity()}), invalid));
  CHECK(refused(put(nested(table::item_levels_max + 1)), invalid));
  CHECK(refused(put(std::string(table::item_bytes_max, 'x')), errc::too_large, failure_reason::value_bytes));
  CHECK(at.store.reached == 0);
  CHECK(put(nested(table::item_levels_max)));
  CHECK(put(std::string(table::item_bytes_max - 1, 'x')));
  CHECK(at.store.put({longest, std::string(table::sort_bytes_max, 's')}, {{std::string(255, 'n'), true}}));
  CHECK(at.store.reached == 3);
}

TEST_CASE("a value that is nested without end is refused without descending into it", "[table]") {
  fixture at;
  CHECK(refused(at.store.put({"k", ""}, {{"n", nested(200)}}), invalid));
  CHECK(at.store.reached == 0);
}

TEST_CASE("options of a write that contradict each other never reach the adapter", "[table]") {
  fixture at;
  const table_key key{"k", ""};
  for (const write_condition& when : {write_condition{.if_absent = true, .if_exists = true},
                                      {.if_absent = true, .if_version = 1},
                                      {.if_exists = true, .if_version = 1},
                                      {.holds = beyond_limits()}}) {
    CHECK(refused(at.store.put(key, {}, {.when = when}), invalid));
    CHECK(refused(at.store.update(key, {}, {.when = when}), invalid));
    CHECK(refused(at.store.erase(key, {.when = when}), invalid));
    CHECK(refused(at.store.transact({check_write(key, when)}), invalid));
  }
  CHECK(refused(at.store.erase(key, {.expires_at = calendar_time{}}), invalid));
  CHECK(refused(at.store.put(key, {}, {.token = std::string(table::token_bytes_max + 1, 't')}), invalid));
  auto wrong = put_write(key, {{"a", 1}});
  wrong.kind = table_write_kind::erase;
  CHECK(refused(at.store.write_batch({wrong}), invalid));
  wrong.kind = static_cast<table_write_kind>(77);
  CHECK(refused(at.store.write_batch({wrong}), invalid));
  CHECK(refused(at.store.write_batch({check_write(key, {.if_exists = true})}), invalid));
  CHECK(at.store.reached == 0);
}

TEST_CASE("batches and transactions are bounded, and have no key twice", "[table]") {
  fixture at;
  std::vector<table_key> keys;
  for (int i = 0; i <= 100; ++i) keys.push_back({"k", std::to_string(i)});
  CHECK(refused(at.store.get_batch(keys), invalid, failure_reason::page_size));
  CHECK(refused(at.store.write_batch(puts(101)), invalid, failure_reason::page_size));
  CHECK(refused(at.store.transact(puts(101)), invalid, failure_reason::page_size));
  CHECK(refused(at.store.transact({}), invalid, failure_reason::page_size));
  CHECK(refused(at.store.get_batch({{"a", "b"}, {"a", ""}, {"a", "b"}}), invalid));
  CHECK(refused(at.store.write_batch({put_write({"a", ""}, {}), erase_write({"a", ""})}), invalid));
  CHECK(refused(at.store.transact({put_write({"a", ""}, {}), check_write({"a", ""}, {.if_exists = true})}), invalid));
  CHECK(refused(at.store.transact(puts(11, 390'000)), errc::too_large, failure_reason::value_bytes));
  std::vector<table_write> updates;
  for (const char* key : {"a", "b", "c"}) {
    updates.push_back(update_write({key, ""}, table_update().set(field("x"), std::string(1'500'000, 'x'))));
  }
  CHECK(refused(at.store.transact(std::move(updates)), errc::too_large, failure_reason::value_bytes));
  CHECK(at.store.reached == 0);
  keys.pop_back();
  CHECK(at.store.get_batch(keys).value().found.size() == 100);
  CHECK(at.store.get_batch({}).value().found.empty());
  CHECK(at.store.write_batch({}).value().empty());
  CHECK(at.store.transact(puts(100)));
}

TEST_CASE("a wrong argument in one write refuses the whole batch, and says which", "[table]") {
  fixture at;
  const auto got = at.store.write_batch({put_write({"a", ""}, {}), put_write({"b", ""}, {{"", 1}})});
  CHECK(refused(got, invalid, failure_reason::name));
  CHECK(got.error().detail == "write 1: attribute name of 0 bytes; give 1 .. 255");
  CHECK(at.store.reached == 0);
}

TEST_CASE("questions that no table understands never reach the adapter", "[table]") {
  fixture at;
  const std::string too_long(table::sort_bytes_max + 1, 's');
  CHECK(refused(at.store.query({.partition = ""}), invalid, failure_reason::key_bytes));
  CHECK(refused(at.store.query({.partition = "p", .sort = {.from = too_long}}), invalid, failure_reason::key_bytes));
  CHECK(refused(at.store.query({.partition = "p", .sort = {.to = too_long}}), invalid, failure_reason::key_bytes));
  CHECK(refused(at.store.query({.partition = "p", .sort = {.prefix = too_long}}), invalid, failure_reason::key_bytes));
  CHECK(refused(at.store.query({.partition = "p", .sort = {.from = "a", .prefix = "b"}}), invalid));
  CHECK(refused(at.store.query({.partition = "p", .index = "none"}), invalid, failure_reason::name));
  CHECK(refused(at.store.query({.partition = "p", .filter = beyond_limits()}), invalid));
  CHECK(refused(at.store.query({.partition = "p", .projection = {""}}), invalid, failure_reason::name));
  CHECK(refused(at.store.scan({.projection = std::vector<std::string>(101, "a")}), invalid));
  CHECK(refused(at.store.scan({.filter = beyond_limits()}), invalid));
  CHECK(refused(at.store.scan({.segment = 2, .segments = 2}), invalid));
  for (const std::size_t bad : {std::size_t{0}, table::page_size_max + 1}) {
    CHECK(refused(at.store.query({.partition = "p", .page_size = bad}), invalid, failure_reason::page_size));
    CHECK(refused(at.store.scan({.page_size = bad}), invalid, failure_reason::page_size));
    CHECK(refused(at.store.scan({.segments = bad}), invalid, failure_reason::page_size));
    CHECK(refused(at.store.changes(0, bad), invalid, failure_reason::page_size));
    CHECK(refused(at.store.remove_expired(bad), invalid, failure_reason::page_size));
  }
  CHECK(refused(at.store.position("a b"), invalid, failure_reason::name));
  CHECK(refused(at.store.remember("", 0), invalid, failure_reason::name));
  CHECK(at.store.reached == 0);
}

TEST_CASE("what an adapter cannot do is refused before any effect", "[table]") {
  testing::manual_clock time;
  probe store(time, {.indexes = {{"by_state", "state", "", {}}}});
  const table_key key{"k", ""};
  const auto unsupported = [](const auto& got) { return refused(got, errc::unsupported); };
  CHECK(unsupported(store.put(key, {}, {.when = {.if_absent = true}})));
  CHECK(unsupported(store.erase(key, {.when = {.holds = field("a").exists()}})));
  CHECK(unsupported(store.put(key, {}, {.expires_at = calendar_time{}})));
  CHECK(unsupported(store.put(key, {}, {.token = "t"})));
  CHECK(unsupported(store.update(key, table_update().set(field("a"), 1))));
  CHECK(unsupported(store.write_batch({put_write(key, {}, {.if_exists = true})})));
  CHECK(unsupported(store.transact({put_write(key, {})})));
  CHECK(unsupported(store.query({.partition = "p", .index = "by_state"})));
  CHECK(unsupported(store.remove_expired()));
  CHECK(unsupported(store.changes(0)));
  CHECK(unsupported(store.last_change()));
  CHECK(unsupported(store.position("r")));
  CHECK(unsupported(store.remember("r", 1)));
  struct : change_watcher {
    void changed() noexcept override {}
  } watcher;
  CHECK(unsupported(store.watch(watcher)));
  store.unwatch(watcher);
  CHECK(store.reached == 0);
  CHECK(store.query({.partition = "p", .index = "by_state", .consistency = read_consistency::eventual}));
}

TEST_CASE("a wrong argument is named before a deadline that has passed", "[table]") {
  fixture at;
  at.time.advance(1ms);
  const auto late = at.time.now();
  CHECK(refused(at.store.put({"k", ""}, {{"", true}}, {.deadline = late}), invalid, failure_reason::name));
  CHECK(refused(at.store.get({}, {.deadline = late}), invalid, failure_reason::key_bytes));
  CHECK(refused(at.store.scan({.page_size = 0, .deadline = late}), invalid, failure_reason::page_size));
  call_each(at.store, late, [](const auto& got, bool) {
    CHECK(refused(got, errc::deadline_exceeded, failure_reason::caller_deadline));
  });
  CHECK(refused(at.store.get_batch({{"k", ""}}, {.deadline = late}), errc::deadline_exceeded,
                failure_reason::caller_deadline));
  CHECK(
      refused(at.store.write_batch({}, {.deadline = late}), errc::deadline_exceeded, failure_reason::caller_deadline));
  CHECK(at.store.reached == 0);
}

TEST_CASE("a refusal says what was wrong, in printable words", "[table]") {
  fixture at;
  CHECK(at.store.get({"", "ab"}).error().detail ==
        "key of 0 and 2 bytes; give a partition of 1 .. 2048 and a sort of 0 .. 1024");
  const auto put = at.store.put({"k", ""}, {{"a\n\xff", std::numeric_limits<double>::infinity()}});
  CHECK(put.error().detail == "attribute \"a..\": a number that is not finite");
}

TEST_CASE("a call arrives once, with its deadline", "[table]") {
  fixture at;
  const auto deadline = at.time.now() + 1h;
  int calls = 0;
  call_each(at.store, deadline, [&](const auto& got, bool) {
    CHECK(got);
    CHECK(at.store.reached == ++calls);
    CHECK(at.store.deadline == deadline);
  });
}

TEST_CASE("a write arrives with its options", "[table]") {
  fixture at;
  const auto ends = at.time.wall() + 1h;
  const table_write_options options{.when = {.if_version = 5}, .expires_at = ends};
  CHECK(at.store.put({"k", "s"}, {{"a", 1}}, options).value() == 7);
  CHECK(at.store.update({"l", ""}, table_update().set(field("a"), 1), options).value().version == 7);
  CHECK(at.store.erase({"m", ""}, {.when = {.if_exists = true}}).value());
  REQUIRE(at.store.writes.size() == 3);
  const auto& [put, update, erase] = std::tie(at.store.writes[0], at.store.writes[1], at.store.writes[2]);
  CHECK((put.kind == table_write_kind::put && put.key == table_key{"k", "s"} && put.item.size() == 1));
  CHECK((put.when.if_version == 5 && put.expires_at == ends));
  CHECK((update.kind == table_write_kind::update && update.update.actions().size() == 1));
  CHECK((update.when.if_version == 5 && update.expires_at == ends));
  CHECK((erase.kind == table_write_kind::erase && erase.when.if_exists && !erase.expires_at));
}

TEST_CASE("what a call leaves for its caller is reset before it is refused", "[table]") {
  fixture at;
  std::optional<stored_item> former = stored_item{};
  CHECK(!at.store.put({}, {}, {.former = &former}));
  CHECK(!former);
  std::vector<std::size_t> failed{1};
  CHECK(!at.store.transact({}, {.failed = &failed}));
  CHECK(failed.empty());
}

TEST_CASE("what an adapter of tables throws becomes a failure with its effect", "[table]") {
  fixture at;
  const int thrown = GENERATE(1, 2, 3);
  at.store.act = [&] {
    if (thrown == 1) throw std::bad_alloc{};
    if (thrown == 2) throw std::runtime_error("engine");
    throw 3;
  };
  const auto check = [&](const auto& got, bool writes) {
    REQUIRE(!got);
    CHECK(got.error().code == (thrown == 1 ? errc::out_of_memory : errc::internal));
    CHECK(got.error().effect == (writes ? effect_kind::unknown : effect_kind::not_applied));
    if (thrown == 2) CHECK(got.error().detail == "engine");
  };
  call_each(at.store, {}, check);
  check(at.store.get_batch({{"k", ""}}), false);
  const auto batch = at.store.write_batch(puts(2)).value();  // each as if alone
  for (const auto& each : batch) check(each, true);
  CHECK(batch.size() == 2);
}

TEST_CASE("what an adapter of tables answers is passed on as it is", "[table]") {
  fixture at;
  at.store.answer = failure{.code = errc::unavailable, .effect = effect_kind::applied, .detail = "engine"};
  const auto check = [&](const auto& got, bool) {
    REQUIRE(!got);
    CHECK(got.error() == *at.store.answer);
  };
  call_each(at.store, {}, check);
  check(at.store.get_batch({{"k", ""}}), false);
  check(at.store.write_batch(puts(1)).value()[0], true);
}

TEST_CASE("what a batch has not read before its deadline is unprocessed", "[table]") {
  fixture at;
  const auto deadline = at.time.now() + 2ms;
  at.store.act = [&] { at.time.advance(1ms); };
  const std::vector<table_key> keys{{"absent", ""}, {"b", ""}, {"c", ""}, {"d", ""}};
  const auto batch = at.store.get_batch(keys, {.deadline = deadline}).value();
  CHECK(at.store.reached == 2);
  REQUIRE(batch.found.size() == 1);
  CHECK(batch.found[0].key == keys[1]);
  CHECK(batch.unprocessed == std::vector<table_key>{keys[2], keys[3]});
}

TEST_CASE("what a batch has not written before its deadline has failed so, and changed nothing", "[table]") {
  fixture at;
  const auto deadline = at.time.now() + 2ms;
  at.store.act = [&] { at.time.advance(1ms); };
  const auto answers = at.store
                           .write_batch({put_write({"a", ""}, {}), erase_write({"b", ""}), put_write({"c", ""}, {})},
                                        {.deadline = deadline})
                           .value();
  REQUIRE(answers.size() == 3);
  CHECK(answers[0].value() == 7);
  CHECK(answers[1].value() == 0);  // an erase
  CHECK(refused(answers[2], errc::deadline_exceeded, failure_reason::caller_deadline));
}

TEST_CASE("a page ends with a cursor only if the adapter says where it ended, and goes on there", "[table]") {
  fixture at;
  const std::string place("at \0\xff", 5);
  at.store.place = place;
  const table_query what{.partition = "p", .sort = {.from = "a"}, .filter = field("n") > 1, .page_size = 2};
  const auto page = at.store.query(what).value();
  CHECK(!at.store.after);
  REQUIRE(!page.cursor.empty());
  at.store.place.clear();
  auto next = what;
  next.cursor = page.cursor;
  next.page_size = 3;  // may change from page to page
  CHECK(at.store.query(next).value().cursor.empty());
  CHECK(at.store.after == place);

  at.store.place = place;
  table_scan walk{.segment = 1, .segments = 2};
  walk.cursor = at.store.scan(walk).value().cursor;
  CHECK(!at.store.after);
  CHECK(at.store.scan(walk));
  CHECK(at.store.after == place);
}

TEST_CASE("a cursor is good for its own question only", "[table]") {
  fixture at;
  at.store.place = "there";
  const table_query what{.partition = "p", .sort = {.from = "a"}, .filter = field("n") > 1};
  const auto cursor = at.store.query(what).value().cursor;
  const auto is_refused = [&](const std::function<void(table_query&)>& change) {
    auto other = what;
    other.cursor = cursor;
    change(other);
    const auto got = at.store.query(other);
    return refused(got, invalid) && got.error().detail == "the cursor belongs to another question";
  };
  CHECK(!is_refused([](table_query&) {}));
  CHECK(is_refused([](table_query& other) { other.partition = "q"; }));
  CHECK(is_refused([](table_query& other) { other.sort.from = "b"; }));
  CHECK(is_refused([](table_query& other) { other.sort.to = "b"; }));
  CHECK(is_refused([](table_query& other) { other.sort = {.prefix = "a"}; }));
  CHECK(is_refused([](table_query& other) { other.descending = true; }));
  CHECK(is_refused([](table_query& other) { other.index = "by_state"; }));
  CHECK(is_refused([](table_query& other) { other.filter = field("n") > 2; }));
  CHECK(is_refused([](table_query& other) { other.projection = {"a"}; }));
  CHECK(refused(at.store.scan({.cursor = cursor}), invalid));
  const auto scanned = at.store.scan().value().cursor;
  CHECK(refused(at.store.scan({.segment = 1, .segments = 2, .cursor = scanned}), invalid));
  CHECK(refused(at.store.scan({.filter = field("n").exists(), .cursor = scanned}), invalid));
}

TEST_CASE("a table's cursor that is cut short or changed anywhere is refused", "[table]") {
  fixture at;
  at.store.place = "place";
  const auto cursor = at.store.scan().value().cursor;
  const auto is_refused = [&](std::string harmed) {
    return refused(at.store.scan({.cursor = std::move(harmed)}), invalid);
  };
  REQUIRE(!is_refused(cursor));
  at.store.reached = 0;
  for (std::size_t at_byte = 0; at_byte < cursor.size(); ++at_byte) {
    CAPTURE(at_byte);
    if (at_byte > 0) CHECK(is_refused(cursor.substr(0, at_byte)));
    CHECK(is_refused(cursor.substr(at_byte + 1) + "0"));
    for (const char other : {'0', '1', 'f', 'A', '.', '\0', '\xff'}) {
      auto changed = cursor;
      changed[at_byte] = other;
      if (changed != cursor) CHECK(is_refused(changed));
    }
  }
  CHECK(at.store.reached == 0);
}

TEST_CASE("an item's bytes are its names and values", "[table]") {
  CHECK(table::item_bytes({}) == 0);
  CHECK(table::item_bytes({{"ab", {}}}) == 3);
  CHECK(table::item_bytes({{"ab", true}}) == 3);
  CHECK(table::item_bytes({{"ab", std::int64_t{1}}}) == 10);
  CHECK(table::item_bytes({{"ab", 1.0}}) == 10);
  CHECK(table::item_bytes({{"ab", std::string("xyz")}}) == 5);
  CHECK(table::item_bytes({{"ab", payload("xyz")}, {"c", std::string()}}) == 6);
  CHECK(table::item_bytes({{"ab", attribute_list{}}}) == 2 + 3);
  CHECK(table::item_bytes({{"ab", attribute_list{1, "xyz"}}}) == 2 + 3 + (8 + 1) + (3 + 1));
  CHECK(table::item_bytes({{"ab", attribute_map{{"cd", true}}}}) == 2 + 3 + (2 + 1 + 1));
  CHECK(table::item_bytes({{"ab", text_set{"x", "yz"}}}) == 2 + 3 + (1 + 1) + (2 + 1));
  CHECK(table::item_bytes({{"ab", number_set{1, 2}}}) == 2 + 3 + 2 * (8 + 1));
}

TEST_CASE("numbers in keys are ordered as the numbers are", "[table]") {
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  std::string former;
  for (const std::int64_t each : {least, least + 1, std::int64_t{-256}, std::int64_t{-1}, std::int64_t{0},
                                  std::int64_t{1}, std::int64_t{255}, std::int64_t{256}, most}) {
    CAPTURE(each);
    const auto bytes = sort_number(each);
    CHECK(bytes.size() == 8);
    CHECK((table_key{"p", former} < table_key{"p", bytes}));
    CHECK(sort_number_of(bytes) == each);
    former = bytes;
  }
  CHECK(sort_number_of("1234567") == 0);
}

TEST_CASE("a schema outside its bounds is refused by name", "[table]") {
  const table_index good{"by_state", "state", "at", {"total"}};
  CHECK(refusal_of({.indexes = std::vector<table_index>(1, good)}).empty());
  const auto says = [](const table_schema& schema, std::string_view word) {
    return refusal_of(schema).find(word) != std::string::npos;
  };
  CHECK(says({.indexes = {good, good}}, "my_options::schema.indexes[1].name"));
  CHECK(says({.indexes = std::vector<table_index>(21, good)}, "indexes.size() is 21; give 0 .. 20"));
  for (const std::string& name : {std::string(), std::string("a b"), std::string(65, 'a')}) {
    CHECK(says({.indexes = {{name, "state", "", {}}}}, "indexes[0].name"));
  }
  CHECK(says({.indexes = {{"n", "", "", {}}}}, "indexes[0].partition_field"));
  CHECK(says({.indexes = {{"n", "s", std::string(256, 's'), {}}}}, "indexes[0].sort_field"));
  CHECK(says({.indexes = {{"n", "s", "", {""}}}}, "indexes[0].projection"));
  CHECK(says({.indexes = {{"n", "s", "", std::vector<std::string>(101, "a")}}}, "indexes[0].projection"));
  CHECK(says({.change_view = static_cast<table_change_view>(9)}, "change_view"));
  CHECK(says({.changes_max = 0}, "changes_max"));
  CHECK(says({.changes_max = 100'000'001}, "changes_max"));
  CHECK(says({.changes_age = 0s}, "changes_age"));
  CHECK(says({.changes_age = std::chrono::hours(366 * 24)}, "changes_age"));
}

TEST_CASE("an item stands in an index only with fields that it can be found by", "[table]") {
  const table_index index{"i", "p", "s", {}};
  CHECK(table_index_key(index, {{"p", "a"}, {"s", payload("b")}}) == table_key{"a", "b"});
  CHECK(table_index_key(index, {{"p", std::int64_t{5}}, {"s", ""}}) == table_key{sort_number(5), ""});
  CHECK(table_index_key({"i", "p", "", {}}, {{"p", "a"}}) == table_key{"a", ""});
  for (const table_item& without : {table_item{},
                                    {{"p", "a"}},
                                    {{"s", "a"}},
                                    {{"p", ""}, {"s", "a"}},
                                    {{"p", 1.5}, {"s", "a"}},
                                    {{"p", "a"}, {"s", true}},
                                    {{"p", std::string(2'049, 'a')}, {"s", "a"}},
                                    {{"p", "a"}, {"s", std::string(1'025, 'a')}}}) {
    CHECK(table_index_key(index, without) == std::nullopt);
  }
}
