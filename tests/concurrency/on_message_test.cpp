// SPDX-License-Identifier: MIT
// Messages as events with senders and workers at once.

#include "support/catch.hpp"
#include "support/probe_queue.hpp"
#include "support/threads.hpp"

#include <dormouse/adapters/memory_queue.hpp>
#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/triggers/on_message.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;
using dormouse::testing::manual_clock;

namespace {

void on_threads(int count, const std::function<void(int)>& body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(body, i);
  for (auto& each : threads) each.join();
}

// What handlers on several threads have seen of each message, and ended well.
class ledger {
 public:
  void begin(const std::string& message) {
    const std::lock_guard lock(mutex_);
    if (done_[message] != 0) ++again_;
  }
  void done(const std::string& message) {
    const std::lock_guard lock(mutex_);
    ++done_[message];
  }
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::count_if(done_.begin(), done_.end(), [](const auto& each) { return each.second != 0; }));
  }
  // Deliveries of messages after a handler of theirs had ended well.
  int again() const {
    const std::lock_guard lock(mutex_);
    return again_;
  }

 private:
  mutable std::mutex mutex_{};
  std::map<std::string, int> done_{};
  int again_ = 0;
};

void send_some(queue& to, int sender, int count, bool grouped) {
  for (int i = 0; i < count; ++i) {
    queue_message one{.data = std::to_string(sender) + ":" + std::to_string(i)};
    if (grouped) one.group = std::to_string(sender);
    to.send(std::move(one)).value();
    if (i % 50 == 0) std::this_thread::yield();
  }
}

std::size_t left_in(queue& of) {
  const auto counts = of.counts().value();
  return counts.visible + counts.waiting + counts.in_flight;
}

}  // namespace

