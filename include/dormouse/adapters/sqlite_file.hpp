// SPDX-License-Identifier: MIT
#pragma once

// A SQLite file, opened and owned by this process: what services are then made of. See adapters/sqlite.hpp.
//
// Durability: power, unless the options say less: a write that has returned is on the disk, if the disk does not lie
//             about it. Writes of several threads share a commit.
// Owning:     the file is closed when the last service made of it, and every copy of the pointer, is gone.
// Processes:  one at a time owns a file; a second one is refused (owned_elsewhere). It keeps a lock on PATH-lock,
//             beside the file, which is not removed.
// Threads:    none of its own, at rest or at work. All writing is done by the thread of one of the callers.
// Failing:    a write that could not be made durable (the system said so) ends the file for writing: its effect is
//             unknown, every later write fails as unavailable, and it must be opened anew. A full disk does not: what
//             did not fit fails as limit_exceeded (store_full), and later writes succeed once there is room.

#include <dormouse/clock.hpp>
#include <dormouse/result.hpp>
#include <dormouse/services/durability.hpp>

#include <cstddef>
#include <filesystem>
#include <memory>

namespace dormouse::inline DORMOUSE_FLAVOUR {

struct sqlite_file_options {
  // Made if it is not there, with mode 0600; its folder must be. Empty: in memory, gone with the last pointer.
  std::filesystem::path path{};
  // power: each commit is synced. process: survives kill -9, but the last commits may be lost with the power supply.
  durability_level durability = durability_level::power;
  // Connections that read beside each other, 1 .. 64; more readers wait. Made when they are first needed.
  std::size_t readers_max = 8;
  // Pages that each connection keeps in memory, in KiB, 64 .. 1,048,576.
  std::size_t cache_kib = 8'192;
  // What deadlines are compared with, and expiry; must outlive the file. Null: the system's clock.
  const clock* time = nullptr;
};

class sqlite_file;  // an open file; used through the services made of it

// Fails, with SQLite's or the system's number in native_code: not_found (path: no such folder), permission_denied
// (path), unavailable (owned_elsewhere), corruption (it is not a database, or a damaged one), unsupported (made by a
// later version of this library, or by another program), limit_exceeded (store_full, descriptors). Never removes or
// replaces a file. Throws std::invalid_argument for an option outside its bounds.
result<std::shared_ptr<sqlite_file>> open_sqlite_file(const sqlite_file_options& options);

// For operators: reads the whole file and compares it with itself (SQLite's integrity_check). Blocks for as long as
// that takes. Fails: corruption, with the first of what was found in `detail`.
result<void> check_sqlite_file(sqlite_file& file);

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
