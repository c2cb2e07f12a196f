// SPDX-License-Identifier: MIT
#pragma once

// A million functions that nobody calls: what each costs, to register and to keep, and to find again by its name.

#include "common/measure.hpp"
#include "common/threads.hpp"
#include "common/trials.hpp"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace bench {

inline std::vector<std::string> idle_names() {
  constexpr std::size_t count = 1'000'000;
  std::vector<std::string> names;
  names.reserve(count);
  for (std::size_t i = 0; i < count; ++i) names.push_back("handler-" + std::to_string(i * 7'919 % 10'000'019));
  return names;
}

// `find(name)` among the first `hot` names, in random order.
template <class Find>
void time_finds(const char* metric, const std::vector<std::string>& names, std::size_t hot, double effort,
                const Find& find) {
  const std::size_t count = count_of(1'000'000, effort);
  std::mt19937 random(7);
  std::vector<const std::string*> order(count);
  for (auto& each : order) each = &names[random() % hot];
  std::size_t found = 0;
  for (const auto* each : order) found += find(*each) ? 1 : 0;  // warm
  const auto begun = now_ns();
  for (const auto* each : order) found += find(*each) ? 1 : 0;
  const auto ended = now_ns();
  require(found == 2 * count, "a name was not found");
  report(metric, "ns", static_cast<double>(ended - begun) / static_cast<double>(count));
}

// `find(name)` among a hundred of them, and among all.
template <class Find>
void time_all_finds(const std::vector<std::string>& names, double effort, const Find& find) {
  time_finds("find, 100 hot", names, 100, effort, find);
  time_finds("find, random", names, names.size(), effort, find);
}

// `add(name)` for each.
template <class Add>
void time_registration(const std::vector<std::string>& names, const Add& add) {
  const auto resident = resident_bytes();
  const auto begun = now_ns();
  std::size_t letters = 0;
  for (const auto& each : names) {
    add(each);
    letters += each.size();
  }
  const auto count = static_cast<double>(names.size());
  report("register", "ns", static_cast<double>(now_ns() - begun) / count);
  report("memory beyond the name", "bytes", static_cast<double>(resident_bytes() - resident - letters) / count);
}

}  // namespace bench
