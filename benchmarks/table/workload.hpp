// SPDX-License-Identifier: MIT
#pragma once

// Orders in a table of a file: read one, write one, write from eight threads. A contender is a class that is opened on
// a path, and has `void put(const order&)` and `order get(std::string_view name)`; both are called from any thread.

#include "common/measure.hpp"
#include "common/scratch.hpp"
#include "common/trials.hpp"

#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace bench {

struct order {
  std::string name;
  std::string state;
  std::string note;
  std::int64_t total = 0;
  double weight = 0;
  bool paid = false;
};

constexpr int orders = 1'000;

inline std::string order_name(int number) {
  char name[32];
  std::snprintf(name, sizeof name, "order-%08d", number);
  return name;
}

inline order make_order(int number, std::int64_t total) {
  return {.name = order_name(number),
          .state = "waiting for payment",
          .note = std::string(120, static_cast<char>('a' + number % 26)),
          .total = total,
          .weight = 0.25 * number,
          .paid = number % 2 == 0};
}

// The order as it was made, or the run ends.
inline void check(const order& found, int number) {
  const order wanted = make_order(number, found.total);
  require(found.state == wanted.state && found.note == wanted.note && found.weight == wanted.weight &&
              found.paid == wanted.paid,
          "an order is not what was put");
}

template <class Store>
void fill(Store& store) {
  for (int number = 0; number < orders; ++number) store.put(make_order(number, number));
}

template <class Store>
void time_gets(Store& store, double effort) {
  fill(store);
  const std::size_t count = count_of(200'000, effort);
  std::mt19937 random(7);
  std::vector<int> wanted(count);
  std::vector<std::string> names;
  for (int number = 0; number < orders; ++number) names.push_back(order_name(number));
  std::int64_t expected = 0;
  for (int& each : wanted) expected += each = static_cast<int>(random() % orders);
  for (int number = 0; number < orders; ++number) check(store.get(names[static_cast<std::size_t>(number)]), number);
  std::int64_t sum = 0;
  const auto begun = now_ns();
  for (const int each : wanted) sum += store.get(names[static_cast<std::size_t>(each)]).total;
  const auto ended = now_ns();
  require(sum == expected, "the totals that were read are not those that were put");
  report("get", "ns", static_cast<double>(ended - begun) / static_cast<double>(count));
}

// Each put of an order that is there already, all of them made before.
template <class Store>
void time_puts(Store& store, std::size_t count) {
  fill(store);
  std::vector<order> fresh;
  for (int number = 0; number < orders; ++number) fresh.push_back(make_order(number, 1'000 + number));
  std::mt19937 random(8);
  const auto begun = now_ns();
  for (std::size_t i = 0; i < count; ++i) store.put(fresh[random() % orders]);
  const auto ended = now_ns();
  report("put", "us", static_cast<double>(ended - begun) / static_cast<double>(count) / 1'000);
  for (int number = 0; number < orders; ++number) check(store.get(order_name(number)), number);
}

// Eight threads, each with orders of its own; time per put of them all.
template <class Store>
void time_puts_of_eight(Store& store, double effort) {
  constexpr int threads = 8;
  const int count = static_cast<int>(count_of(400, effort));
  std::vector<std::thread> all;
  const auto begun = now_ns();
  for (int thread = 0; thread < threads; ++thread) {
    all.emplace_back([&, thread] {
      for (int i = 0; i < count; ++i) store.put(make_order(thread * 1'000'000 + i, i));
    });
  }
  for (auto& each : all) each.join();
  const auto ended = now_ns();
  for (int thread = 0; thread < threads; ++thread) {
    for (int i = 0; i < count; ++i) check(store.get(order_name(thread * 1'000'000 + i)), thread * 1'000'000 + i);
  }
  report("put", "us", static_cast<double>(ended - begun) / (threads * count) / 1'000);
}

// `Store` is made from the path of a file. "power": each put is on the disk when it returns; "process": it survives the
// process only, which shows what lies above the disk.
template <class Store>
std::vector<trial> file_trials() {
  return {{"table", "file, get",
           [](double effort) {
             const scratch folder;
             Store store(folder / "orders.db", false);
             time_gets(store, effort);
           }},
          {"table", "file, put",
           [](double effort) {
             const scratch folder;
             Store store(folder / "orders.db", true);
             time_puts(store, count_of(1'000, effort));
           }},
          {"table", "file, put without sync",
           [](double effort) {
             const scratch folder;
             Store store(folder / "orders.db", false);
             time_puts(store, count_of(20'000, effort));
           }},
          {"table", "file, put, 8 threads", [](double effort) {
             const scratch folder;
             Store store(folder / "orders.db", true);
             time_puts_of_eight(store, effort);
           }}};
}

}  // namespace bench
