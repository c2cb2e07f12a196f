// SPDX-License-Identifier: MIT
// Changes of a table as events, on one thread and a clock that is moved. See change_feed_test.cpp for the reading
// itself.

#include "support/catch.hpp"

#include <dormouse/adapters/memory_table.hpp>
#include <dormouse/runtime.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/simulation.hpp>
#include <dormouse/triggers/on_change.hpp>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::manual_clock;
using strings = std::vector<std::string>;

namespace {

memory_table_options logged(const dormouse::clock& time, table_change_view view = table_change_view::both,
                            std::size_t changes_max = 1'000) {
  return {.schema = {.change_view = view, .changes_max = changes_max}, .time = &time};
}

// A table, and a host without threads whose only function notes the changes it is given.
struct scene {
  manual_clock time{};
  memory_table orders;
  std::vector<table_change> seen{};
  std::function<result<void>(const table_change&)> then{};
  runtime host{{.time = &time, .drive = drive_mode::host}};
  handle<void(const table_change&)> audit = host.define<void(const table_change&)>(
      "audit",
      [this](const table_change& what) -> result<void> {
        seen.push_back(what);
        return then ? then(what) : result<void>{};
      },
      {.queue_depth_max = 4, .retry = {.attempts_max = 2, .delay_first = 10s, .jitter_percent = 0}});

  explicit scene(table_change_view view = table_change_view::both, std::size_t changes_max = 1'000)
      : orders(logged(time, view, changes_max)) {}
  binding attach(on_change_options options = {}) {
    return host.attach(on_change(orders, std::move(options)), audit).value();
  }
  void put(const std::string& partition, std::int64_t total, const table_write_options& options = {}) {
    REQUIRE(orders.put({.partition = partition}, {{"total", total}}, options));
  }
  // To each deadline in turn.
  void pass(std::chrono::nanoseconds by) {
    const auto end = time.now() + by;
    host.poll();
    for (auto next = host.next_deadline(); next && *next <= end; next = host.next_deadline()) {
      if (*next > time.now()) time.advance(*next - time.now());
      host.poll();
    }
    time.advance(end - time.now());
    host.poll();
  }
  strings keys() const {
    strings found;
    for (const auto& each : seen) found.push_back(each.key.partition);
    return found;
  }
};

event event_with(std::string data) { return {.type = "dormouse.table.insert", .data = payload(std::move(data))}; }

}  // namespace

TEST_CASE("each change of a table becomes an event with the items before and after it", "[on_change]") {
  scene now;
  now.put("before", 0);
  now.attach();
  now.put("a", 1);
  now.put("a", 2);
  REQUIRE(now.orders.erase({.partition = "a"}));
  now.pass(0s);
  REQUIRE(now.seen.size() == 3);
  CHECK(now.seen[0].kind == table_change_kind::insert);
  CHECK(!now.seen[0].former.has_value());
  CHECK((now.seen[0].current == table_item{{"total", std::int64_t{1}}}));
  CHECK(now.seen[1].kind == table_change_kind::modify);
  CHECK((now.seen[1].former == table_item{{"total", std::int64_t{1}}}));
  CHECK((now.seen[1].current == table_item{{"total", std::int64_t{2}}}));
  CHECK(now.seen[2].kind == table_change_kind::remove);
  CHECK((now.seen[2].former == table_item{{"total", std::int64_t{2}}}));
  CHECK(!now.seen[2].current.has_value());
  CHECK(now.seen[0].sequence < now.seen[1].sequence);
  CHECK(now.seen[1].sequence < now.seen[2].sequence);
  CHECK(now.seen[2].sequence == now.orders.last_change().value());
}

TEST_CASE("a handler that takes the event sees what and which, and can decode the rest", "[on_change]") {
  scene now;
  std::vector<event> seen;
  auto raw = now.host.define("raw", [&](const event& message) { seen.push_back(message); });
  REQUIRE(now.host.attach(on_change(now.orders, {.source = "shop/orders"}), raw));
  const table_key key{.partition = "user/7%\xff", .sort = "2026 11"};
  REQUIRE(now.orders.put(key, {{"state", "paid"}}));
  now.pass(0s);
  REQUIRE(seen.size() == 1);
  const event& message = seen[0];
  CHECK(message.type == "dormouse.table.insert");
  CHECK(message.source == "shop/orders");
  CHECK(message.subject == "user%2F7%25%FF/2026%2011");
  CHECK(message.datacontenttype == codec<table_change>::content_type);
  REQUIRE(find_extension(message, "sequence") != nullptr);
  CHECK(*find_extension(message, "sequence") == std::to_string(now.orders.last_change().value()));
  CHECK(validate(message));
  const auto change = codec<table_change>::decode(message);
  REQUIRE(change);
  CHECK(change->key == key);
  CHECK((change->current == table_item{{"state", "paid"}}));
}

TEST_CASE("kinds, partitions and a condition say which changes are given", "[on_change]") {
  scene now;
  SECTION("kinds") {
    now.attach({.kinds = {table_change_kind::insert, table_change_kind::remove}});
    now.put("a", 1);
    now.put("a", 2);
    REQUIRE(now.orders.erase({.partition = "a"}));
    now.pass(0s);
    REQUIRE(now.seen.size() == 2);
    CHECK(now.seen[1].kind == table_change_kind::remove);
  }
  SECTION("partitions") {
    now.attach({.partition_prefix = "eu/"});
    for (const char* each : {"eu/a", "us/b", "eu", "eu/c"}) now.put(each, 1);
    now.pass(0s);
    CHECK(now.keys() == strings{"eu/a", "eu/c"});
  }
  SECTION("a condition: of the item as it is, or was last") {
    now.attach({.filter = field("total") >= 100});
    now.put("small", 1);
    now.put("large", 100);
    REQUIRE(now.orders.erase({.partition = "small"}));
    REQUIRE(now.orders.erase({.partition = "large"}));
    now.pass(0s);
    CHECK(now.keys() == strings{"large", "large"});
  }
}

TEST_CASE("a condition on a log that has no items lets all changes through", "[on_change]") {
  scene now(table_change_view::keys);
  now.attach({.filter = field("total") >= 100});
  now.put("small", 1);
  now.pass(0s);
  REQUIRE(now.keys() == strings{"small"});
  CHECK(!now.seen[0].current.has_value());
}

TEST_CASE("a change is not given before the event of its key's former change is over, retries included",
          "[on_change]") {
  scene now;
  int failures = 3;
  now.then = [&](const table_change& what) -> result<void> {
    if (what.key.partition == "a" && failures-- > 0) return failure{.code = errc::unavailable};
    return {};
  };
  now.attach();
  now.put("a", 1);
  now.put("a", 2);
  now.put("b", 1);
  now.pass(9s);
  CHECK(now.keys() == strings{"a", "b"});
  now.pass(1s);  // the second attempt fails, too: a dead letter, and the next change's turn
  REQUIRE(now.keys() == strings{"a", "b", "a", "a"});
  CHECK(now.seen[2].sequence == now.seen[0].sequence);
  CHECK(now.seen[3].sequence == now.seen[0].sequence + 1);
  now.pass(10s);
  CHECK(now.keys() == strings{"a", "b", "a", "a", "a"});
  CHECK(now.host.dead_letters().size() == 1);
}

TEST_CASE("a full queue delays changes and loses none", "[on_change]") {
  scene now;
  now.attach();
  REQUIRE(now.host.pause(now.audit));
  for (int i = 0; i < 20; ++i) now.put(std::to_string(i), i);
  now.pass(1s);
  CHECK(now.host.stats().queued == 4);
  REQUIRE(now.host.resume(now.audit));
  now.pass(10s);
  REQUIRE(now.seen.size() == 20);
  for (std::size_t i = 0; i < 20; ++i) CHECK(now.seen[i].key.partition == std::to_string(i));
}

TEST_CASE("a reader goes on where it was, in another runtime as well", "[on_change][reader]") {
  scene now;
  const auto first = now.attach({.reader = "audit"});
  now.put("a", 1);
  now.pass(0s);
  CHECK(now.host.detach(first));
  CHECK(now.orders.position("audit").value() == now.orders.last_change().value());
  now.put("b", 1);
  now.pass(0s);
  CHECK(now.keys() == strings{"a"});
  strings seen;
  runtime other({.time = &now.time, .drive = drive_mode::host});
  auto again = other.define("again", [&](const table_change& what) { seen.push_back(what.key.partition); });
  REQUIRE(other.attach(on_change(now.orders, {.reader = "audit"}), again));
  now.put("c", 1);
  other.poll();
  CHECK(seen == strings{"b", "c"});
}

TEST_CASE("a trigger may begin with the oldest change that is kept", "[on_change]") {
  scene now(table_change_view::keys, 3);
  for (const char* each : {"a", "b", "c", "d", "e"}) now.put(each, 1);
  now.attach({.from = log_start::oldest});
  now.pass(0s);
  CHECK(now.keys() == strings{"c", "d", "e"});
}

TEST_CASE("changes that were dropped from the log before they were read are reported", "[on_change][gap]") {
  scene now(table_change_view::keys, 3);
  std::optional<change_gap> gap;
  now.attach({.on_gap = [&](const change_gap& what) { gap = what; }});
  const auto before = now.orders.last_change().value();
  for (const char* each : {"a", "b", "c", "d", "e"}) now.put(each, 1);
  now.pass(0s);
  REQUIRE(gap);
  CHECK(gap->after == before);
  CHECK(gap->resumed_after == before + 2);
  CHECK(now.keys() == strings{"c", "d", "e"});
  CHECK(now.host.stats().observer_failures == 1);
}

TEST_CASE("an item that expires is a change in time, though nobody touches the table", "[on_change][expiry]") {
  scene now;
  now.put("early", 1, {.expires_at = now.time.wall() + 1h});
  now.attach();
  now.pass(59min);
  CHECK(now.seen.empty());
  now.pass(1min);
  REQUIRE(now.keys() == strings{"early"});
  CHECK(now.seen[0].kind == table_change_kind::expire);
  CHECK(now.seen[0].former.has_value());
  now.put("late", 1, {.expires_at = now.time.wall() + 10min});
  now.pass(10min - 1ns);
  CHECK(now.keys() == strings{"early", "late"});
  now.pass(1ns);
  REQUIRE(now.keys() == strings{"early", "late", "late"});
  CHECK(now.seen[2].kind == table_change_kind::expire);
  now.put("postponed", 1, {.expires_at = now.time.wall() + 1h});
  now.pass(30min);
  now.put("postponed", 2, {.expires_at = now.time.wall() + 2h});
  now.pass(119min);
  CHECK(now.seen.size() == 5);
  now.pass(1min);
  CHECK(now.seen.size() == 6);
}

TEST_CASE("a thousand items that expire together are all given", "[on_change][expiry]") {
  scene now(table_change_view::both, 100'000);
  now.attach({.kinds = {table_change_kind::expire}});
  for (int i = 0; i < 5'000; ++i) now.put(std::to_string(i), i, {.expires_at = now.time.wall() + 1h});
  now.pass(1h);
  now.pass(10s);
  CHECK(now.seen.size() == 5'000);
}

TEST_CASE("at rest there is no timer unless an item is to expire", "[on_change]") {
  scene now;
  now.put("lasting", 1);
  now.attach({.reader = "audit"});
  now.pass(1h);
  CHECK(!now.host.next_deadline());
  now.put("fleeting", 1, {.expires_at = now.time.wall() + 90min});
  now.pass(1h);
  REQUIRE(now.host.next_deadline());
  CHECK(*now.host.next_deadline() - now.time.now() == 30min);
  now.pass(31min);
  now.pass(1h);
  CHECK(!now.host.next_deadline());
  CHECK(now.host.stats().observer_failures == 0);
}

TEST_CASE("attaching says what is missing, and leaves nothing behind", "[on_change]") {
  manual_clock time;
  runtime host({.time = &time, .drive = drive_mode::host});
  auto audit = host.define("audit", [](const table_change&) {});
  memory_table silent({.time = &time});
  const auto refused = host.attach(on_change(silent), audit);
  REQUIRE(!refused);
  CHECK(refused.error().code == errc::unsupported);
  CHECK(refused.error().detail ==
        "the table keeps no log of its changes: make or open it with table_schema::change_view");
}

TEST_CASE("wrong options of on_change are refused by name", "[on_change]") {
  memory_table table(memory_table_options{.schema = {.change_view = table_change_view::keys}});
  const auto mistake = [&](on_change_options options) -> std::string {
    try {
      [[maybe_unused]] const auto made = on_change(table, std::move(options));
    } catch (const std::invalid_argument& why) {
      return why.what();
    }
    return {};
  };
  CHECK(mistake({}).empty());
  CHECK(mistake({.reader = "a b"}).find("on_change_options::reader") != std::string::npos);
  CHECK(mistake({.reader = std::string(65, 'a')}).find("::reader") != std::string::npos);
  CHECK(mistake({.kinds = {table_change_kind{9}}}).find("::kinds") != std::string::npos);
  CHECK(mistake({.partition_prefix = std::string(2'049, 'a')}).find("::partition_prefix") != std::string::npos);
  CHECK(mistake({.source = ""}).find("::source") != std::string::npos);
  CHECK(mistake({.in_flight_max = 0}).find("::in_flight_max") != std::string::npos);
  CHECK(mistake({.in_flight_max = 100'001}).find("::in_flight_max") != std::string::npos);
  CHECK(mistake({.retry_after = 0ms}).find("::retry_after") != std::string::npos);
  CHECK(mistake({.remember_after = -1ms}).find("::remember_after") != std::string::npos);
  condition deep = field("a").exists();
  for (int i = 0; i < 400; ++i) deep = deep || field("b").exists();
  CHECK(mistake({.filter = deep}).find("::filter") != std::string::npos);
}

TEST_CASE("a change survives as bytes, exactly", "[on_change][codec]") {
  attribute_map nested{{"deep", attribute_list{attribute{}, true, attribute_map{{"", "x"}}}}};
  for (std::size_t i = 0; i < 25; ++i) nested = {{"level", nested}};
  const table_change change{.sequence = std::numeric_limits<std::uint64_t>::max(),
                            .kind = table_change_kind::expire,
                            .key = {.partition = std::string("\0\xff", 2), .sort = sort_number(-5)},
                            .former = table_item{},
                            .current = table_item{{"null", {}},
                                                  {"truth", false},
                                                  {"low", std::numeric_limits<std::int64_t>::min()},
                                                  {"tiny", std::numeric_limits<double>::denorm_min()},
                                                  {"zero", -0.0},
                                                  {"text", std::string("a\0b", 3)},
                                                  {"bytes", payload(std::string(100, '\xfe'))},
                                                  {"list", attribute_list{}},
                                                  {"map", nested},
                                                  {"texts", text_set{"", "a"}},
                                                  {"numbers", number_set{-1, 0, 1}}}};
  const auto bytes = codec<table_change>::encode(change).value();
  const auto back = codec<table_change>::decode(event_with(std::string(bytes.text())));
  REQUIRE(back);
  CHECK(back->sequence == change.sequence);
  CHECK(back->kind == change.kind);
  CHECK(back->key == change.key);
  CHECK((back->former == change.former));
  CHECK((back->current == change.current));
  CHECK(std::signbit(std::get<double>(back->current->at("zero"))));
  CHECK((std::get<attribute_map>(back->current->at("map")) == nested));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto cut = codec<table_change>::decode(event_with(std::string(bytes.text().substr(0, size))));
    REQUIRE(!cut);
    CHECK(cut.error().reason == failure_reason::payload_type);
  }
  CHECK(!codec<table_change>::decode(event_with(std::string(bytes.text()) + '\0')));
}

TEST_CASE("bytes that were made up are refused, whatever they promise", "[on_change][codec]") {
  testing::for_each_seed({.first = 1, .count = 2'000}, [](std::uint64_t seed) {
    detail::random_source random(seed);
    const table_change change{.sequence = 1,
                              .key = {.partition = "p", .sort = "s"},
                              .current = table_item{{"list", attribute_list{"a", std::int64_t{1}, number_set{1}}}}};
    std::string bytes(codec<table_change>::encode(change).value().text());
    for (int i = 0; i < 3; ++i) bytes[random.below(bytes.size())] = static_cast<char>(random.next());
    const auto back = codec<table_change>::decode(event_with(bytes));
    return back || back.error().code == errc::invalid_argument;
  });
}

TEST_CASE("whatever interleaves, a key's changes come in their order and each of them comes",
          "[on_change][simulation]") {
  testing::for_each_seed({.first = 1, .count = 200}, [](std::uint64_t seed) {
    std::map<std::string, std::uint64_t> last;
    std::uint64_t over = 0;
    bool in_order = true;
    const std::size_t queue = 1 + seed % 5;
    testing::simulation sim(seed);
    memory_table table(memory_table_options{.schema = {.change_view = table_change_view::keys}, .time = &sim.time()});
    // Retries and dead letters among them: an attempt of an earlier change after one of a later is a breach.
    auto work = sim.host().define("work",
                                  [&](const table_change& what) -> result<void> {
                                    auto& latest = last[what.key.partition];
                                    in_order = in_order && what.sequence >= latest;
                                    if (what.sequence > latest) ++over;
                                    latest = what.sequence;
                                    sim.time().advance(std::chrono::milliseconds{sim.random_below(20)});
                                    if (sim.chance(20)) return failure{.code = errc::unavailable};
                                    return {};
                                  },
                                  {.queue_depth_max = queue, .retry = {.attempts_max = 2, .delay_first = 100ms}});
    const auto bound = sim.host().attach(on_change(table, {.in_flight_max = 1 + seed % 7}), work).value();
    for (int i = 0; i < 60; ++i) {
      REQUIRE(table.put({.partition = std::to_string(sim.random_below(5))}, {}));
      if (sim.chance(30)) sim.advance(std::chrono::milliseconds{sim.random_below(50)});
    }
    sim.advance(1h);
    const bool done = sim.drain_until_idle();
    REQUIRE(sim.host().detach(bound));  // the table goes by its clock, and so ends first
    return done && in_order && over == 60;
  });
}
