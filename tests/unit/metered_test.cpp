// SPDX-License-Identifier: MIT
// What is counted of each call.

#include "support/catch.hpp"

#include <dormouse/adapters/memory_object_store.hpp>
#include <dormouse/adapters/memory_table.hpp>
#include <dormouse/adapters/metered_object_store.hpp>
#include <dormouse/adapters/metered_table.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/faulty_object_store.hpp>
#include <dormouse/testing/services/faulty_table.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using operation = service_operation;

TEST_CASE("each operation has its calls, failures by code, bytes and durations", "[metered]") {
  testing::manual_clock time;
  testing::service_fault_plan plan(time);
  memory_table inner({.time = &time});
  testing::faulty_table slow(inner, plan);
  metered_table store(slow);
  const table_item item{{"text", "12345678"}};  // 12 bytes
  plan.delay({.of = operation::table_put, .times = 2}, 5ms);
  plan.fail({.of = operation::table_put, .nth = 2, .times = 3});
  for (int i = 0; i < 10; ++i) static_cast<void>(store.put({"k", std::to_string(i)}, item));
  CHECK(!store.put({"k", "0"}, item, {.when = {.if_absent = true}}));
  CHECK(!store.put({"", ""}, item));  // refused before any adapter is asked
  const auto puts = store.statistics(operation::table_put);
  CHECK((puts.calls == 11 && puts.failures == 4 && puts.bytes_in == 11 * 12 && puts.bytes_out == 0));
  CHECK((puts.failed(errc::unavailable) == 3 && puts.failed(errc::condition_failed) == 1));
  CHECK((puts.failed(errc::internal) == 0 && puts.failed(errc{250}) == 0));
  CHECK((puts.took.count() == 11 && puts.took.percentile(0.5) < 1us));
  CHECK((puts.took.percentile(1.0) > 4ms && puts.took.percentile(1.0) < 6ms));

  CHECK(store.get({"k", "1"}).value() == std::nullopt);
  REQUIRE(store.get({"k", "9"}).value());
  CHECK(store.query({.partition = "k"}).value().entries.size() == 7);
  CHECK(store.get_batch({{"k", "8"}, {"k", "9"}}).value().found.size() == 2);
  CHECK((store.statistics(operation::table_get).calls == 2 && store.statistics(operation::table_get).bytes_out == 12));
  CHECK(store.statistics(operation::table_query).bytes_out == 7 * 12);
  CHECK(store.statistics(operation::table_get_batch).bytes_out == 2 * 12);
  CHECK(store.statistics(operation::table_erase).calls == 0);
  CHECK(store.statistics(operation::object_create).calls == 0);
  CHECK(store.statistics(operation::database_query).calls == 0);
}

TEST_CASE("pieces of a stream are counted with their bytes", "[metered]") {
  memory_object_store inner;
  metered_object_store store(inner);
  auto writer = store.create("k").value();
  for (int i = 0; i < 3; ++i) REQUIRE(writer.write("0123456789"));
  REQUIRE(writer.finish());
  CHECK(store.get("k", {.range = {.offset = 5}}).value().data.size() == 25);
  CHECK(store.statistics(operation::object_create).calls == 1);
  CHECK((store.statistics(operation::object_write).calls == 3 &&
         store.statistics(operation::object_write).bytes_in == 30));
  CHECK(store.statistics(operation::object_finish).calls == 1);
  CHECK((store.statistics(operation::object_read).calls == 1 &&
         store.statistics(operation::object_read).bytes_out == 25));
  CHECK(store.last_change().value() == 1);
  CHECK(store.statistics(operation::object_last_change).bytes_out == 0);  // a number, not bytes
  CHECK(store.statistics(operation::table_get).calls == 0);
}

TEST_CASE("what eight threads do adds up", "[metered]") {
  testing::manual_clock time;  // stands still: all durations are in one bucket
  memory_table inner({.time = &time});
  std::atomic<std::uint64_t> told{0};
  metered_table store(inner, {.on_call = [&](const metered_call&) { ++told; }});
  constexpr std::uint64_t each = 500;
  constexpr std::uint64_t brief = 20'000;
  std::vector<std::thread> threads;
  for (int who = 0; who < 8; ++who) {
    threads.emplace_back([&, who] {
      const table_key key{"k", std::to_string(who)};
      for (std::uint64_t i = 0; i < each; ++i) {
        static_cast<void>(store.put(key, {{"n", std::int64_t{1}}}, {.when = {.if_absent = i % 2 == 1}}));
        static_cast<void>(store.get(key));
        static_cast<void>(store.statistics(operation::table_put));  // a snapshot beside them
      }
      for (std::uint64_t i = 0; i < brief; ++i) static_cast<void>(store.get({"absent", ""}));
    });
  }
  for (auto& thread : threads) thread.join();
  const auto puts = store.statistics(operation::table_put);
  const auto gets = store.statistics(operation::table_get);
  CHECK((puts.calls == 8 * each && puts.failures == 4 * each && puts.failed(errc::condition_failed) == 4 * each));
  CHECK((puts.bytes_in == 8 * each * 9 && puts.took.count() == 8 * each));
  CHECK((gets.calls == 8 * (each + brief) && gets.failures == 0 && gets.bytes_out == 8 * each * 9));
  CHECK(told == 8 * (2 * each + brief));
}

TEST_CASE("whoever observes is told of each call and cannot change its outcome", "[metered]") {
  testing::manual_clock time;
  testing::service_fault_plan plan(time);
  memory_object_store inner({.time = &time});
  testing::faulty_object_store slow(inner, plan);
  std::vector<std::pair<operation, std::chrono::nanoseconds>> seen;
  std::vector<errc> failures;
  metered_object_store store(slow, {.on_call = [&](const metered_call& call) {
                               seen.emplace_back(call.what, call.took);
                               if (call.why != nullptr) failures.push_back(call.why->code);
                               throw std::runtime_error("not your business");
                             }});
  plan.delay({.of = operation::object_head}, 7ms);
  CHECK(store.put("k", "x"));
  CHECK(store.head("k"));
  CHECK(!store.head("other"));
  CHECK((seen == std::vector<std::pair<operation, std::chrono::nanoseconds>>{{operation::object_create, 0ns},
                                                                             {operation::object_write, 0ns},
                                                                             {operation::object_finish, 0ns},
                                                                             {operation::object_head, 7ms},
                                                                             {operation::object_head, 0ns}}));
  CHECK((failures == std::vector<errc>{errc::not_found}));
}

TEST_CASE("operations have names of their own", "[metered]") {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < service_operation_count; ++i) names.push_back(to_string(static_cast<operation>(i)));
  std::sort(names.begin(), names.end());
  CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
  CHECK((names.front() == "database.begin" && names.back() == "transaction.script"));
  CHECK(to_string(operation::table_watch) == "table.watch");
  CHECK(to_string(operation::object_create) == "object.create");
  CHECK(to_string(operation::database_query) == "database.query");
  CHECK(to_string(operation::transaction_commit) == "transaction.commit");
  CHECK(to_string(static_cast<operation>(service_operation_count)) == "unknown");
}
