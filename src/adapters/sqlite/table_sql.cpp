// SPDX-License-Identifier: MIT
#include "table_sql.hpp"

#include <fmt/format.h>

#include <iterator>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

namespace {

constexpr std::string_view row_columns = "id, version, expires_at, item";
constexpr std::string_view entry_columns = "id, version, expires_at, item, partition, sort";

// Names are of [A-Za-z0-9_-]: within quotes they need no escape.
std::string beside(const std::string& quoted, std::string_view suffix) {
  return fmt::format("{}{}\"", std::string_view(quoted).substr(0, quoted.size() - 1), suffix);
}

std::string upsert_text(const std::string& items, const std::vector<placed_index>& indexes) {
  std::string columns = "partition, sort, version, expires_at, item";
  std::string values = "?1, ?2, ?3, ?4, ?5";
  std::string changes = "version = excluded.version, expires_at = excluded.expires_at, item = excluded.item";
  int parameter = 6;
  for (const placed_index& each : indexes) {
    for (const char half : {'p', 's'}) {
      fmt::format_to(std::back_inserter(columns), ", x{}_{}", each.place, half);
      fmt::format_to(std::back_inserter(values), ", ?{}", parameter++);
      fmt::format_to(std::back_inserter(changes), ", x{0}_{1} = excluded.x{0}_{1}", each.place, half);
    }
  }
  return fmt::format("INSERT INTO {}({}) VALUES({}) ON CONFLICT(partition, sort) DO UPDATE SET {}", items, columns,
                     values, changes);
}

table_sql::index_walks walks_of(const std::string& items, std::size_t place) {
  const auto text = [&](std::string_view where, std::string_view order) {
    return fmt::format("SELECT {0} FROM {1} WHERE x{2}_p = ?1 AND {3} ORDER BY {4}", entry_columns, items, place,
                       fmt::format(fmt::runtime(where), place), fmt::format(fmt::runtime(order), place));
  };
  return {.same_up = text("x{0}_s = ?2 AND id > ?3", "id"),
          .same_down = text("x{0}_s = ?2 AND id < ?3", "id DESC"),
          .up = text("x{0}_s >= ?2 AND x{0}_s < ?3", "x{0}_s, id"),
          .down = text("x{0}_s >= ?2 AND x{0}_s < ?3", "x{0}_s DESC, id DESC")};
}

void add_log_texts(table_sql& sql) {
  sql.log_add = fmt::format(
      "INSERT INTO {}(made, kind, partition, sort, former, current, sum) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)", sql.log);
  sql.log_read = fmt::format(
      "SELECT id, made, kind, partition, sort, former, current, sum FROM {} WHERE id > ?1 ORDER BY id", sql.log);
  sql.log_first = fmt::format("SELECT id, kind FROM {} ORDER BY id LIMIT 1", sql.log);
  sql.log_last = fmt::format("SELECT id FROM {} ORDER BY id DESC LIMIT 1", sql.log);
  // A few rows at a time. The one that was just added is neither too old nor too many, so the log is never empty again,
  // and the last row says what the next number is.
  sql.log_trim =
      fmt::format("DELETE FROM {0} WHERE id < (SELECT min(id) FROM {0}) + 64 AND (id <= ?1 OR made < ?2)", sql.log);
}

}  // namespace

table_sql make_table_sql(std::int64_t id, std::string_view name, const std::vector<placed_index>& indexes) {
  table_sql sql;
  sql.items = fmt::format("\"dormouse_{}_{}\"", id, name);
  sql.log = beside(sql.items, "_log");
  const auto select = [&](std::string_view columns, std::string_view rest) {
    return fmt::format("SELECT {} FROM {} WHERE {}", columns, sql.items, rest);
  };
  sql.find = select(row_columns, "partition = ?1 AND sort = ?2");
  sql.upsert = upsert_text(sql.items, indexes);
  sql.erase_live = fmt::format(
      "DELETE FROM {} WHERE partition = ?1 AND sort = ?2 AND (expires_at IS NULL OR expires_at > ?3)", sql.items);
  sql.erase_row = fmt::format("DELETE FROM {} WHERE id = ?1", sql.items);
  sql.walk_up = select(entry_columns, "partition = ?1 AND sort >= ?2 AND sort < ?3 ORDER BY sort");
  sql.walk_down = select(entry_columns, "partition = ?1 AND sort >= ?2 AND sort < ?3 ORDER BY sort DESC");
  sql.scan = select(entry_columns, "id > ?1 ORDER BY id");
  sql.soonest = select("expires_at", "expires_at IS NOT NULL ORDER BY expires_at LIMIT 1");
  sql.expired = select(entry_columns, "expires_at <= ?1 ORDER BY expires_at LIMIT 1");
  sql.never_expire = fmt::format("UPDATE {} SET expires_at = NULL WHERE id = ?1", sql.items);
  for (const placed_index& each : indexes) sql.indexes.push_back(walks_of(sql.items, each.place));
  add_log_texts(sql);
  return sql;
}

std::string make_items(const table_sql& sql) {
  return fmt::format(
      "CREATE TABLE {}(id INTEGER PRIMARY KEY, partition BLOB NOT NULL, sort BLOB NOT NULL, version INTEGER NOT NULL, "
      "expires_at INTEGER, item BLOB NOT NULL, UNIQUE(partition, sort));"
      "CREATE INDEX {} ON {}(expires_at) WHERE expires_at IS NOT NULL;",
      sql.items, beside(sql.items, "_expiry"), sql.items);
}

std::string make_log(const table_sql& sql) {
  return fmt::format(
      "CREATE TABLE IF NOT EXISTS {}(id INTEGER PRIMARY KEY, made INTEGER NOT NULL, kind INTEGER NOT NULL, "
      "partition BLOB, sort BLOB, former BLOB, current BLOB, sum INTEGER NOT NULL)",
      sql.log);
}

std::string add_index_columns(const table_sql& sql, std::size_t place) {
  return fmt::format("ALTER TABLE {0} ADD COLUMN x{1}_p BLOB; ALTER TABLE {0} ADD COLUMN x{1}_s BLOB", sql.items,
                     place);
}

std::string make_index(const table_sql& sql, std::size_t place) {
  return fmt::format("CREATE INDEX {0} ON {1}(x{2}_p, x{2}_s) WHERE x{2}_p IS NOT NULL",
                     beside(sql.items, fmt::format("_x{}", place)), sql.items, place);
}

std::string drop_index(const table_sql& sql, std::size_t place) {
  return fmt::format("DROP INDEX {}", beside(sql.items, fmt::format("_x{}", place)));
}

std::string set_index_columns(const table_sql& sql, std::size_t place) {
  return fmt::format("UPDATE {0} SET x{1}_p = ?2, x{1}_s = ?3 WHERE id = ?1", sql.items, place);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
