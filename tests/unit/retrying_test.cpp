// SPDX-License-Identifier: MIT
// Which calls are made again, when, and that none of them happens twice.

#include "support/catch.hpp"

#include <dormouse/adapters/memory_object_store.hpp>
#include <dormouse/adapters/memory_table.hpp>
#include <dormouse/adapters/retrying_object_store.hpp>
#include <dormouse/adapters/retrying_table.hpp>
#include <dormouse/testing/eventually.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/faulty_object_store.hpp>
#include <dormouse/testing/services/faulty_table.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using operation = service_operation;

namespace {

const table_key ann{"ann", ""};
const table_item hello{{"text", "hello"}};

// A table that fails as planned behind one that tries again, whose waits move the clock and are noted.
struct tables {
  testing::manual_clock time{};
  testing::service_fault_plan plan{time};
  memory_table inner{{.schema = {.change_view = table_change_view::keys}, .time = &time}};
  testing::faulty_table faulty{inner, plan};
  std::vector<std::chrono::nanoseconds> waits{};

  retrying_options options(retrying_options given = {}) {
    given.wait = [this](dormouse::clock::time_point until) {
      waits.push_back(until - time.now());
      time.advance(waits.back());
      return true;
    };
    return given;
  }
  std::uint64_t writes() { return inner.last_change().value(); }
};

struct stores {
  testing::manual_clock time{};
  testing::service_fault_plan plan{time};
  memory_object_store inner{{.time = &time}};
  testing::faulty_object_store faulty{inner, plan};
  retrying_object_store store{faulty, {.delay_first = {}, .replay_bytes_max = 100}};

  std::string bytes(std::string_view key) { return std::string(inner.get(key).value().data.text()); }
};

template <class T>
bool failed(const result<T>& got, errc code, effect_kind effect) {
  return !got && got.error().code == code && got.error().effect == effect;
}

failure passing(std::chrono::milliseconds retry_after, effect_kind effect = effect_kind::not_applied) {
  return {.code = errc::unavailable, .effect = effect, .retry_after = retry_after};
}

}  // namespace

TEST_CASE("a call that has changed nothing is made again until it succeeds or attempts_max is reached", "[retrying]") {
  tables at;
  retrying_table store(at.faulty, at.options({.attempts_max = 3}));
  at.plan.fail({.of = operation::table_put, .times = 2});
  CHECK(store.put(ann, hello));
  CHECK((store.repeated() == 2 && at.waits.size() == 2 && at.writes() == 1));
  CHECK((store.get(ann).value()->item == hello));  // the item was not moved away by the attempts that failed
  at.plan.fail({.of = operation::table_erase, .times = 3});
  CHECK(failed(store.erase(ann), errc::unavailable, effect_kind::not_applied));
  CHECK((at.plan.fired(testing::fault::fail) == 5 && at.plan.unfired().empty()));
  CHECK(at.writes() == 1);
}

TEST_CASE("a write whose reply is lost is made again with a token only, and happens once", "[retrying]") {
  tables at;
  retrying_table store(at.faulty, at.options());
  const auto lost = [&](operation what) { at.plan.lose_reply({.of = what}); };
  lost(operation::table_put);
  CHECK(failed(store.put(ann, hello), errc::unavailable, effect_kind::unknown));
  lost(operation::table_update);
  CHECK(failed(store.update(ann, table_update().increment(field("n"), 1)), errc::unavailable, effect_kind::unknown));
  lost(operation::table_transact);
  CHECK(failed(store.transact({put_write(ann, hello)}), errc::unavailable, effect_kind::unknown));
  lost(operation::table_write_batch);
  CHECK(failed(store.write_batch({put_write(ann, hello)}), errc::unavailable, effect_kind::unknown));
  CHECK((store.repeated() == 0 && at.writes() == 4));  // each has happened once, and its caller decides

  lost(operation::table_put);
  const auto version = store.put(ann, {{"n", std::int64_t{1}}}, {.token = "put"});
  CHECK(version.value() == store.get(ann).value()->version);
  lost(operation::table_update);
  const auto updated = store.update(ann, table_update().increment(field("n"), 1), {.token = "update"});
  CHECK((updated.value().item == table_item{{"n", std::int64_t{2}}}));
  lost(operation::table_transact);
  CHECK(store.transact({update_write(ann, table_update().increment(field("n"), 1))}, {.token = "transact"}));
  lost(operation::table_erase);
  CHECK(store.erase(ann, {.token = "erase"}).value());  // it was there, at the first attempt
  CHECK((store.repeated() == 4 && at.writes() == 8));
  CHECK(at.plan.fired(testing::fault::kill) == 8);
}

TEST_CASE("a write that relies on its token is not made again when the token may be forgotten", "[retrying]") {
  tables at;
  retrying_table store(at.faulty, at.options({.wait_max = 1h, .token_age_max = 5min}));
  at.plan.lose_reply({.of = operation::table_put}, passing(5min));
  CHECK(store.put(ann, hello, {.token = "a"}));
  at.plan.lose_reply({.of = operation::table_put}, passing(5min + 1ms));
  CHECK(failed(store.put(ann, hello, {.token = "b"}), errc::unavailable, effect_kind::unknown));
  at.plan.fail({.of = operation::table_put}, passing(5min + 1ms));
  CHECK(store.put(ann, hello));
  CHECK(store.repeated() == 2);
}

TEST_CASE("reads are made again whatever became of them, and what ends in the same state", "[retrying]") {
  tables at;
  REQUIRE(at.inner.put(ann, hello));
  retrying_table store(at.faulty, at.options());
  for (const operation each : {operation::table_get, operation::table_get_batch, operation::table_query,
                               operation::table_scan, operation::table_changes, operation::table_last_change,
                               operation::table_position, operation::table_remember, operation::table_remove_expired}) {
    at.plan.lose_reply({.of = each});
  }
  CHECK(store.get(ann).value());
  CHECK(store.get_batch({ann}).value().found.size() == 1);
  CHECK(store.query({.partition = "ann"}).value().entries.size() == 1);
  CHECK(store.scan().value().entries.size() == 1);
  CHECK(store.changes(0).value().size() == 1);
  CHECK(store.last_change().value() == 1);
  CHECK(!store.position("reader").value());
  CHECK(store.remember("reader", 1));
  CHECK(store.remove_expired());
  CHECK((store.repeated() == 9 && at.plan.unfired().empty()));
}

TEST_CASE("failures that do not pass are not waited for", "[retrying]") {
  tables at;
  retrying_table store(at.faulty, at.options());
  for (const errc code : {errc::condition_failed, errc::invalid_argument, errc::too_large, errc::deadline_exceeded,
                          errc::limit_exceeded, errc::corruption, errc::out_of_memory, errc::internal}) {
    at.plan.fail({.of = operation::table_get}, {.code = code, .effect = effect_kind::not_applied});
    CHECK(failed(store.get(ann), code, effect_kind::not_applied));
  }
  at.plan.throw_from({.of = operation::table_get, .times = 3});
  for (int i = 0; i < 3; ++i) CHECK(failed(store.get(ann), errc::internal, effect_kind::not_applied));
  at.plan.throw_from({.of = operation::table_put});
  CHECK(failed(store.put(ann, hello), errc::internal, effect_kind::unknown));
  CHECK((store.repeated() == 0 && at.waits.empty()));
  for (const errc code : {errc::throttled, errc::unavailable, errc::conflict}) {
    at.plan.fail({.of = operation::table_put}, {.code = code, .effect = effect_kind::not_applied});
    CHECK(store.put(ann, hello));
  }
  CHECK(store.repeated() == 3);
}

TEST_CASE("delays are drawn below a bound that doubles, from a seed, a longer retry_after counts", "[retrying]") {
  const auto waits_of = [](std::uint64_t seed) {
    tables at;
    retrying_table store(
        at.faulty, at.options({.attempts_max = 20, .delay_first = 1s, .delay_max = 6s, .wait_max = 1h, .seed = seed}));
    at.plan.fail({.of = operation::table_get, .times = 20});
    CHECK(!store.get(ann));
    return at.waits;
  };
  const auto waits = waits_of(1);
  REQUIRE(waits.size() == 19);
  std::chrono::nanoseconds bound = 1s;
  std::chrono::nanoseconds longest{0};
  for (const auto each : waits) {
    CHECK((each >= 0s && each < bound));
    bound = std::min<std::chrono::nanoseconds>(2 * bound, 6s);
    longest = std::max(longest, each);
  }
  CHECK(longest > 3s);  // of 16 draws below 6 s
  CHECK(waits == waits_of(1));
  CHECK(waits != waits_of(2));

  tables at;
  retrying_table store(at.faulty, at.options({.delay_first = 1ms}));
  at.plan.throttle({.of = operation::table_put}, 300ms);
  CHECK(store.put(ann, hello));
  CHECK((at.waits == std::vector<std::chrono::nanoseconds>{300ms}));
}

TEST_CASE("nobody waits up to the call's deadline, nor longer than wait_max in all", "[retrying]") {
  tables at;
  retrying_table store(at.faulty, at.options({.attempts_max = 100, .delay_first = {}, .wait_max = 1s}));
  at.plan.fail({.of = operation::table_put}, passing(9ms));
  CHECK(store.put(ann, hello, {.deadline = at.time.now() + 10ms}));
  at.plan.fail({.of = operation::table_put}, passing(10ms));
  const auto begun = at.time.now();
  CHECK(failed(store.put(ann, hello, {.deadline = begun + 10ms}), errc::unavailable, effect_kind::not_applied));
  CHECK(at.time.now() == begun);
  CHECK(at.waits.size() == 1);

  at.plan.fail({.of = operation::table_put, .times = 4}, passing(300ms));
  CHECK(failed(store.put(ann, hello), errc::unavailable, effect_kind::not_applied));
  CHECK(at.time.now() == begun + 900ms);  // a fourth wait would be beyond 1 s
  CHECK(at.plan.unfired().empty());
}

TEST_CASE("who waits may give up", "[retrying]") {
  tables at;
  int asked = 0;
  retrying_table store(
      at.faulty, {.delay_first = 1h, .delay_max = 1h, .wait_max = 24h, .wait = [&](auto) { return ++asked < 2; }});
  at.plan.fail({.of = operation::table_put, .times = 2});
  CHECK(failed(store.put(ann, hello), errc::unavailable, effect_kind::not_applied));
  CHECK((asked == 2 && store.repeated() == 1));
}

TEST_CASE("without a function for it the thread waits for the service's clock", "[retrying]") {
  testing::manual_clock time;
  testing::service_fault_plan plan(time);
  memory_table inner({.time = &time});
  testing::faulty_table faulty(inner, plan);
  retrying_table store(faulty, {.delay_first = {}});
  plan.fail({.of = operation::table_put}, passing(50ms));
  const auto begun = time.now();
  std::atomic<bool> done{false};
  std::atomic<bool> put{false};
  std::thread caller([&] {
    put = store.put(ann, hello).has_value();
    done = true;
  });
  CHECK(testing::eventually(10s, [&] {
    if (!done) time.advance(1ms);
    return done.load();
  }));
  caller.join();
  CHECK(put);
  CHECK(time.now() - begun >= 50ms);

  const dormouse::clock real;
  memory_table other({.time = &real});
  testing::faulty_table failing(other, plan);
  retrying_table patient(failing, {.delay_first = {}});
  plan.fail({.of = operation::table_put}, passing(2ms));
  const auto before = real.now();
  CHECK(patient.put(ann, hello));
  CHECK(real.now() - before >= 2ms);
}

TEST_CASE("an upload that fails before its end is made anew from its start", "[retrying]") {
  stores at;
  for (const operation each : {operation::object_create, operation::object_write, operation::object_finish}) {
    at.plan.fail({.of = each});
    REQUIRE(at.store.put("k", std::string(to_string(each))));
    CHECK(at.bytes("k") == to_string(each));
  }
  at.plan.lose_reply({.of = operation::object_write, .nth = 2});
  at.plan.fail({.of = operation::object_finish});
  at.plan.fail({.of = operation::object_create, .nth = 2});
  auto writer = at.store.create("k", {.content_type = "a/b"}).value();
  for (const char* piece : {"one ", "two ", "three"}) REQUIRE(writer.write(piece));
  CHECK(writer.finish().value().size == 13);
  CHECK((at.bytes("k") == "one two three" && at.inner.head("k").value().content_type == "a/b"));
  CHECK((at.store.repeated() == 6 && at.plan.unfired().empty()));
}

TEST_CASE("an upload is not made anew when it may have happened, or has more bytes than are kept", "[retrying]") {
  stores at;
  at.plan.lose_reply({.of = operation::object_finish});
  CHECK(failed(at.store.put("k", "once"), errc::unavailable, effect_kind::unknown));
  CHECK((at.bytes("k") == "once" && at.inner.last_change().value() == 1));
  at.plan.fail({.of = operation::object_write});
  CHECK(failed(at.store.put("k", std::string(101, 'x')), errc::unavailable, effect_kind::not_applied));
  at.plan.fail({.of = operation::object_write});
  CHECK(at.store.put("k", std::string(100, 'x')));
  at.plan.lose_reply({.of = operation::object_erase});
  CHECK(failed(at.store.erase("k"), errc::unavailable, effect_kind::unknown));
  at.plan.lose_reply({.of = operation::object_copy});
  REQUIRE(at.inner.put("k", ""));
  CHECK(failed(at.store.copy("k", "l"), errc::unavailable, effect_kind::unknown));
  CHECK(at.store.repeated() == 1);
}

TEST_CASE("a download goes on where it was, while the object is the same", "[retrying]") {
  stores at;
  REQUIRE(at.inner.put("k", "0123456789"));
  auto reader = at.store.open("k", {.range = {.offset = 2, .length = 7}}).value();
  const object_info* const info = &reader.info();
  std::string to(3, '\0');
  CHECK(reader.read(to).value() == 3);
  at.plan.lose_reply({.of = operation::object_read});  // what it read is lost with it
  at.plan.fail({.of = operation::object_open});
  CHECK(reader.read(to).value() == 3);
  CHECK(to == "567");
  at.plan.fail({.of = operation::object_read});
  CHECK(reader.read(to).value() == 1);
  CHECK(to[0] == '8');
  at.plan.fail({.of = operation::object_read});
  CHECK(reader.read(to).value() == 0);
  CHECK((info == &reader.info() && info->size == 10));
  CHECK((at.store.repeated() == 4 && at.plan.unfired().empty()));

  auto replaced = at.store.open("k").value();
  REQUIRE(at.inner.put("k", "abcdefghij"));
  at.plan.fail({.of = operation::object_read});
  CHECK(failed(replaced.read(to), errc::unavailable, effect_kind::not_applied));
  auto erased = at.store.open("k").value();
  REQUIRE(at.inner.erase("k"));
  at.plan.fail({.of = operation::object_read});
  CHECK(failed(erased.read(to), errc::unavailable, effect_kind::not_applied));
}

TEST_CASE("retrying_options outside their bounds are refused in words", "[retrying]") {
  memory_table inner;
  const auto refuses = [&](retrying_options options, const std::string& words) {
    try {
      retrying_table store(inner, std::move(options));
      return false;
    } catch (const std::invalid_argument& why) {
      return std::string(why.what()).find(words) != std::string::npos;
    }
  };
  CHECK(refuses({.attempts_max = 0}, "attempts_max is 0; give 1 .. 100"));
  CHECK(refuses({.attempts_max = 101}, "attempts_max is 101"));
  CHECK(refuses({.delay_first = -1ns}, "delay_first is -1; give 0 .. 1 h"));
  CHECK(refuses({.delay_max = 1h + 1ns}, "delay_max"));
  CHECK(refuses({.wait_max = 24h + 1ns}, "wait_max"));
  CHECK(refuses({.token_age_max = 9min + 1ns}, "token_age_max"));
  CHECK(refuses({.replay_bytes_max = (std::size_t{1} << 30U) + 1}, "replay_bytes_max"));
}
