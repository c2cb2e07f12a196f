// SPDX-License-Identifier: MIT
#pragma once

// An object store under test, and ways to look at it. Include Catch2 (either major version) before this header.

#include <dormouse/services/object_store.hpp>
#include <dormouse/testing/services/service_harness.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifndef REQUIRE
#error "dormouse: include Catch2 before <dormouse/testing/services/object_store_harness.hpp>"
#endif

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

struct object_store_harness {
  std::function<std::unique_ptr<object_store>()> make_empty{};  // fresh and empty at every call
  std::function<clock::time_point()> now{};                     // by the store's clock
  std::function<void(std::chrono::milliseconds)> advance{};     // moves that clock
  // For a store that outlives its process: closes this one and opens what it has stored. Empty: it does not.
  std::function<std::unique_ptr<object_store>(std::unique_ptr<object_store>)> reopen{};
};

namespace object_store_conformance {

constexpr auto invalid = errc::invalid_argument;

// The bytes, or a failed test when there is no such object.
inline std::string bytes_of(object_store& store, std::string_view key, const object_range& range = {}) {
  return std::string(store.get(key, {.range = range}).value().data.text());
}

// Every key, and every common prefix with a '*' behind it, page by page, in ascending order.
inline std::vector<std::string> walk(object_store& store, object_list_options options,
                                     const std::function<void()>& between = {}) {
  std::vector<std::string> all;
  for (int pages = 0;; ++pages) {
    REQUIRE(pages < 10'000);
    auto page = store.list(options).value();
    REQUIRE(page.objects.size() + page.common_prefixes.size() <= options.page_size);
    std::vector<std::string> here;
    for (const auto& each : page.objects) here.push_back(each.key);
    for (const auto& each : page.common_prefixes) here.push_back(each + '*');
    std::sort(here.begin(), here.end());
    REQUIRE((all.empty() || here.empty() || all.back() < here.front()));
    all.insert(all.end(), here.begin(), here.end());
    if (page.cursor.empty()) return all;
    options.start_after.clear();
    options.cursor = std::move(page.cursor);
    if (between) between();
  }
}

}  // namespace object_store_conformance

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing
