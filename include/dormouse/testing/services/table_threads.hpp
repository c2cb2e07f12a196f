// SPDX-License-Identifier: MIT
#pragma once

// Eight threads at one table. Part of table_conformance.hpp. Assertions are for the test's own thread.

#include <dormouse/testing/services/table_changes.hpp>
#include <dormouse/testing/services/table_harness.hpp>

#include <atomic>
#include <map>
#include <string>
#include <thread>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance {

inline constexpr int threads_count = 8;

template <class F>
void on_threads(F&& work) {
  std::vector<std::thread> all;
  for (int who = 0; who < threads_count; ++who) all.emplace_back([&work, who] { work(who); });
  for (auto& each : all) each.join();
}

// Nothing, when the call failed otherwise than by what others did at the same time.
template <class T>
bool lost_a_race(const result<T>& got) {
  return !got && got.error().code == errc::conflict && got.error().effect == effect_kind::not_applied;
}

inline void check_whole_items(const table_harness& harness) {
  const auto store = open(harness);
  SECTION("readers see one of the items, whole, and each key is erased once") {
    constexpr int writes = 40;
    fill(*store, "once", writes);
    std::atomic<int> wrong{0};
    std::atomic<int> erased{0};
    const auto is_whole = [](const table_item& item) {
      return item.size() == 2 && item.at("first") == item.at("second");
    };
    on_threads([&](int who) {
      const std::string text(500, static_cast<char>('a' + who));
      const table_item own{{"first", text}, {"second", text}};
      for (int i = 0; i < writes; ++i) {
        const table_key key{"own" + std::to_string(who), std::to_string(i)};
        const auto version = store->put(key, own);
        const auto mine = store->get(key);  // nobody else writes there
        if (!version || !mine || !*mine || (*mine)->item != own || (*mine)->version != *version) ++wrong;
        if (!store->put({"common", ""}, own)) ++wrong;
        const auto last = store->get({"common", ""});
        if (!last || !*last || !is_whole((*last)->item)) ++wrong;
        const auto page = store->query({.partition = "common"});
        if (!page || page->entries.size() != 1 || !is_whole(page->entries[0].item)) ++wrong;
        const auto gone = store->erase({"once", (i < 10 ? "00" : "0") + std::to_string(i)});
        if (!gone) ++wrong;
        if (gone && *gone) ++erased;
      }
    });
    CHECK(wrong == 0);
    CHECK(erased == writes);
    CHECK(everything(*store).size() == threads_count * writes + 1);
  }
}

inline void check_racing_conditions(const table_harness& harness) {
  const auto store = open(harness);
  if (!store->capabilities().conditions) return;
  constexpr int rounds = 25;
  SECTION("if_absent has one winner") {
    std::atomic<int> won{0};
    std::atomic<int> wrong{0};
    on_threads([&](int who) {
      for (int i = 0; i < rounds; ++i) {
        const auto got = store->put({"once", std::to_string(i)}, number_item(who), {.when = {.if_absent = true}});
        if (got) ++won;
        if (!got && !refused(got, errc::condition_failed)) ++wrong;
      }
    });
    CHECK((won == rounds && wrong == 0));
  }
  SECTION("what is counted under the version that was read is counted") {
    REQUIRE(store->put({"c", ""}, number_item(0)));
    std::atomic<int> wrong{0};
    on_threads([&](int) {
      for (int done = 0; done < rounds;) {
        const auto now = store->get({"c", ""});
        if (!now || !*now) break;
        const auto next = number_item(std::get<std::int64_t>((*now)->item.at("n")) + 1);
        const auto got = store->put({"c", ""}, next, {.when = {.if_version = (*now)->version}});
        if (got) ++done;
        if (got || refused(got, errc::condition_failed)) continue;
        ++wrong;
        break;
      }
    });
    CHECK(wrong == 0);
    CHECK(number_at(*store, {"c", ""}) == threads_count * rounds);
  }
}

inline void check_racing_updates(const table_harness& harness) {
  const auto store = open(harness);
  if (!store->capabilities().updates) return;
  SECTION("a counter loses no increment, and each is answered by its own number") {
    constexpr int rounds = 50;
    std::atomic<int> failed{0};
    std::map<std::int64_t, int> answers[threads_count];
    on_threads([&](int who) {
      const auto update = table_update().increment(field("n"), 1);
      for (int i = 0; i < rounds; ++i) {
        const auto now = store->update({"c", ""}, update);
        if (!now) ++failed;
        if (now) ++answers[who][std::get<std::int64_t>(now->item.at("n"))];
      }
    });
    std::map<std::int64_t, int> all;
    for (const auto& each : answers) all.insert(each.begin(), each.end());
    CHECK(failed == 0);
    CHECK(all.size() == threads_count * rounds);
    CHECK(number_at(*store, {"c", ""}) == threads_count * rounds);
  }
}

inline void check_racing_transactions(const table_harness& harness) {
  const auto store = open(harness);
  if (!store->capabilities().transactions || !store->capabilities().updates) return;
  constexpr int rounds = 25;
  const table_key from{"from", ""};
  const table_key to{"to", ""};
  REQUIRE(store->transact({put_write(from, number_item(1'000)), put_write(to, number_item(0))}));
  SECTION("transactions keep the sum, and nobody sees one half done") {
    std::atomic<int> wrong{0};
    const auto read = [&](const table_key& key) {
      const auto got = store->get(key);
      if (!got || !*got) return ++wrong, std::int64_t{0};
      return std::get<std::int64_t>((*got)->item.at("n"));
    };
    on_threads([&](int who) {
      const auto take = table_update().increment(field("n"), -1);
      const auto give = table_update().increment(field("n"), 1);
      const bool other_way = who % 2 == 1;
      for (int done = 0; done < rounds;) {
        const auto got = other_way ? store->transact({update_write(to, give), update_write(from, take)})
                                   : store->transact({update_write(from, take), update_write(to, give)});
        if (got) ++done;
        if (!got && !lost_a_race(got)) ++wrong, ++done;
        // What one half shows, the other half has, too, when it is read later: both only go one way.
        const auto left = read(from);
        const auto given = read(to);
        if (given < 1'000 - left) ++wrong;
        if (read(from) > 1'000 - given) ++wrong;
      }
    });
    CHECK(wrong == 0);
    CHECK(number_at(*store, to) == threads_count * rounds);
    CHECK(number_at(*store, from) + number_at(*store, to) == 1'000);
  }
}

inline void check_racing_tokens(const table_harness& harness) {
  const auto store = open(harness);
  if (!store->capabilities().tokens || !store->capabilities().updates) return;
  SECTION("of calls with the same token at the same time one does the work") {
    constexpr int rounds = 10;
    std::atomic<int> wrong{0};
    on_threads([&](int) {
      const auto update = table_update().increment(field("n"), 1);
      for (int i = 0; i < rounds;) {
        const auto got = store->update({"c", ""}, update, {.token = "t" + std::to_string(i)});
        if (lost_a_race(got)) continue;
        if (!got || got->item.at("n") != attribute(std::int64_t{i + 1})) ++wrong;
        ++i;
      }
    });
    CHECK(wrong == 0);
    CHECK(number_at(*store, {"c", ""}) == rounds);
  }
}

inline void check_racing_changes(const table_harness& harness) {
  const auto store = open(harness, logged(table_change_view::both));
  if (!store->capabilities().change_log) return;
  SECTION("all changes are in the log, those of each key in their order, and who watches reads them all") {
    constexpr int rounds = 20;
    counting_watcher watcher;
    REQUIRE(store->watch(watcher));
    std::atomic<int> failed{0};
    on_threads([&](int who) {
      for (int i = 0; i < rounds; ++i) {
        if (!store->put({"own", std::to_string(who)}, number_item(i))) ++failed;
        if (!store->put({"common", ""}, number_item(who * rounds + i))) ++failed;
      }
    });
    store->unwatch(watcher);
    CHECK(failed == 0);
    std::map<table_key, std::optional<table_item>> replayed;
    int broken = 0;
    const auto all = changes_of(*store, 0);
    for (const auto& each : all) {
      auto& now = replayed[each.key];
      if (now != each.former) ++broken;
      now = each.current;
    }
    CHECK(broken == 0);
    CHECK(all.size() == 2 * threads_count * rounds);
    for (const auto& [key, item] : replayed) CHECK((stored(*store, key) == item));
    CHECK((watcher.told >= 1 && watcher.told <= 2 * threads_count * rounds));
  }
}

inline void check_threads(const table_harness& harness) {
  check_whole_items(harness);
  check_racing_conditions(harness);
  check_racing_updates(harness);
  check_racing_transactions(harness);
  check_racing_tokens(harness);
  check_racing_changes(harness);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance
