// SPDX-License-Identifier: MIT
#pragma once

// Several threads at one object store. Part of object_store_conformance.hpp.

#include <dormouse/testing/services/object_store_harness.hpp>

#include <atomic>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::object_store_conformance {

// Writers of one key: readers see one of the objects, whole. Assertions are for the test's own thread.
inline void check_threads(const object_store_harness& harness) {
  const auto store = harness.make_empty();
  constexpr int threads = 8;
  constexpr int writes = 30;
  std::atomic<int> wrong{0};
  std::atomic<int> made{0};
  const auto work = [&](int who) {
    const std::string bytes(static_cast<std::size_t>(10'000 + who), static_cast<char>('a' + who));
    for (int i = 0; i < writes; ++i) {
      if (!store->put("common", bytes)) ++wrong;
      const auto got = store->get("common");
      const std::string_view seen = got ? got->data.text() : std::string_view{};
      if (seen.empty() || seen.size() != 10'000 + static_cast<std::size_t>(seen[0] - 'a')) ++wrong;
      if (seen.find_first_not_of(seen.substr(0, 1)) != std::string_view::npos) ++wrong;
      if (store->capabilities().conditional_put && store->put("once" + std::to_string(i), bytes, {.if_absent = true})) {
        ++made;
      }
    }
  };
  std::vector<std::thread> all;
  for (int who = 0; who < threads; ++who) all.emplace_back(work, who);
  for (auto& each : all) each.join();
  CHECK(wrong == 0);
  CHECK(made == (store->capabilities().conditional_put ? writes : 0));
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::object_store_conformance
