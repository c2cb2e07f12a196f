// SPDX-License-Identifier: MIT
#pragma once

// Eight threads publish, others receive, subscribe and unsubscribe. Part of topic_conformance.hpp. Assertions are for
// the test's own thread.

#include <dormouse/testing/services/topic_harness.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::topic_conformance {

inline constexpr int publishers_count = 8;
inline constexpr int events_each = 40;

// What a receiver has seen: how often each id, and what came out of the order of its subject.
struct ledger {
  std::map<std::string, int> seen{};
  std::map<std::string, int> last{};
  int disordered = 0;

  void note(const event& got) {
    const int number = std::stoi(std::string(got.data.text()));
    if (++seen[got.id] > 1) return;
    if (last.count(got.subject) != 0 && last[got.subject] >= number) ++disordered;
    last[got.subject] = number;
  }
  [[nodiscard]] bool is_whole(std::size_t count) const {
    return seen.size() == count &&
           std::all_of(seen.begin(), seen.end(), [](const auto& each) { return each.second == 1; });
  }
};

// Receives and acknowledges until it has seen `count` ids; gives up after a minute.
inline int receive_all(queue& from, std::size_t count, ledger& into) {
  int failed = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (into.seen.size() < count && std::chrono::steady_clock::now() < end) {
    const auto got = from.receive({.count = 7});
    if (!got) ++failed;
    if (!got || got->empty()) std::this_thread::yield();
    if (!got) continue;
    for (const auto& each : *got) {
      into.note(message_event(each));
      if (!from.ack(each.receipt)) ++failed;
    }
  }
  return failed;
}

inline int publish_all(topic& to, int who) {
  int failed = 0;
  const std::string own = "p" + std::to_string(who);
  for (int i = 0; i < events_each; ++i) {
    const auto got = to.publish({.type = i % 2 == 0 ? "even" : "odd",
                                 .subject = own,
                                 .id = own + "-" + std::to_string(i),
                                 .data = std::to_string(i)});
    if (!got || got->subscriptions < (i % 2 == 0 ? 2U : 1U)) ++failed;
  }
  return failed;
}

inline void check_threads(const topic_harness& harness) {
  const auto store = harness.make_empty();
  const auto all = subscribed(*store, {.name = "all"});
  const auto even = subscribed(*store, {.name = "even", .filter = of_type(harness, "even")});
  const bool ordered = all->capabilities().groups;
  if (ordered) REQUIRE(store->subscribe({.name = "all", .order_by = subscription_settings::grouping::subject}));
  SECTION("every event comes to each subscription that wants it, once, in the order of its subject") {
    constexpr std::size_t count = publishers_count * events_each;
    std::atomic<int> failed{0};
    std::atomic<bool> done{false};
    ledger of_all, of_even;
    std::vector<std::thread> publishers;
    std::vector<std::thread> others;
    for (int who = 0; who < publishers_count; ++who) {
      publishers.emplace_back([&, who] { failed += publish_all(*store, who); });
    }
    others.emplace_back([&] { failed += receive_all(*all, count, of_all); });
    others.emplace_back([&] { failed += receive_all(*even, count / 2, of_even); });
    others.emplace_back([&] {  // comes and goes meanwhile
      while (!done) {
        if (!store->subscribe({.name = "passing"}) || !store->unsubscribe("passing")) ++failed;
        if (!store->subscriptions()) ++failed;
      }
    });
    for (auto& each : publishers) each.join();
    done = true;
    for (auto& each : others) each.join();
    CHECK(failed == 0);
    CHECK((of_all.is_whole(count) && of_even.is_whole(count / 2)));
    if (ordered) CHECK(of_all.disordered == 0);
    CHECK((count_of(*all) == 0 && count_of(*even) == 0));
    CHECK((names(*store) == texts{"all", "even"}));
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::topic_conformance
