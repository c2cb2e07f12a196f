// SPDX-License-Identifier: MIT
// What is memory_queue's own: how it wakes who waits, whom it tells, its receipts and bounds, and many threads at once.
// The rest is the conformance suite's.

#include "support/catch.hpp"

#include <dormouse/adapters/memory_queue.hpp>
#include <dormouse/testing/eventually.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/service_harness.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;
using dormouse::testing::refused;

namespace {

// Counts, and looks at the queue, which it could not if it were told under the queue's lock.
class looking_watcher final : public change_watcher {
 public:
  explicit looking_watcher(queue& where) : where_(where) {}
  void changed() noexcept override {
    static_cast<void>(where_.counts());
    ++told;
  }
  std::atomic<int> told{0};

 private:
  queue& where_;
};

// How often it is told during this.
template <class F>
int told_during(looking_watcher& who, F&& call) {
  const int before = who.told;
  call();
  return who.told - before;
}

// Receivers that wait for one message each, on threads of their own.
class receivers {
 public:
  receivers(queue& from, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      threads_.emplace_back([&] {
        ++begun;
        const auto got = from.receive({.wait = queue::wait_max});
        received += got && got->size() == 1 ? 1 : 0;
        ++done;
      });
    }
    while (begun < static_cast<int>(count)) std::this_thread::yield();
  }
  receivers(const receivers&) = delete;
  receivers& operator=(const receivers&) = delete;
  ~receivers() {
    for (auto& each : threads_) each.join();
  }
  std::atomic<int> begun{0};
  std::atomic<int> received{0};
  std::atomic<int> done{0};

 private:
  std::vector<std::thread> threads_{};
};

queue_delivery received_one(queue& from, const queue_receive_options& options = {}) {
  auto got = from.receive(options).value();
  return got.size() == 1 ? std::move(got.front()) : queue_delivery{};
}

}  // namespace

TEST_CASE("a memory_queue outside its bounds is refused by name", "[queue][memory]") {
  try {
    memory_queue({.settings = {.deliveries_max = 0}});
    FAIL("it was made");
  } catch (const std::invalid_argument& why) {
    CHECK(std::string(why.what()).find("memory_queue_options::settings.deliveries_max is 0") != std::string::npos);
  }
  const memory_queue work({.settings = {.visibility = 7s}});
  CHECK(work.settings().visibility == 7s);
}

TEST_CASE("while the clock stands still, calls alone wake receivers that wait", "[queue][memory]") {
  testing::manual_clock time;
  memory_queue work({.time = &time});
  REQUIRE(work.send({.data = "first", .group = "g"}));
  REQUIRE(work.send({.data = "second", .group = "g"}));
  const auto held = received_one(work);
  {
    receivers waiting(work, 3);
    SECTION("an ack wakes one for the next of its group") { CHECK(work.ack(held.receipt)); }
    SECTION("a nack without delay") { CHECK(work.nack(held.receipt)); }
    SECTION("a rejected message makes way for the next") { CHECK(work.reject(held.receipt, "")); }
    SECTION("a send") { CHECK(work.send({.data = "third"})); }
    CHECK(eventually(5s, [&] { return waiting.done == 1; }));
    CHECK(waiting.received == 1);
    CHECK(work.send_batch({{}, {}}));
    CHECK(eventually(5s, [&] { return waiting.done == 3; }));
    CHECK(waiting.received == 3);
    time.advance(queue::wait_max);  // whatever went wrong, they end
  }
}

TEST_CASE("room for one more in flight is told to who waits, and to who watches", "[queue][memory]") {
  testing::manual_clock time;
  memory_queue work({.settings = {.in_flight_max = 1}, .time = &time});
  looking_watcher who(work);
  REQUIRE(work.send({}));
  const auto held = received_one(work);
  {
    receivers waiting(work, 2);
    CHECK(work.send({.data = "next"}));
    CHECK(eventually(5s, [&] { return waiting.done >= 1; }));  // throttled: there is no room
    CHECK(waiting.received == 0);
    REQUIRE(work.watch(who));
    CHECK(told_during(who, [&] { CHECK(work.ack(held.receipt)); }) == 1);
    CHECK(eventually(5s, [&] { return waiting.done == 2; }));
    time.advance(queue::wait_max);
  }
  work.unwatch(who);
}

TEST_CASE("a manual clock that moves wakes receivers, for a message or for the end of their wait", "[queue][memory]") {
  testing::manual_clock time;
  memory_queue work({.time = &time});
  REQUIRE(work.send({.delay = 5s}));
  receivers waiting(work, 2);
  time.advance(5s);
  CHECK(eventually(5s, [&] { return waiting.done == 1; }));
  CHECK(waiting.received == 1);
  time.advance(queue::wait_max);
  CHECK(eventually(5s, [&] { return waiting.done == 2; }));
  CHECK(waiting.received == 1);
}

TEST_CASE("by the system's clock, who waits learns of a message that is to come before he would look", "[queue]") {
  memory_queue work;
  for (int round = 0; round < 10; ++round) {
    const auto begun = std::chrono::steady_clock::now();
    {
      receivers waiting(work, 1);
      std::this_thread::yield();
      CHECK(work.send({.delay = 20ms}));
    }
    CHECK(std::chrono::steady_clock::now() - begun < 10s);
    CHECK(work.purge());
  }
}

TEST_CASE("watchers are told of what is visible, or to be earlier than was said", "[queue][memory]") {
  testing::manual_clock time;
  memory_queue work({.time = &time});
  looking_watcher who(work);
  REQUIRE(work.watch(who));
  CHECK(told_during(who, [&] { CHECK(work.send({.data = "a", .group = "g"})); }) == 1);
  CHECK(told_during(who, [&] { CHECK(work.send({.data = "b", .group = "g"})); }) == 0);
  CHECK(told_during(who, [&] { CHECK(work.send({.delay = 10s})); }) == 1);
  CHECK(told_during(who, [&] { CHECK(work.send({.delay = 11s})); }) == 0);
  queue_delivery held;
  CHECK(told_during(who, [&] { held = received_one(work); }) == 0);
  CHECK(told_during(who, [&] { CHECK(work.extend(held.receipt, 20s)); }) == 0);
  CHECK(told_during(who, [&] { CHECK(work.extend(held.receipt, 5s)); }) == 1);
  CHECK(told_during(who, [&] { CHECK(work.nack(held.receipt, 4s)); }) == 1);
  time.advance(4s);
  CHECK(told_during(who, [&] { held = received_one(work); }) == 0);
  CHECK(told_during(who, [&] { CHECK(work.nack(held.receipt)); }) == 1);
  CHECK(told_during(who, [&] { CHECK(work.reject(received_one(work).receipt, "")); }) == 1);
  CHECK(told_during(who, [&] { CHECK(work.ack(received_one(work).receipt)); }) == 0);
  CHECK(told_during(who, [&] { CHECK(work.redrive(1).value() == 1); }) == 1);
  work.unwatch(who);
  CHECK(told_during(who, [&] { CHECK(work.send({})); }) == 0);
}

TEST_CASE("a receipt of a memory_queue is good in its own queue, and only as it was given", "[queue][memory]") {
  memory_queue one;
  memory_queue another;
  REQUIRE(one.send({}));
  REQUIRE(another.send({}));
  const std::string receipt = received_one(one).receipt;
  received_one(another);
  const auto no_receipt = [](const result<void>& got) {
    return refused(got, errc::invalid_argument, failure_reason::name);
  };
  CHECK(no_receipt(another.ack(receipt)));
  std::string other = receipt;
  other.back() = '9';
  const std::string dot = receipt.substr(0, receipt.rfind('.'));
  for (const std::string& wrong : {receipt + " ", receipt + ".1", " " + receipt, "0" + receipt, dot, dot + ".",
                                   dot + ".0", dot + ".01", dot + ".A", other, std::string("."), std::string("..")}) {
    INFO(wrong);
    CHECK(no_receipt(one.ack(wrong)));
  }
  CHECK(one.ack(receipt));
}

TEST_CASE("as many dedup_ids are remembered as a memory_queue may, and no more", "[queue][memory]") {
  testing::manual_clock time;
  memory_queue work({.settings = {.messages_max = 1'000}, .time = &time});
  for (std::size_t at = 0; at < memory_queue::dedup_ids_least; at += 1'000) {
    std::vector<queue_message> batch(1'000);
    for (std::size_t i = 0; i < batch.size(); ++i) batch[i].dedup_id = std::to_string(at + i);
    const auto sent = work.send_batch(std::move(batch)).value();
    REQUIRE(std::all_of(sent.begin(), sent.end(), [](const auto& each) { return each && !each->duplicate; }));
    REQUIRE(work.purge().value() == 1'000);
  }
  time.advance(1s);
  const auto beyond = work.send({.dedup_id = "new"});
  REQUIRE(refused(beyond, errc::throttled, failure_reason::queue_depth));
  CHECK(beyond.error().retry_after == 299s);
  CHECK(work.send({.dedup_id = "17"}).value().duplicate);
  CHECK(work.send({}));
  time.advance(299s);
  CHECK(!work.send({.dedup_id = "17"}).value().duplicate);
}

TEST_CASE("what time does to thousands of messages is all done when a call answers", "[queue][memory]") {
  testing::manual_clock time;
  constexpr std::size_t all = 3'500;
  memory_queue work({.settings = {.deliveries_max = 1}, .time = &time});
  for (std::size_t i = 0; i < all; ++i) REQUIRE(work.send({.delay = 1s}));
  time.advance(1s);
  CHECK(work.counts().value().visible == all);
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < all; i += 500) {
    const auto got = work.receive({.count = 500}).value();
    for (const auto& each : got) {
      CHECK(each.sequence == before + 1);
      before = each.sequence;
    }
  }
  CHECK(work.counts().value().in_flight == all);
  time.advance(30s);
  CHECK(work.receive().value().empty());
  CHECK(work.counts().value().dead == all);
  for (std::size_t left = all; left > 0; left -= std::min<std::size_t>(left, 1'000)) CHECK(work.redrive(1'000).value());
  CHECK(work.purge().value() == all);
  CHECK(work.counts().value().visible == 0);
}

TEST_CASE("while the dead letters are full, what is to be one stays, and holds its group", "[queue][memory]") {
  testing::manual_clock time;
  memory_queue work({.settings = {.deliveries_max = 1, .retention = 60s, .dead_letters_max = 1}, .time = &time});
  for (const char* each : {"a", "b", "c"}) REQUIRE(work.send({.data = each, .group = each[0] == 'a' ? "" : "g"}));
  REQUIRE(work.receive({.count = 3}).value().size() == 2);
  time.advance(30s);
  CHECK(work.receive({.count = 3}).value().empty());
  const auto full = work.counts().value();
  CHECK((full.dead == 1 && full.waiting == 2 && full.visible == 0 && full.in_flight == 0));
  CHECK(refused(work.send({}), errc::limit_exceeded, failure_reason::dead_letters));

  SECTION("there is room: it is dead at once, and the next of its group is visible") {
    CHECK(work.erase_dead_letter(work.dead_letters().value().letters.at(0).id).value());
    CHECK(work.dead_letters().value().letters.at(0).data == "b");
    const auto next = received_one(work);
    CHECK(next.data == "c");
    CHECK(refused(work.nack(next.receipt), errc::limit_exceeded, failure_reason::dead_letters));
    CHECK(refused(work.reject(next.receipt, ""), errc::limit_exceeded, failure_reason::dead_letters));
    CHECK(work.ack(next.receipt));
  }
  SECTION("all of them grow too old, and die one after the other as there is room") {
    time.advance(30s);
    CHECK(work.counts().value().oldest_age == 60s);
    for (const auto& [data, why] : {std::pair("a", dead_letter_reason::deliveries),
                                    {"b", dead_letter_reason::deliveries},
                                    {"c", dead_letter_reason::age}}) {
      const auto dead = work.dead_letters().value().letters;
      REQUIRE(dead.size() == 1);
      CHECK((dead[0].data == data && dead[0].reason == why));
      CHECK(work.receive().value().empty());
      CHECK(work.erase_dead_letter(dead[0].id).value());
    }
    CHECK(work.counts().value().waiting == 0);
  }
}

TEST_CASE("what eight threads send is acknowledged once, or dead, or left", "[queue][memory]") {
  constexpr std::uint64_t each_sends = 2'000;
  memory_queue work({.settings = {.visibility = 12h, .deliveries_max = 3}});
  std::atomic<std::uint64_t> acked{0};
  std::atomic<std::uint64_t> wrong{0};
  std::vector<std::map<std::string, unsigned>> delivered(4);
  std::atomic<bool> sending{true};
  std::vector<std::thread> senders;
  std::vector<std::thread> takers;
  for (std::size_t who = 0; who < 4; ++who) {
    senders.emplace_back([&, who] {
      for (std::uint64_t i = 0; i < each_sends; ++i) {
        const std::string group = i % 4 == 0 ? std::to_string(who) : std::string{};
        if (!work.send({.data = std::to_string(i), .group = group})) ++wrong;
      }
    });
    takers.emplace_back([&, who] {
      for (;;) {
        const bool last = !sending;
        const auto got = work.receive({.count = 10, .wait = 5ms}).value();
        if (got.empty() && last) return;
        for (const auto& one : got) {
          ++delivered[who][one.id + '/' + std::to_string(one.deliveries)];
          const auto kind = one.sequence % 7;  // one in seven never succeeds, another one is given back once
          const bool back = kind == 0 || (kind == 1 && one.deliveries == 1);
          const auto done = back ? work.nack(one.receipt) : work.ack(one.receipt);
          if (!done) ++wrong;
          if (done && !back) ++acked;
        }
      }
    });
  }
  for (auto& each : senders) each.join();
  sending = false;
  for (auto& each : takers) each.join();
  std::map<std::string, unsigned> all;
  for (const auto& of_one : delivered) {
    for (const auto& [delivery, count] : of_one) all[delivery] += count;
  }
  CHECK(wrong == 0);
  CHECK(std::all_of(all.begin(), all.end(), [](const auto& each) { return each.second == 1; }));
  const auto left = work.counts().value();
  CHECK((left.visible == 0 && left.waiting == 0 && left.in_flight == 0));
  CHECK(left.dead == 4 * each_sends / 7);
  CHECK(acked + left.dead == 4 * each_sends);
}
