#pragma once

// A SQLite file with one table of numbers, to write them and see which are there.

#include "engines/sqlite/engine.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <utility>

namespace support {

namespace sqlite = dormouse::sqlite;

inline sqlite::engine_options numbered_rows_at(std::filesystem::path path) {
  return {.file = {.path = std::move(path)},
          .application_id = 77,
          .steps = {"CREATE TABLE numbers (number INTEGER PRIMARY KEY, filling TEXT)"}};
}

inline dormouse::result<void> run(sqlite::connection& on, std::string_view sql, std::int64_t value) {
  auto prepared = on.prepare(sql);
  if (!prepared) return prepared.error();
  auto done = prepared->bind(1, value).run();
  if (!done) return done.error();
  return {};
}

inline dormouse::result<void> add(sqlite::connection& on, std::int64_t number) {
  return run(on, "INSERT INTO numbers VALUES (?1, printf('%.*c', ?1 % 97, 'x'))", number);
}

inline dormouse::result<void> write_number(sqlite::engine& into, std::int64_t number,
                                           const sqlite::deadline& until = {}) {
  return into.write([&](sqlite::connection& on) { return add(on, number); }, until);
}

inline dormouse::result<std::set<std::int64_t>> numbers_in(sqlite::engine& file) {
  std::set<std::int64_t> found;
  auto done = file.read(
      [&](sqlite::connection& on) -> dormouse::result<void> {
        auto all = on.prepare("SELECT number FROM numbers");
        if (!all) return all.error();
        for (;;) {
          auto row = all->step();
          if (!row) return row.error();
          if (!*row) return {};
          found.insert(all->int64(0));
        }
      },
      {});
  if (!done) return done.error();
  return found;
}

}  // namespace support
