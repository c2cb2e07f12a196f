// SPDX-License-Identifier: MIT
// Faults of services on demand: when they happen, what they leave behind, and that each is counted.

#include "support/catch.hpp"

#include <dormouse/adapters/memory_object_store.hpp>
#include <dormouse/adapters/memory_table.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/faulty_object_store.hpp>
#include <dormouse/testing/services/faulty_table.hpp>
#include <dormouse/testing/services/service_harness.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::fault;
using dormouse::testing::refused;
using operation = service_operation;

namespace {

struct fixture {
  testing::manual_clock time{};
  testing::service_fault_plan plan{time};
  memory_table inner{{.schema = {.change_view = table_change_view::keys}, .time = &time}};
  testing::faulty_table store{inner, plan};
  memory_object_store inner_objects{{.time = &time}};
  testing::faulty_object_store objects{inner_objects, plan};

  std::uint64_t writes() { return inner.last_change().value(); }
};

template <class T>
bool failed(const result<T>& got, errc code, effect_kind effect) {
  return !got && got.error().code == code && got.error().effect == effect;
}

const table_key key{"k", ""};

}  // namespace

TEST_CASE("the n-th call of an operation fails, and so many behind it, others do not", "[faulty]") {
  fixture at;
  at.plan.fail({.of = operation::table_put, .nth = 3, .times = 2}, {.code = errc::limit_exceeded});
  std::string seen;
  for (int i = 0; i < 6; ++i) {
    CHECK(at.store.get(key));
    seen += at.store.put(key, {}) ? '+' : '-';
  }
  CHECK(seen == "++--++");
  CHECK((at.writes() == 4 && at.plan.fired(fault::fail) == 2 && at.plan.unfired().empty()));
  at.plan.fail({.of = operation::table_put, .nth = 2});
  at.plan.fail({.of = operation::table_put, .nth = 2});  // counted from the one before
  seen.clear();
  for (int i = 0; i < 5; ++i) seen += at.store.put(key, {}) ? '+' : '-';
  CHECK(seen == "+-+-+");
}

TEST_CASE("a fault before the effect leaves none, one after it leaves all of it", "[faulty]") {
  fixture at;
  at.plan.fail({.of = operation::table_put});
  CHECK(refused(at.store.put(key, {}), errc::unavailable));
  at.plan.throttle({.of = operation::table_put}, 20ms);
  const auto throttled = at.store.put(key, {});
  CHECK((refused(throttled, errc::throttled) && throttled.error().retry_after == 20ms));
  at.plan.throw_from({.of = operation::table_put, .times = 3});
  for (int i = 0; i < 3; ++i) CHECK(failed(at.store.put(key, {}), errc::internal, effect_kind::unknown));
  CHECK(at.writes() == 0);

  at.plan.lose_reply({.of = operation::table_put});
  CHECK(failed(at.store.put(key, {}), errc::unavailable, effect_kind::unknown));
  at.plan.lose_reply({.of = operation::table_erase}, {.code = errc::throttled});
  CHECK(failed(at.store.erase(key), errc::throttled, effect_kind::unknown));
  at.plan.lose_reply({.of = operation::table_get});
  CHECK(failed(at.store.get(key), errc::unavailable, effect_kind::not_applied));
  CHECK(at.writes() == 2);
  at.plan.duplicate({.of = operation::table_put});
  CHECK(at.store.put(key, {{"n", true}}));
  CHECK((at.writes() == 4 && at.inner.get(key).value()->item.size() == 1));
}

TEST_CASE("a slow service takes the clock's time, and its answer is lost beyond the deadline", "[faulty]") {
  fixture at;
  const auto begun = at.time.now();
  at.plan.delay({.of = operation::table_put, .times = 2}, 10ms);
  CHECK(at.store.put(key, {}, {.deadline = begun + 11ms}));
  CHECK(at.time.now() == begun + 10ms);
  CHECK(failed(at.store.put(key, {}, {.deadline = begun + 20ms}), errc::deadline_exceeded, effect_kind::unknown));
  CHECK(at.writes() == 2);
  at.plan.delay({.of = operation::object_read}, 10ms);
  REQUIRE(at.objects.put("k", "x"));
  CHECK(failed(at.objects.get("k", {.deadline = at.time.now() + 10ms}), errc::deadline_exceeded,
               effect_kind::not_applied));
}

TEST_CASE("a stream that is torn leaves the former object", "[faulty]") {
  fixture at;
  REQUIRE(at.objects.put("k", "former"));
  at.plan.lose_reply({.of = operation::object_write, .nth = 2});
  auto writer = at.objects.create("k").value();
  REQUIRE(writer.write("one"));
  CHECK(failed(writer.write("two"), errc::unavailable, effect_kind::not_applied));
  CHECK(!writer.finish());
  CHECK(at.inner_objects.get("k").value().data.text() == "former");
  at.plan.fail({.of = operation::object_finish});
  CHECK(!at.objects.put("k", "new"));
  CHECK(at.inner_objects.get("k").value().data.text() == "former");
  at.plan.lose_reply({.of = operation::object_finish});
  CHECK(failed(at.objects.put("k", "new"), errc::unavailable, effect_kind::unknown));
  CHECK(at.inner_objects.get("k").value().data.text() == "new");
  at.plan.fail({.of = operation::object_read, .nth = 2});
  auto reader = at.objects.open("k").value();
  std::string to(1, '\0');
  CHECK(reader.read(to).value() == 1);
  CHECK(failed(reader.read(to), errc::unavailable, effect_kind::not_applied));
  CHECK(failed(reader.read(to), errc::unavailable, effect_kind::not_applied));  // from then on
  CHECK(at.plan.unfired().empty());
}

TEST_CASE("what has not happened is told in words, what cannot be meant is refused", "[faulty]") {
  fixture at;
  at.plan.fail({.of = operation::table_put, .times = 2});
  at.plan.lose_reply({.of = operation::table_put});
  at.plan.delay({.of = operation::object_head}, 1ms);
  CHECK(at.plan.unfired() == "table.put: fail 2, kill 1; object.head: delay 1");
  CHECK(!at.store.put(key, {}));
  CHECK(at.plan.unfired() == "table.put: fail 1, kill 1; object.head: delay 1");
  CHECK_THROWS_AS(at.plan.fail({.of = operation::table_put, .nth = 0}), std::invalid_argument);
  CHECK_THROWS_AS(at.plan.delay({.of = operation::table_put}, -1ms), std::invalid_argument);
  CHECK_THROWS_AS(at.plan.at_random(1, {.fail = 1'001}), std::invalid_argument);
}

TEST_CASE("one seed gives one history of faults", "[faulty]") {
  const auto history = [](std::uint64_t seed) {
    fixture at;
    at.plan.at_random(seed, {.throttle = 100, .fail = 100, .throws = 100, .kill = 100, .duplicate = 100});
    std::string seen;
    for (int i = 0; i < 1'000; ++i) {
      const auto put = at.store.put(key, {});
      seen += put ? "." : to_string(put.error().code);
    }
    std::uint64_t failures = 0;
    for (const fault each : {fault::throttle, fault::fail, fault::throws, fault::kill}) {
      CHECK((at.plan.fired(each) > 50 && at.plan.fired(each) < 150));
      failures += at.plan.fired(each);
    }
    const std::uint64_t happened = 1'000 - failures + at.plan.fired(fault::kill) + at.plan.fired(fault::duplicate);
    CHECK(at.writes() == happened);
    return seen;
  };
  CHECK(history(1) == history(1));
  fixture at;
  at.plan.at_random(1, {.fail = 1'000}, {operation::table_get});
  CHECK((at.store.get(key) && !at.store.put(key, {})));
  CHECK(history(1) != history(2));
}
