// SPDX-License-Identifier: MIT
// Changes as events with writers and workers at once.

#include "support/catch.hpp"
#include "support/threads.hpp"

#include <dormouse/adapters/memory_object_store.hpp>
#include <dormouse/adapters/memory_table.hpp>
#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>
#include <dormouse/triggers/on_change.hpp>
#include <dormouse/triggers/on_object.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;

namespace {

constexpr int keys = 8;

memory_table_options logged(std::size_t changes_max = 1'000'000) {
  return {.schema = {.change_view = table_change_view::keys, .changes_max = changes_max}};
}

// What handlers on several threads saw of each key.
class ledger {
 public:
  void note(const std::string& key, std::uint64_t sequence) {
    const std::lock_guard lock(mutex_);
    auto& [latest, count] = of_[key];
    if (sequence < latest) ++breaches_;
    if (sequence > latest) ++count;  // another attempt of the same is no other change
    latest = sequence;
  }
  // Different changes, as long as there is no breach.
  std::uint64_t changes() const {
    const std::lock_guard lock(mutex_);
    std::uint64_t all = 0;
    for (const auto& [key, seen] : of_) all += seen.second;
    return all;
  }
  int breaches() const {
    const std::lock_guard lock(mutex_);
    return breaches_;
  }

 private:
  mutable std::mutex mutex_{};
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> of_{};
  int breaches_ = 0;
};

void on_threads(int count, const std::function<void(int)>& body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(body, i);
  for (auto& each : threads) each.join();
}

void write_some(table& to, int writes, int seed) {
  for (int i = 0; i < writes; ++i) {
    to.put({.partition = std::to_string((i * 7 + seed) % keys)}, {{"n", std::int64_t{i}}}).value();
  }
}

}  // namespace

TEST_CASE("four writers, four workers, failing handlers: each key's changes come in their order, and all",
          "[on_change][order]") {
  constexpr int writers = 4;
  constexpr int writes = 1'500;
  const std::size_t queue = GENERATE(std::size_t{3}, std::size_t{10'000});
  ledger seen;
  std::atomic<std::uint64_t> calls{0};
  memory_table table(logged());
  runtime host({.compute_workers_max = 4});
  auto work =
      host.define("work",
                  [&](const table_change& what) -> result<void> {
                    seen.note(what.key.partition, what.sequence);
                    const auto call = ++calls;
                    if (call % 13 == 0) return failure{.code = errc::unavailable};
                    if (call % 64 == 0) std::this_thread::yield();
                    return {};
                  },
                  {.queue_depth_max = queue, .retry = {.attempts_max = 2, .delay_first = 1ms, .delay_max = 1ms}});
  host.attach(on_change(table, {.in_flight_max = 64, .retry_after = 1ms}), work).value();
  on_threads(writers, [&](int seed) { write_some(table, writes, seed); });
  CHECK(eventually(120s, [&] { return seen.changes() == writers * writes; }));
  CHECK(eventually(20s, [&] { return host.stats().queued == 0; }));
  CHECK(seen.breaches() == 0);
  CHECK(host.stats().observer_failures == 0);
}

TEST_CASE("one change at a time: each of them wakes a trigger that is at rest", "[on_change][wake]") {
  std::atomic<int> seen{0};
  memory_table table(logged());
  runtime host;
  auto work = host.define("work", [&](const table_change&) { ++seen; });
  host.attach(on_change(table), work).value();
  for (int i = 1; i <= 3'000; ++i) {
    table.put({.partition = "a"}, {}).value();
    if (i % 3 == 0) std::this_thread::yield();  // sometimes in the middle of a wake, sometimes after it
    if (i % 10 == 0) REQUIRE(eventually(20s, [&] { return seen == i; }));
  }
}

TEST_CASE("a chain of changes of one key goes on by itself", "[on_change][order]") {
  constexpr int count = 2'000;
  std::atomic<int> seen{0};
  memory_table table(logged());
  runtime host;
  auto work = host.define("work", [&](const table_change&) { ++seen; });
  for (int i = 0; i < count; ++i) table.put({.partition = "a"}, {}).value();
  host.attach(on_change(table, {.from = log_start::oldest}), work).value();
  CHECK(eventually(60s, [&] { return seen == count; }));
}

TEST_CASE("a reader that comes and goes under writers misses nothing", "[on_change][reader]") {
  constexpr int writers = 2;
  constexpr int writes = 2'000;
  std::mutex mutex;
  std::map<std::uint64_t, int> seen;
  memory_table table(logged());
  table.remember("audit", 0).value();
  std::atomic<bool> done{false};
  std::thread writing([&] {
    on_threads(writers, [&](int seed) { write_some(table, writes, seed); });
    done = true;
  });
  const auto reads = [&] {
    const std::lock_guard lock(mutex);
    return seen.size();
  };
  for (int rounds = 0; !done || reads() < writers * writes; ++rounds) {
    REQUIRE(rounds < 5'000);
    runtime host({.compute_workers_max = 2});
    auto work = host.define("work", [&](const table_change& what) {
      const std::lock_guard lock(mutex);
      ++seen[what.sequence];
    });
    const auto bound = host.attach(on_change(table, {.reader = "audit", .in_flight_max = 50}), work).value();
    const auto before = reads();
    REQUIRE(eventually(20s, [&] { return reads() > before + 20 || (done && reads() >= writers * writes); }));
    if (rounds % 2 == 0) REQUIRE(host.detach(bound));
    host.close(10s);
  }
  writing.join();
  CHECK(seen.size() == writers * writes);
  CHECK(seen.begin()->first == 1);
  CHECK(seen.rbegin()->first == table.last_change().value());
}

TEST_CASE("a log that is shorter than the writers are fast is read with gaps, and each is told", "[on_change][gap]") {
  std::atomic<std::uint64_t> missed{0};
  std::atomic<std::uint64_t> seen{0};
  memory_table table(logged(16));
  {
    runtime host({.compute_workers_max = 2});
    auto work = host.define("work", [&](const table_change&) {
      ++seen;
      std::this_thread::yield();
    });
    const auto note = [&](const change_gap& gap) { missed += gap.resumed_after - gap.after; };
    host.attach(on_change(table, {.on_gap = note, .in_flight_max = 4}), work).value();
    on_threads(2, [&](int seed) { write_some(table, 3'000, seed); });
    CHECK(eventually(60s, [&] { return seen + missed == 6'000; }));
    CHECK(missed > 0);
  }
  CHECK(seen + missed == 6'000);
}

TEST_CASE("triggers are detached while changes are made, read and handled", "[on_change][detach]") {
  memory_table table(logged());
  memory_object_store store;
  std::atomic<bool> done{false};
  std::thread writing([&] {
    for (int i = 0; !done; ++i) {
      write_some(table, 20, i);
      store.put(std::to_string(i % keys), "x").value();
    }
  });
  for (int rounds = 0; rounds < 60; ++rounds) {
    std::atomic<int> seen{0};
    runtime host({.compute_workers_max = 2});
    auto changes = host.define("changes", [&](const table_change&) { ++seen; });
    auto objects = host.define("objects", [&](const object_created&) { ++seen; });
    const auto first = host.attach(on_change(table), changes).value();
    host.attach(on_object_created(store, {.reader = "objects", .remember_after = 0ms}), objects).value();
    CHECK(eventually(20s, [&] { return seen > rounds % 7; }));
    if (rounds % 3 != 0) CHECK(host.detach(first));
  }
  done = true;
  writing.join();
}

TEST_CASE("the service of a detached trigger may end before the runtime does", "[on_change][detach]") {
  std::atomic<int> seen{0};
  runtime host;
  auto work = host.define("work", [&](const table_change&) { ++seen; });
  for (int i = 0; i < 50; ++i) {
    auto table = std::make_unique<memory_table>(logged());
    const auto bound = host.attach(on_change(*table), work).value();
    write_some(*table, 10, 0);
    CHECK(host.detach(bound));
    table.reset();
  }
}

TEST_CASE("a handler may write to the table it is triggered by", "[on_change]") {
  memory_table table(logged());
  std::atomic<int> seen{0};
  runtime host;
  auto work = host.define("work", [&](const table_change& what) {
    const int round = ++seen;
    if (round < 500) table.put(what.key, {{"round", std::int64_t{round}}}).value();
  });
  host.attach(on_change(table), work).value();
  table.put({.partition = "a"}, {}).value();
  CHECK(eventually(30s, [&] { return seen == 500; }));
}

TEST_CASE("an attached trigger whose table is at rest has no thread", "[on_change][zero]") {
  const auto before = support::threads_of_process();
  std::atomic<int> seen{0};
  memory_table table(logged());
  runtime host({.thread_idle_timeout = 0ms});
  auto work = host.define("work", [&](const table_change&) { ++seen; }, {.idle_timeout = 0s});
  host.attach(on_change(table, {.reader = "audit", .kinds = {table_change_kind::insert}, .remember_after = 1ms}), work)
      .value();
  CHECK(support::threads_of_process() == before);
  for (int i = 1; i <= 20; ++i) {
    table.put({.partition = std::to_string(i)}, {}).value();
    CHECK(eventually(20s, [&] { return seen == i && host.stats().threads == 0; }));
  }
  CHECK(eventually(20s, [&] { return support::threads_of_process() == before; }));
  CHECK(table.position("audit").value() == table.last_change().value());
}