TEST_CASE("8 senders, 4 workers, failing handlers: nothing is lost, nothing acknowledged comes back",
          "[on_message][ledger]") {
  constexpr int senders = 8;
  constexpr int each = 500;
  const std::size_t depth = GENERATE(std::size_t{3}, std::size_t{10'000});
  ledger seen;
  std::atomic<int> calls{0};
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  memory_queue work({.settings = {.deliveries_max = 1'000}});
  runtime host({.compute_workers_max = 4});
  auto handle = host.define("work",
                            [&](const std::string& what) -> result<void> {
                              const int now = ++inside;
                              for (int known = most; now > known && !most.compare_exchange_weak(known, now);) {}
                              seen.begin(what);
                              const int call = ++calls;
                              if (call % 64 == 0) std::this_thread::yield();
                              const bool fails = call % 11 == 0;
                              if (!fails) seen.done(what);
                              --inside;
                              if (call % 22 == 0) throw std::runtime_error("no");
                              if (fails) return failure{.code = errc::unavailable};
                              return {};
                            },
                            {.queue_depth_max = depth});
  host.attach(on_message(work, {.retry_delay = 1ms, .retry_delay_max = 4ms, .in_flight_max = 3, .retry_after = 1ms}),
              handle)
      .value();
  on_threads(senders, [&](int sender) { send_some(work, sender, each, sender % 2 == 0); });
  CHECK(eventually(120s, [&] { return seen.count() == senders * each; }));
  CHECK(eventually(20s, [&] { return left_in(work) == 0; }));
  CHECK(seen.again() == 0);
  CHECK(most <= 3);
  CHECK(work.counts()->dead == 0);
  CHECK(host.stats().observer_failures == 0);
}

TEST_CASE("each message of a group runs after the one before it, whatever fails", "[on_message][order]") {
  constexpr int groups = 4;
  constexpr int each = 300;
  std::mutex mutex;
  std::map<std::string, int> latest;
  int breaches = 0;
  std::atomic<int> calls{0};
  memory_queue work({.settings = {.deliveries_max = 1'000}});
  runtime host({.compute_workers_max = 4});
  auto handle = host.define("work", [&](const std::string& what) -> result<void> {
    const auto colon = what.find(':');
    const int number = std::stoi(what.substr(colon + 1));
    const std::lock_guard lock(mutex);
    int& last = latest[what.substr(0, colon)];
    if (number != last) ++breaches;  // the next one, or the same again
    if (++calls % 7 == 0) return failure{.code = errc::unavailable};
    last = number + 1;
    return {};
  });
  host.attach(on_message(work, {.retry_delay = 0ms, .in_flight_max = 16}), handle).value();
  on_threads(groups, [&](int sender) { send_some(work, sender, each, true); });
  CHECK(eventually(120s, [&] { return left_in(work) == 0; }));
  host.close(20s);
  CHECK(breaches == 0);
  for (const auto& [group, next] : latest) CHECK(next == each);
}

TEST_CASE("batches under 8 senders: each message is done once", "[on_message][batch][ledger]") {
  constexpr int senders = 8;
  constexpr int each = 500;
  ledger seen;
  std::atomic<int> calls{0};
  memory_queue work({.settings = {.deliveries_max = 1'000}});
  runtime host({.compute_workers_max = 4});
  auto handle = host.define("work", [&](const message_batch& batch) -> result<batch_outcome> {
    if (++calls % 13 == 0) throw std::runtime_error("no");
    batch_outcome outcome;
    for (const auto& one : batch) {
      const std::string what(one.text());
      seen.begin(what);
      if (one.delivery().deliveries == 1 && what.back() == '7') {
        outcome.fail(one);
      } else {
        seen.done(what);
      }
    }
    return outcome;
  });
  host.attach(on_message_batch(
                  work, {.each = {.retry_delay = 1ms, .in_flight_max = 4}, .batch_max = 20, .batch_window = 2ms}),
              handle)
      .value();
  on_threads(senders, [&](int sender) { send_some(work, sender, each, false); });
  CHECK(eventually(120s, [&] { return left_in(work) == 0; }));
  CHECK(seen.count() == senders * each);
  CHECK(seen.again() == 0);
}

TEST_CASE("triggers that come and go under senders: nothing is lost, nothing acknowledged comes back",
          "[on_message][ledger][end]") {
  constexpr int senders = 4;
  constexpr int each = 500;
  ledger seen;
  memory_queue work({.settings = {.deliveries_max = 1'000}});
  std::atomic<bool> sent{false};
  std::thread sending([&] {
    on_threads(senders, [&](int sender) { send_some(work, sender, each, false); });
    sent = true;
  });
  for (int round = 0; !sent || left_in(work) != 0; ++round) {
    REQUIRE(round < 20'000);
    runtime host({.compute_workers_max = 4});
    auto handle = host.define("work", [&](const std::string& what) {
      seen.begin(what);
      seen.done(what);
    });
    const auto bound = host.attach(on_message(work, {.in_flight_max = 8}), handle).value();
    const auto before = seen.count();
    [[maybe_unused]] const bool some = eventually(50ms, [&] { return seen.count() > before + 20; });
    if (round % 2 == 0) host.detach(bound);
    if (round % 3 == 0) host.close(20s);
    // Else what runs is left running: its queue and its ledger live on, and so it is waited for.
    if (round % 3 != 0) host.close(0s);
    REQUIRE(eventually(20s, [&] { return handle.stats().queued_now == 0; }));
  }
  sending.join();
  CHECK(seen.count() == senders * each);
  CHECK(seen.again() == 0);
  CHECK(work.counts()->dead == 0);
}

TEST_CASE("the visibility of a message is extended for as long as its handler runs", "[on_message]") {
  manual_clock time;
  memory_queue behind({.settings = {.visibility = 10s, .deliveries_max = 1}, .time = &time});
  support::probe_queue work(behind, time);
  std::atomic<bool> may_end{false};
  std::atomic<int> calls{0};
  runtime host({.time = &time});
  const auto slow = [&](const std::string&) {
    ++calls;
    while (!may_end) std::this_thread::yield();
  };
  auto handle = host.define("work", slow, {.timeout = 1h});
  behind.send({.data = "slow"}).value();
  host.attach(on_message(work), handle).value();
  REQUIRE(eventually(20s, [&] { return calls == 1; }));
  for (int half = 0; half < 10; ++half) {
    const int before = work.settled;
    time.advance(5s);
    REQUIRE(eventually(20s, [&] { return work.settled > before; }));
  }
  CHECK(behind.counts()->in_flight == 1);
  may_end = true;
  CHECK(eventually(20s, [&] { return left_in(behind) == 0; }));
  CHECK(calls == 1);
  CHECK(behind.counts()->dead == 0);
}

TEST_CASE("at rest a trigger of a queue has no thread", "[on_message][rest]") {
  const std::size_t before = support::threads_of_process();
  memory_queue work;
  std::atomic<int> calls{0};
  runtime host({.thread_idle_timeout = 0ms});
  auto handle = host.define("work", [&](const std::string&) { ++calls; }, {.idle_timeout = 0ms});
  host.attach(on_message(work), handle).value();
  for (int i = 1; i <= 3; ++i) {
    work.send({.data = "a"}).value();
    CHECK(eventually(20s, [&] { return calls == i; }));
    CHECK(eventually(20s, [&] { return host.stats().threads == 0; }));
  }
  CHECK(eventually(20s, [&] { return support::threads_of_process() == before; }));
}

TEST_CASE("one message at a time: each of them wakes a trigger that is at rest", "[on_message][wake]") {
  memory_queue work;
  std::atomic<int> calls{0};
  runtime host;
  auto handle = host.define("work", [&](const std::string&) { ++calls; });
  host.attach(on_message(work), handle).value();
  for (int i = 1; i <= 2'000; ++i) {
    work.send({.data = "a"}).value();
    if (i % 3 == 0) std::this_thread::yield();  // sometimes in the middle of a wake, sometimes after it
    if (i % 10 == 0) REQUIRE(eventually(20s, [&] { return calls == i; }));
  }
  CHECK(eventually(20s, [&] { return left_in(work) == 0; }));
}
