// SPDX-License-Identifier: MIT
#pragma once

// How a queue lies in a SQLite file, and the texts of all statements that it needs.
//
//   dormouse_queues                id, name, format, sequences (the first that was never given away), epoch (how often
//                                  it was opened), salt (tells its receipts from those of others), made_last (a time)
//   dormouse_queue_ID_NAME         the messages that are not dead, by sequence: see below
//   dormouse_queue_ID_NAME_letters the dead ones, in the order they died
//   dormouse_queue_ID_NAME_dedup   dedup_id, sequence of its message, made, sum
//
// Times are nanoseconds since 1970. visible_at says where a message stands:
//   0           visible; so that all of them lie in the order of their sequence
//   1           dies as soon as there is room among the dead
//   later       hidden until then, in_flight or delayed
//   below 0     waits for one before it in its group, and then becomes visible at -1 - visible_at
// A message's own number is its sequence, and that of its first sending (origin) once it was redriven.

#include <dormouse/detail/config.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

inline constexpr std::int64_t queue_format = 1;
inline constexpr std::int64_t visible_now = 0;
inline constexpr std::int64_t visible_never = 1;

struct queue_sql {
  std::string messages{};  // names of tables, quoted
  std::string letters{};
  std::string dedup{};

  std::string add{};          // sequence, visible_at, sent_at, bytes, sum, origin, group_id, attributes, data
  std::string group_last{};   // group_id
  std::string group_first{};  // group_id; sequence, visible_at
  std::string find{};         // sequence; deliveries, in_flight, visible_at
  std::string ready{};        // count; see the columns below
  std::string due{};          // now, count; sequence, in_flight, deliveries
  std::string stuck{};        // count; sequence, deliveries
  std::string next_due{};     // now; the first visible_at behind it
  std::string oldest{};       // sequence, sent_at
  std::string claim{};        // sequence, visible_at, now
  std::string hide{};         // sequence, visible_at
  std::string release{};      // sequence, visible_at, error
  std::string weigh{};        // sequence; deliveries, bytes, in_flight, group_id
  std::string remove{};       // sequence
  std::string bury{};         // sequence, reason, error, died_at
  std::string bury_empty{};   // sequence, reason, error, died_at, sum; without its content
  std::string head{};         // sequence; sent_at, group_id, message
  std::string redriven{};     // message
  std::string purge{};

  std::string letter_page{};   // behind this place, count; see the columns below
  std::string letter_by_id{};  // message; the same
  std::string letter_of{};     // sequence
  std::string letter_erase{};  // place

  std::string dedup_find{};  // dedup_id, made after; sequence, made, sum
  std::string dedup_add{};   // dedup_id, sequence, made, sum
  std::string dedup_trim{};  // made up to

  std::string count_all{};      // count, in flight, the first sent_at
  std::string count_visible{};  // now
  std::string count_flying{};   // now
  std::string count_dead{};
  std::string next_visible{};
};

// Columns of `ready`.
enum class ready_column : int {
  sequence,
  deliveries,
  sent_at,
  first_received_at,
  sum,
  origin,
  group,
  attributes,
  data
};
// Columns of letter_page and letter_by_id.
enum class letter_column : int {
  place,
  sequence,
  message,
  reason,
  error,
  deliveries,
  sent_at,
  died_at,
  sum,
  group,
  attributes,
  data
};

[[nodiscard]] queue_sql make_queue_sql(std::int64_t id, std::string_view name);

inline constexpr const char* make_queue_catalogue =
    "CREATE TABLE IF NOT EXISTS dormouse_queues(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, "
    "format INTEGER NOT NULL, sequences INTEGER NOT NULL, epoch INTEGER NOT NULL, salt INTEGER NOT NULL, "
    "made_last INTEGER NOT NULL)";
[[nodiscard]] std::string make_queue(const queue_sql& sql);

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
