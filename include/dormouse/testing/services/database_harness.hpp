// SPDX-License-Identifier: MIT
#pragma once

// A database under test, and ways to look at it. Include Catch2 (either major version) before this header.

#include <dormouse/clock.hpp>
#include <dormouse/services/database.hpp>
#include <dormouse/testing/services/service_harness.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifndef REQUIRE
#error "dormouse: include Catch2 before <dormouse/testing/services/database_harness.hpp>"
#endif

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

struct database_harness {
  std::function<std::unique_ptr<database>()> make_empty{};   // fresh and empty at every call
  std::function<clock::time_point()> now{};                  // by the database's clock
  std::function<void(std::chrono::milliseconds)> advance{};  // moves that clock
  // For adapters that keep what they have: closes what make_empty() gave, and opens it again.
  std::function<std::unique_ptr<database>(std::unique_ptr<database>)> reopen{};
};

namespace database_conformance {

constexpr auto invalid = errc::invalid_argument;

inline bool is_late(const failure& why) {
  return why.code == errc::deadline_exceeded && why.reason == failure_reason::caller_deadline &&
         why.effect == effect_kind::not_applied;
}
template <class T>
bool late(const result<T>& got) {
  return !got && is_late(got.error());
}

// The few words in which the dialects differ.
inline std::string spelled(const database& of, std::string_view sql) {
  const bool postgresql = of.dialect() == sql_dialect::postgresql;
  std::string text(sql);
  const auto replace = [&](std::string_view what, std::string_view with) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
      text.replace(at, what.size(), with);
    }
  };
  replace("{bytes}", postgresql ? "BYTEA" : "BLOB");
  replace("{json}", postgresql ? "JSON" : "TEXT");
  return text;
}

// The only column of the only row.
template <class T>
T only(const result<sql_rows>& got) {
  const auto& rows = got.value().rows;
  REQUIRE(rows.size() == 1);
  return std::get<0>(rows[0].as<T>().value());
}

inline std::int64_t count(database& in, const std::string& table) {
  return only<std::int64_t>(in.query("SELECT COUNT(*) FROM " + table));
}

// A table of numbered notes, with these in it.
inline std::unique_ptr<database> with_notes(const database_harness& harness, std::int64_t notes = 0) {
  auto made = harness.make_empty();
  REQUIRE(made->execute("CREATE TABLE notes (id BIGINT PRIMARY KEY, words TEXT)"));
  for (std::int64_t i = 1; i <= notes; ++i) REQUIRE(made->execute("INSERT INTO notes VALUES (?, 'old')", {i}));
  return made;
}

inline std::string words(database& in, std::int64_t id) {
  return only<std::string>(in.query("SELECT words FROM notes WHERE id = ?", {id}));
}

}  // namespace database_conformance

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing
