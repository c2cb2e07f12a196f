// SPDX-License-Identifier: MIT

#include "support/catch.hpp"

#include <dormouse/adapters/memory_topic.hpp>
#include <dormouse/testing/eventually.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/topic_conformance.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;

TEST_CASE("memory_topic conforms", "[adapter][topic][memory]") {
  testing::manual_clock time;
  testing::check_topic_conformance(
      {.make_empty = [&] { return std::make_unique<memory_topic>(memory_topic_options{.time = &time}); },
       .now = [&] { return time.now(); },
       .advance = [&](auto by) { time.advance(by); }});
}

namespace {

// Counts how often it was told.
class counting_watcher final : public change_watcher {
 public:
  void changed() noexcept override { ++told; }
  std::atomic<int> told{0};
};

}  // namespace

TEST_CASE("an event wakes who waits at a subscription, and tells who watches it", "[topic][memory]") {
  memory_topic store;  // by the system's clock
  constexpr int rounds = 50;
  const auto waited = store.subscribe({.name = "waited"}).value();
  const auto watched = store.subscribe({.name = "watched"}).value();
  counting_watcher watcher;
  REQUIRE(watched->watch(watcher));
  std::atomic<int> got{0};
  std::thread receiver([&] {
    while (got < rounds) {
      const auto answer = waited->receive({.wait = 20s});
      if (!answer || answer->empty()) return;
      got += static_cast<int>(answer->size());
    }
  });
  // One after the other: in most rounds the receiver waits already.
  int late = 0;
  for (int i = 1; i <= rounds; ++i) {
    if (!store.publish({.type = "t"}) || !testing::eventually(10s, [&] { return got == i; })) ++late;
    if (late != 0) break;
  }
  if (late != 0) (void)store.publish_batch(std::vector<event>(rounds));  // so that it ends
  receiver.join();
  REQUIRE(late == 0);
  CHECK(watcher.told == rounds);
  REQUIRE(store.publish_batch({{.type = "t"}, {.type = "t"}}));
  CHECK(watcher.told == rounds + 2);
  watched->unwatch(watcher);
  REQUIRE(store.publish({.type = "t"}));
  CHECK(watcher.told == rounds + 2);
}

TEST_CASE("messages that are too old make room for an event", "[topic][memory]") {
  testing::manual_clock time;
  memory_topic store({.time = &time});
  const auto full = store.subscribe({.name = "s", .queue = {.retention = 60s, .messages_max = 1}}).value();
  REQUIRE(store.publish({.type = "t", .data = "1"}));
  CHECK(testing::refused(store.publish({.type = "t"}), errc::throttled, failure_reason::queue_depth));
  time.advance(60s);
  REQUIRE(store.publish({.type = "t", .data = "2"}));
  CHECK(full->counts().value().dead == 1);
  CHECK((testing::topic_conformance::take(*full) == std::vector<std::string>{"2"}));
}

TEST_CASE("an event that is refused leaves no group behind", "[topic][memory]") {
  testing::manual_clock time;
  memory_topic store({.time = &time});
  const auto ordered = store
                           .subscribe({.name = "a",
                                       .queue = {.visibility = 1h, .retention = 60s},
                                       .order_by = subscription_settings::grouping::subject})
                           .value();
  const auto full = store.subscribe({.name = "b", .queue = {.messages_max = 1}}).value();
  REQUIRE(store.publish({.type = "t"}));
  REQUIRE(ordered->receive().value().size() == 1);
  // Only where there is a group may the end of an old message make another one visible.
  CHECK(ordered->next_visible().value() == time.now() + 1h);
  CHECK(!store.publish({.type = "t", .subject = "s"}));
  CHECK(ordered->next_visible().value() == time.now() + 1h);
}

TEST_CASE("an event is in all queues of a memory_topic or in none, whoever looks and whenever", "[topic][memory]") {
  memory_topic store;
  constexpr std::size_t room = 3;
  constexpr int rounds = 2'000;
  const auto open = store.subscribe({.name = "b"}).value();
  const auto narrow = store.subscribe({.name = "a", .queue = {.messages_max = room}}).value();
  std::atomic<bool> done{false};
  std::atomic<int> accepted{0};
  std::atomic<int> wrong{0};
  std::vector<std::thread> publishers;
  for (int who = 0; who < 4; ++who) {
    publishers.emplace_back([&] {
      for (int i = 0; i < rounds; ++i) {
        const auto got = store.publish({.type = "t"});
        if (got) ++accepted;
        if (got && got->subscriptions != 2) ++wrong;
        if (!got && !testing::refused(got, errc::throttled, failure_reason::queue_depth)) ++wrong;
      }
    });
  }
  // What has left the narrow one must be in the open one, from which nobody takes.
  std::size_t taken = 0;
  std::thread receiver([&] {
    while (!done || narrow->counts()->visible != 0) {
      const auto got = narrow->receive({.count = room});
      if (!got) ++wrong;
      if (!got || got->empty()) std::this_thread::yield();
      if (!got) continue;
      taken += got->size();
      const auto counts = open->counts();
      if (!counts || counts->visible < taken) ++wrong;
      for (const auto& each : *got) {
        if (!narrow->ack(each.receipt)) ++wrong;
      }
    }
  });
  for (auto& each : publishers) each.join();
  done = true;
  receiver.join();
  CHECK(wrong == 0);
  CHECK(taken == static_cast<std::size_t>(accepted));
  CHECK(open->counts().value().visible == taken);
}

TEST_CASE("a subscription that ends while others publish is left empty", "[topic][memory]") {
  memory_topic store;
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::thread publisher([&] {
    while (!done) {
      if (!store.publish({.type = "t"})) ++wrong;
    }
  });
  int kept = 0;
  int reached = 0;
  for (int i = 0; i < 200; ++i) {
    const auto made = store.subscribe({.name = "s"});
    if (made && testing::eventually(10s, [&] { return (*made)->counts()->visible != 0; })) ++reached;
    if (!made || !store.unsubscribe("s")) continue;
    const auto got = (*made)->receive({.count = 100});
    if (!got || !got->empty()) ++kept;
  }
  done = true;
  publisher.join();
  CHECK((kept == 0 && reached == 200 && wrong == 0));
}
