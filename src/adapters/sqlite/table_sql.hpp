// SPDX-License-Identifier: MIT
#pragma once

// How a table lies in a SQLite file, and the texts of all statements that one needs.
//
//   dormouse_tables      id, name, format, versions (the first that was never given away), schema (a sealed record)
//   dormouse_ID_NAME     the items: id, partition, sort, version, expires_at (nanoseconds since 1970), item (a sealed
//                        row), and for each place of an index two columns, xN_p and xN_s: what its items are found by
//   dormouse_ID_NAME_log the changes: id (their number), made, kind, partition, sort, former, current, sum
//   dormouse_tokens      owner (the table's id), token, made, answer (a sealed record)
//   dormouse_positions   owner, reader, position, sum
//
// Rows have an id of their own, and a unique index over the key beside them: in a table WITHOUT ROWID items of a
// thousand bytes would take three times the space, for they overflow its pages. An index of a table is an index of
// SQLite's over two columns of the same row: SQLite keeps it, and a put needs not to know what was there before.

#include <dormouse/services/table_types.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

inline constexpr std::int64_t table_format = 1;

// An index and which pair of columns it has. A place that is left is taken by the next index that is new.
struct placed_index {
  table_index declared{};
  std::size_t place = 0;
};

// All that select items give id, version, expires_at, item, and those that walk, partition and sort behind them.
struct table_sql {
  std::string items{};  // the table's name, quoted
  std::string log{};

  std::string find{};        // partition, sort
  std::string upsert{};      // partition, sort, version, expires_at, item, then xN_p and xN_s of each index
  std::string erase_live{};  // partition, sort, now
  std::string erase_row{};   // id
  std::string walk_up{};     // partition, from this sort, before that one
  std::string walk_down{};
  std::string scan{};          // behind this id
  std::string soonest{};       // the expires_at that comes first
  std::string expired{};       // now; the one that expired first
  std::string never_expire{};  // id

  // xN_p, xN_s, behind or before this id: those that are at the same place; and as walk_up and walk_down.
  struct index_walks {
    std::string same_up{}, same_down{}, up{}, down{};
  };
  std::vector<index_walks> indexes{};  // in the order of the schema

  std::string log_add{};    // made, kind, partition, sort, former, current, sum
  std::string log_read{};   // behind this id
  std::string log_first{};  // id, kind
  std::string log_last{};   // id
  std::string log_trim{};   // up to this id, made before
};

[[nodiscard]] table_sql make_table_sql(std::int64_t id, std::string_view name,
                                       const std::vector<placed_index>& indexes);

// What makes them. Of an index: its columns, which may be there; itself; and its end.
inline constexpr const char* make_catalogue =
    "CREATE TABLE IF NOT EXISTS dormouse_tables(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, "
    "format INTEGER NOT NULL, versions INTEGER NOT NULL, schema BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS dormouse_tokens(id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, token BLOB NOT NULL, "
    "made INTEGER NOT NULL, answer BLOB NOT NULL, UNIQUE(owner, token));"
    "CREATE INDEX IF NOT EXISTS dormouse_tokens_made ON dormouse_tokens(made);"
    "CREATE TABLE IF NOT EXISTS dormouse_positions(owner INTEGER NOT NULL, reader TEXT NOT NULL, "
    "position INTEGER NOT NULL, sum INTEGER NOT NULL, PRIMARY KEY(owner, reader)) WITHOUT ROWID;";
[[nodiscard]] std::string make_items(const table_sql& sql);
[[nodiscard]] std::string make_log(const table_sql& sql);
[[nodiscard]] std::string add_index_columns(const table_sql& sql, std::size_t place);
[[nodiscard]] std::string make_index(const table_sql& sql, std::size_t place);
[[nodiscard]] std::string drop_index(const table_sql& sql, std::size_t place);
[[nodiscard]] std::string set_index_columns(const table_sql& sql, std::size_t place);  // id, xN_p, xN_s

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
