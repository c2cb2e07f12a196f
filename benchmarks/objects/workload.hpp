// SPDX-License-Identifier: MIT
#pragma once

// Objects on the disk: write one, so that it is there after a power cut, and read one. A contender is a class that is
// opened on a folder and has `void put(const std::string& name, std::string_view bytes)` and
// `std::string_view get(const std::string& name)`, which is good until the next get.

#include "common/measure.hpp"
#include "common/scratch.hpp"
#include "common/trials.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

inline std::string object_bytes(std::size_t size, unsigned seed) {
  std::string bytes(size, '\0');
  std::uint64_t state = seed * 2 + 1;
  for (char& each : bytes) each = static_cast<char>((state = state * 6'364'136'223'846'793'005ULL + 1) >> 56U);
  return bytes;
}

// `names` objects, each of them put `rounds` times and read as often, the reads of what the page cache has.
template <class Store>
void time_objects(std::size_t size, int names, int rounds) {
  const scratch folder;
  Store store(folder / "objects");
  std::vector<std::string> all;
  for (int i = 0; i < names; ++i) all.push_back(object_bytes(size, static_cast<unsigned>(i)));
  const auto name = [](int i) { return "photos/" + std::to_string(i) + ".jpg"; };
  for (int i = 0; i < names; ++i) store.put(name(i), all[static_cast<std::size_t>(i)]);
  samples puts(static_cast<std::size_t>(names * rounds));
  samples gets(static_cast<std::size_t>(names * rounds));
  for (int round = 0; round < rounds; ++round) {
    for (int i = 0; i < names; ++i) {
      const auto begun = now_ns();
      store.put(name(i), all[static_cast<std::size_t>(i)]);
      puts.add(now_ns() - begun);
    }
    for (int i = 0; i < names; ++i) {
      const auto begun = now_ns();
      const std::string_view got = store.get(name(i));
      gets.add(now_ns() - begun);
      require(got == all[static_cast<std::size_t>(i)], "an object is not what was put");
    }
  }
  puts.report_as("put", "us", 1'000);
  gets.report_as("get", "us", 1'000);
}

template <class Store>
std::vector<trial> object_trials() {
  return {{"objects", "1 KiB",
           [](double effort) { time_objects<Store>(1'024, 20, static_cast<int>(count_of(20, effort))); }},
          {"objects", "64 MiB", [](double effort) {
             time_objects<Store>(std::size_t{64} << 20U, 2, static_cast<int>(count_of(4, effort)));
           }}};
}

}  // namespace bench
