// SPDX-License-Identifier: MIT
#pragma once

// What services are asked to do: names for decorators, and for those who watch or plan with them.
// Threads: plain values. Errors: none.

#include <dormouse/detail/config.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// Those of one service lie together. Pieces of a stream and statements of a transaction count by themselves.
enum class service_operation : std::uint8_t {
  table_get = 0,
  table_put,
  table_update,
  table_erase,
  table_get_batch,
  table_write_batch,
  table_transact,
  table_query,
  table_scan,
  table_remove_expired,
  table_changes,
  table_last_change,
  table_position,
  table_remember,
  table_watch,
  object_create,
  object_write,
  object_finish,
  object_open,
  object_read,
  object_head,
  object_erase,
  object_copy,
  object_list,
  object_changes,
  object_last_change,
  object_position,
  object_remember,
  object_watch,
  database_query,
  database_execute,
  database_begin,
  transaction_query,
  transaction_execute,
  transaction_script,
  transaction_commit,
  queue_send,
  queue_send_batch,
  queue_receive,
  queue_ack,
  queue_nack,
  queue_extend,
  queue_reject,
  queue_settle,
  queue_counts,
  queue_dead_letters,
  queue_redrive,
  queue_erase_dead_letter,
  queue_purge,
  queue_next_visible,
  queue_watch,
};
inline constexpr std::size_t service_operation_count = 51;

// "table.get", "object.create", "transaction.commit"; "unknown" for a value outside the set.
[[nodiscard]] constexpr std::string_view to_string(service_operation what) noexcept {
  constexpr std::string_view names[service_operation_count] = {"table.get",          "table.put",
                                                               "table.update",       "table.erase",
                                                               "table.get_batch",    "table.write_batch",
                                                               "table.transact",     "table.query",
                                                               "table.scan",         "table.remove_expired",
                                                               "table.changes",      "table.last_change",
                                                               "table.position",     "table.remember",
                                                               "table.watch",        "object.create",
                                                               "object.write",       "object.finish",
                                                               "object.open",        "object.read",
                                                               "object.head",        "object.erase",
                                                               "object.copy",        "object.list",
                                                               "object.changes",     "object.last_change",
                                                               "object.position",    "object.remember",
                                                               "object.watch",       "database.query",
                                                               "database.execute",   "database.begin",
                                                               "transaction.query",  "transaction.execute",
                                                               "transaction.script", "transaction.commit",
                                                               "queue.send",         "queue.send_batch",
                                                               "queue.receive",      "queue.ack",
                                                               "queue.nack",         "queue.extend",
                                                               "queue.reject",       "queue.settle",
                                                               "queue.counts",       "queue.dead_letters",
                                                               "queue.redrive",      "queue.erase_dead_letter",
                                                               "queue.purge",        "queue.next_visible",
                                                               "queue.watch"};
  const auto at = static_cast<std::size_t>(what);
  return at < service_operation_count ? names[at] : "unknown";
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
