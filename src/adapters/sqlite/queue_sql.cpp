// SPDX-License-Identifier: MIT
#include "queue_sql.hpp"

#include <fmt/format.h>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

namespace {

// `name` is quoted: the rest goes within its quotes.
std::string beside(std::string_view name, std::string_view rest) {
  return fmt::format("{}{}\"", name.substr(0, name.size() - 1), rest);
}

// "m" and "l" stand for the tables of messages and letters, "d" for that of dedup_ids.
std::string filled(const queue_sql& sql, std::string_view text) {
  return fmt::format(fmt::runtime(text), fmt::arg("m", sql.messages), fmt::arg("l", sql.letters),
                     fmt::arg("d", sql.dedup));
}

constexpr std::string_view letter_columns =
    "place, sequence, message, reason, error, deliveries, sent_at, died_at, sum, group_id, attributes, data";

void add_message_texts(queue_sql& sql) {
  sql.add = filled(sql,
                   "INSERT INTO {m}(sequence, visible_at, in_flight, deliveries, sent_at, bytes, sum, origin, "
                   "group_id, attributes, data) VALUES(?1, ?2, 0, 0, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
  sql.group_last = filled(sql, "SELECT 1 FROM {m} WHERE group_id = ?1 LIMIT 1");
  sql.group_first = filled(sql, "SELECT sequence, visible_at FROM {m} WHERE group_id = ?1 ORDER BY sequence LIMIT 1");
  sql.find = filled(sql, "SELECT deliveries, in_flight, visible_at FROM {m} WHERE sequence = ?1");
  // The second condition is the one of the index.
  sql.ready = filled(sql,
                     "SELECT sequence, deliveries, sent_at, first_received_at, sum, origin, group_id, attributes, data "
                     "FROM {m} WHERE visible_at = 0 AND visible_at >= 0 ORDER BY sequence LIMIT ?1");
  sql.due = filled(sql,
                   "SELECT sequence, in_flight, deliveries FROM {m} WHERE visible_at > 1 AND visible_at <= ?1 AND "
                   "visible_at >= 0 ORDER BY visible_at LIMIT ?2");
  sql.stuck = filled(sql, "SELECT sequence, deliveries FROM {m} WHERE visible_at = 1 AND visible_at >= 0 LIMIT ?1");
  sql.next_due =
      filled(sql, "SELECT visible_at FROM {m} WHERE visible_at > ?1 AND visible_at >= 0 ORDER BY visible_at LIMIT 1");
  sql.oldest = filled(sql, "SELECT sequence, sent_at FROM {m} ORDER BY sequence LIMIT 1");
  sql.claim = filled(sql,
                     "UPDATE {m} SET visible_at = ?2, in_flight = 1, deliveries = deliveries + 1, "
                     "first_received_at = coalesce(first_received_at, ?3) WHERE sequence = ?1");
  sql.hide = filled(sql, "UPDATE {m} SET visible_at = ?2 WHERE sequence = ?1");
  sql.release =
      filled(sql, "UPDATE {m} SET visible_at = ?2, in_flight = 0, error = coalesce(?3, error) WHERE sequence = ?1");
  // Two statements: RETURNING would cost more.
  sql.weigh = filled(sql, "SELECT deliveries, bytes, in_flight, group_id FROM {m} WHERE sequence = ?1");
  sql.remove = filled(sql, "DELETE FROM {m} WHERE sequence = ?1");
  sql.head = filled(sql, "SELECT sent_at, group_id, coalesce(origin, sequence) FROM {m} WHERE sequence = ?1");
  sql.redriven = filled(sql, "SELECT 1 FROM {m} WHERE origin = ?1");
  sql.purge = filled(sql, "DELETE FROM {m}");
}

void add_letter_texts(queue_sql& sql) {
  constexpr std::string_view into =
      "INSERT INTO {l}(sequence, message, reason, error, deliveries, sent_at, died_at, sum, group_id, attributes, "
      "data) ";
  sql.bury =
      filled(sql, fmt::format("{}{}", into,
                              "SELECT sequence, coalesce(origin, sequence), ?2, coalesce(?3, error), deliveries, "
                              "sent_at, ?4, sum, group_id, attributes, data FROM {m} WHERE sequence = ?1"));
  sql.bury_empty = filled(sql, fmt::format("{}{}", into,
                                           "SELECT sequence, coalesce(origin, sequence), ?2, ?3, deliveries, sent_at, "
                                           "?4, ?5, group_id, NULL, x'' FROM {m} WHERE sequence = ?1"));
  sql.letter_page =
      fmt::format("SELECT {} FROM {} WHERE place > ?1 ORDER BY place LIMIT ?2", letter_columns, sql.letters);
  sql.letter_by_id = fmt::format("SELECT {} FROM {} WHERE message = ?1", letter_columns, sql.letters);
  sql.letter_of = filled(sql, "SELECT 1 FROM {l} WHERE sequence = ?1");
  sql.letter_erase = filled(sql, "DELETE FROM {l} WHERE place = ?1");
}

}  // namespace

queue_sql make_queue_sql(std::int64_t id, std::string_view name) {
  queue_sql sql;
  sql.messages = fmt::format("\"dormouse_queue_{}_{}\"", id, name);
  sql.letters = beside(sql.messages, "_letters");
  sql.dedup = beside(sql.messages, "_dedup");
  add_message_texts(sql);
  add_letter_texts(sql);
  sql.dedup_find = filled(sql, "SELECT sequence, made, sum FROM {d} WHERE dedup_id = ?1 AND made > ?2");
  sql.dedup_add = filled(sql, "INSERT OR REPLACE INTO {d}(dedup_id, sequence, made, sum) VALUES(?1, ?2, ?3, ?4)");
  sql.dedup_trim = filled(
      sql, "DELETE FROM {d} WHERE dedup_id IN (SELECT dedup_id FROM {d} WHERE made <= ?1 ORDER BY made LIMIT 4)");
  sql.count_all = filled(
      sql, "SELECT (SELECT count(*) FROM {m}), coalesce((SELECT sent_at FROM {m} ORDER BY sequence LIMIT 1), 0)");
  sql.count_visible =
      filled(sql, "SELECT count(*) FROM {m} WHERE visible_at <= ?1 AND visible_at >= 0 AND visible_at <> 1");
  sql.count_flying =
      filled(sql, "SELECT count(*) FROM {m} WHERE visible_at > ?1 AND visible_at >= 0 AND in_flight = 1");
  sql.count_dead = filled(sql, "SELECT count(*) FROM {l}");
  sql.next_visible =
      filled(sql, "SELECT visible_at FROM {m} WHERE visible_at >= 0 AND visible_at <> 1 ORDER BY visible_at LIMIT 1");
  return sql;
}

std::string make_queue(const queue_sql& sql) {
  const auto index = [](const std::string& table, std::string_view rest, std::string_view what) {
    return fmt::format("CREATE INDEX {} ON {}{};", beside(table, rest), table, what);
  };
  return filled(sql,
                "CREATE TABLE {m}(sequence INTEGER PRIMARY KEY, visible_at INTEGER NOT NULL, "
                "in_flight INTEGER NOT NULL, deliveries INTEGER NOT NULL, sent_at INTEGER NOT NULL, "
                "first_received_at INTEGER, bytes INTEGER NOT NULL, sum INTEGER NOT NULL, origin INTEGER, "
                "group_id BLOB, error BLOB, attributes BLOB, data BLOB NOT NULL);"
                "CREATE TABLE {l}(place INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, message INTEGER NOT NULL, "
                "reason INTEGER NOT NULL, error BLOB, deliveries INTEGER NOT NULL, sent_at INTEGER NOT NULL, "
                "died_at INTEGER NOT NULL, sum INTEGER NOT NULL, group_id BLOB, attributes BLOB, data BLOB NOT NULL);"
                "CREATE TABLE {d}(dedup_id BLOB PRIMARY KEY, sequence INTEGER NOT NULL, made INTEGER NOT NULL, "
                "sum INTEGER NOT NULL) WITHOUT ROWID;") +
         index(sql.messages, "_ready", "(visible_at) WHERE visible_at >= 0") +
         index(sql.messages, "_group", "(group_id) WHERE group_id IS NOT NULL") +
         index(sql.messages, "_origin", "(origin) WHERE origin IS NOT NULL") +
         index(sql.letters, "_message", "(message)") + index(sql.letters, "_sequence", "(sequence)") +
         index(sql.dedup, "_made", "(made)");
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
