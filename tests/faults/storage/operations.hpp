// SPDX-License-Identifier: MIT
#pragma once

// What the worker that is killed and the parent that outlives it both know: the stores, what is written into them, and
// the lines the worker says.

#include <dormouse/adapters/filesystem_object_store.hpp>
#include <dormouse/adapters/sqlite.hpp>
#include <dormouse/adapters/sqlite_messaging.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace storage {

enum class store_kind : char { table = 't', bank = 'b', objects = 'o', ledger = 'l', sent = 's', done = 'd' };

// One write: `number` grows over all rounds; an erase has it negative.
struct operation {
  store_kind store = store_kind::table;
  int slot = 0;
  std::int64_t number = 0;
};

// "B t 3 17": it begins; "A t 3 17": it has returned, and was a success.
inline std::string line_of(char phase, const operation& what) {
  return fmt::format("{} {} {} {}\n", phase, static_cast<char>(what.store), what.slot, what.number);
}

constexpr int table_slots = 40;  // two threads with half of them each
constexpr int object_slots = 20;
constexpr int accounts = 8;
constexpr unsigned deliveries_max = 5;  // of an order in the queue

// Bytes that tell which write they are of; of several sizes, so that rows with overflow pages, objects in the index and
// objects in files all occur.
inline std::string bytes_of(const operation& what) {
  constexpr std::size_t table_sizes[] = {20, 600, 9'000};
  constexpr std::size_t object_sizes[] = {100, 20'000, 300'000};
  const auto pick = static_cast<std::size_t>(what.number % 3);
  const std::size_t size = what.store == store_kind::objects ? object_sizes[pick] : table_sizes[pick];
  std::string text = fmt::format("{} {} {}|", static_cast<char>(what.store), what.slot, what.number);
  const std::string unit = text;
  while (text.size() < size) text += unit;
  return text;
}

struct stores {
  std::shared_ptr<dormouse::sqlite_file> file;
  std::unique_ptr<dormouse::table> rows;
  std::unique_ptr<dormouse::database> books;
  std::unique_ptr<dormouse::object_store> objects;
  std::unique_ptr<dormouse::queue> orders;
};

inline dormouse::result<stores> open_stores(const std::filesystem::path& folder) {
  auto file = dormouse::open_sqlite_file({.path = folder / "data.db"});
  if (!file) return file.error();
  auto rows = dormouse::open_sqlite_table(
      *file, {.name = "rows", .schema = {.change_view = dormouse::table_change_view::keys, .changes_max = 1'000'000}});
  if (!rows) return rows.error();
  auto books = dormouse::open_sqlite_database(*file);
  if (!books) return books.error();
  if (auto made = (*books)->migrate({{1, "ledger", "create table ledger(number integer primary key) strict"}}); !made) {
    return made.error();
  }
  auto objects = dormouse::open_filesystem_object_store({.root = folder / "objects"});
  if (!objects) return objects.error();
  auto orders = dormouse::open_sqlite_queue(
      *file, {.name = "orders", .settings = {.deliveries_max = deliveries_max, .messages_max = 200}});
  if (!orders) return orders.error();
  return stores{std::move(*file), std::move(*rows), std::move(*books), std::move(*objects), std::move(*orders)};
}

inline dormouse::table_key row_key(int slot) { return {fmt::format("slot-{}", slot), ""}; }
inline dormouse::table_key account_key(int account) { return {"bank", fmt::format("{}", account)}; }
inline dormouse::table_key order_key(std::int64_t number) { return {"orders", fmt::format("{}", number)}; }
inline std::string object_key(int slot) { return fmt::format("objects/../{}", slot); }

}  // namespace storage
