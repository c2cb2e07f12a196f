// SPDX-License-Identifier: MIT
#pragma once

// Queues in a SQLite file, beside its tables (adapters/sqlite.hpp), and transactions over all of them. Needs the
// component dormouse::sqlite.
//
//   auto file = dormouse::open_sqlite_file({.path = "shop.db"}).value();
//   auto orders = dormouse::open_sqlite_table(file, {.name = "orders"}).value();
//   auto work = dormouse::open_sqlite_queue(file, {.name = "work"}).value();
//   auto all = dormouse::begin_sqlite_transaction(file).value();
//   orders->put({"17"}, {{"state", "paid"}}, {.within = all.get()});
//   work->send({.data = "17"}, {.within = all.get()});
//   all->commit();
//
// Durability, owning, processes, threads, failing: as the file, adapters/sqlite_file.hpp. One process at a time owns a
// file, so a second host on the same queue is refused when it opens the file (owned_elsewhere).
// What was received and not settled when the process ended is visible at once to the next one; that delivery counts.
// Time: visibility, delays and ages go by the file's clock, its steady one while the process lives; between two
// processes by the calendar.

#include <dormouse/adapters/sqlite_file.hpp>
#include <dormouse/result.hpp>
#include <dormouse/services/queue.hpp>
#include <dormouse/services/service_transaction.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR {

struct sqlite_queue_options {
  std::string name = "messages";  // 1 .. 64 of [A-Za-z0-9_-]
  // They may differ from the ones before, and hold from now on. Not while the queue is open with others.
  queue_settings settings{};
};

// Makes the queue if the file has none of that name. It can do all that a queue can. A message whose check sum is wrong
// is never delivered: receive() says corruption once, and it is a dead letter without data from then on.
// Fails: unsupported (made by a later version), invalid_argument (open with other settings), as writes do. Throws
// std::invalid_argument for an option outside its bounds.
result<std::unique_ptr<queue>> open_sqlite_queue(std::shared_ptr<sqlite_file> file,
                                                 const sqlite_queue_options& options = {});

struct sqlite_transaction_options {
  // A transaction in which nothing happens for so long is rolled back by whoever waits to write; 1 ms .. 1 h.
  std::chrono::milliseconds idle_timeout{std::chrono::seconds(5)};
  std::optional<clock::time_point> deadline{};  // of the wait for others who write
};

// Waits until nobody else writes to the file. Fails: deadline_exceeded, and as writes do. Until it has ended, a call
// that writes (receive() does), or reads a file in memory, on the thread that used it last, but not within it, is
// refused as invalid_argument: it would wait for itself.
result<std::unique_ptr<service_transaction>> begin_sqlite_transaction(std::shared_ptr<sqlite_file> file,
                                                                      const sqlite_transaction_options& options = {});

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
