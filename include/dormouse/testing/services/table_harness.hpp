// SPDX-License-Identifier: MIT
#pragma once

// A table under test, and ways to look at it. Include Catch2 (either major version) before this header.

#include <dormouse/clock.hpp>
#include <dormouse/services/table.hpp>
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
#error "dormouse: include Catch2 before <dormouse/testing/services/table_harness.hpp>"
#endif

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

struct table_harness {
  // Fresh and empty at every call, with these indexes and this log. An adapter that has no such thing ignores that part
  // of the schema, and its capabilities() say so: then the suite proves that it is refused.
  std::function<std::unique_ptr<table>(const table_schema&)> make{};
  std::function<clock::time_point()> now{};                  // by the table's clock
  std::function<void(std::chrono::milliseconds)> advance{};  // moves that clock, its calendar included
  std::function<calendar_time()> wall{};                     // by the same; needed when items expire
  // For adapters that keep their items: closes the table that make() gave with this schema, and opens it again.
  std::function<std::unique_ptr<table>(std::unique_ptr<table>, const table_schema&)> reopen{};
};

namespace table_conformance {

constexpr auto invalid = errc::invalid_argument;
using texts = std::vector<std::string>;

// Refused as a wrong argument, whatever the reason?
template <class T>
bool is_invalid(const result<T>& got) {
  return !got && got.error().code == invalid && got.error().effect == effect_kind::not_applied;
}

inline std::unique_ptr<table> open(const table_harness& harness, const table_schema& schema = {}) {
  auto store = harness.make(schema);
  REQUIRE(store != nullptr);
  return store;
}

inline table_item text_item(std::string text) { return {{"text", std::move(text)}}; }
inline table_item number_item(std::int64_t number) { return {{"n", number}}; }

// What is stored, or a failed test when nothing is.
inline stored_item whole(table& store, const table_key& key) { return store.get(key).value().value(); }
inline table_item stored(table& store, const table_key& key) { return whole(store, key).item; }
inline bool is_there(table& store, const table_key& key) { return store.get(key).value().has_value(); }
inline std::int64_t number_at(table& store, const table_key& key) {
  return std::get<std::int64_t>(stored(store, key).at("n"));
}

inline table_page page_of(table& store, const table_query& what) { return store.query(what).value(); }
inline table_page page_of(table& store, const table_scan& what) { return store.scan(what).value(); }

// All entries, page by page; `between` is called after each page but the last.
template <class Question>
std::vector<table_entry> walk(table& store, Question what, const std::function<void(const table_page&)>& between = {}) {
  std::vector<table_entry> all;
  for (int pages = 0;; ++pages) {
    REQUIRE(pages < 10'000);
    auto page = page_of(store, what);
    REQUIRE(page.entries.size() <= page.examined);
    REQUIRE(page.examined <= what.page_size);
    const auto printable = [](char each) { return each > ' ' && each <= '~'; };
    REQUIRE(std::all_of(page.cursor.begin(), page.cursor.end(), printable));
    if (between && !page.cursor.empty()) between(page);
    std::move(page.entries.begin(), page.entries.end(), std::back_inserter(all));
    if (page.cursor.empty()) return all;
    what.cursor = std::move(page.cursor);
  }
}

inline texts sorts(const std::vector<table_entry>& entries) {
  texts all;
  for (const auto& each : entries) all.push_back(each.key.sort);
  return all;
}

// "partition/sort" of all items that scan() gives, in ascending order, each once.
inline texts everything(table& store, const table_scan& what = {}) {
  texts all;
  for (const auto& each : walk(store, what)) all.push_back(each.key.partition + "/" + each.key.sort);
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

// `count` items in a partition, in batches: sorts "000", "001" ... with that number as "n".
inline void fill(table& store, const std::string& partition, std::size_t count) {
  std::vector<table_write> writes;
  for (std::size_t i = 0; i < count; ++i) {
    std::string digits = std::to_string(i);
    digits.insert(0, 3 - std::min<std::size_t>(digits.size(), 3), '0');
    writes.push_back(put_write({partition, std::move(digits)}, number_item(static_cast<std::int64_t>(i))));
    if (writes.size() < table::batch_max && i + 1 < count) continue;
    const auto answers = store.write_batch(std::exchange(writes, {})).value();
    for (const auto& each : answers) REQUIRE(each);
  }
}

// Text that a walk cannot have given, made of one that it has.
inline texts harmed(const std::string& cursor) {
  return {cursor + "0",     cursor + cursor,      cursor.substr(1), cursor.substr(0, cursor.size() - 1),
          std::string("x"), std::string(1, '\0'), cursor + '\0',    std::string(100'000, '1')};
}

}  // namespace table_conformance

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing
