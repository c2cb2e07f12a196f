// SPDX-License-Identifier: MIT
#pragma once

// Table and database in one SQLite file, in this process, with no server. Needs the component dormouse::sqlite.
//
//   auto file = dormouse::open_sqlite_file({.path = "shop.db"}).value();
//   auto orders = dormouse::open_sqlite_table(file, {.name = "orders"}).value();  // std::unique_ptr<dormouse::table>
//   auto books = dormouse::open_sqlite_database(file).value();                    // ...<dormouse::database>
//
// Durability, owning, processes, threads, failing: as the file, adapters/sqlite_file.hpp.

#include <dormouse/adapters/sqlite_file.hpp>
#include <dormouse/result.hpp>
#include <dormouse/services/database.hpp>
#include <dormouse/services/table.hpp>

#include <memory>
#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR {

struct sqlite_table_options {
  std::string name = "items";  // 1 .. 64 of [A-Za-z0-9_-]
  // It may differ from the one before: indexes that are new are built of all items, in this call and one transaction;
  // those that are gone are dropped; a view and bounds of the log that are others hold from now on, and changes while
  // there was no log are missed, which its readers are told (expired). Not while the table is open with another one.
  table_schema schema{};
};

// Makes the table if the file has none of that name, and can do all that a table can. Rows that are damaged are seen by
// their check sums: corruption, for reads and writes that look at what is there; others replace or erase them.
// Limits: 1,000 readers' positions (limit_exceeded, store_full); what is stored, and tokens, only by the disk.
// Fails: unsupported (made by a later version), invalid_argument (open with another schema), corruption (a damaged row,
// when an index is to be built), as writes do. Throws std::invalid_argument for an option outside its bounds.
result<std::unique_ptr<table>> open_sqlite_table(std::shared_ptr<sqlite_file> file,
                                                 const sqlite_table_options& options = {});

// The SQL of the same file. The tables of the services above lie in it under names that begin with dormouse_: they may
// be read, and are refused to be written (permission_denied), but for the notes of migrations, dormouse_migrations. So
// is SQL that would end a transaction (ROLLBACK as a conflict clause, too), make something temporary, attach a file or
// set a PRAGMA. A deadline ends statements that read and those of a transaction; one that writes alone runs to its end.
// Throws std::invalid_argument without a file.
result<std::unique_ptr<database>> open_sqlite_database(std::shared_ptr<sqlite_file> file);

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
