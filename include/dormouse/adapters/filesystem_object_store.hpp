// SPDX-License-Identifier: MIT
#pragma once

// Objects as files below one folder, with their names and metadata in an index beside them; small objects are in the
// index themselves. Needs the component dormouse::filesystem.
//
//   auto photos = dormouse::open_filesystem_object_store({.root = "photos"}).value();
//
// Keys:       are rows of the index and never part of a path: a file is named by a number. What lies in the folder is
//             the store's alone; other files in it are left alone.
// Durability: power: an object that finish() has returned for is on the disk with its name and its change.
// Checking:   no byte is handed out before it has been compared with a check sum in the index: what has changed on the
//             disk, is cut short or gone, is corruption, in ranges too.
// Readers:    keep the object they have opened, replaced or erased meanwhile; its file goes when they have let go.
// Processes:  one at a time owns a folder; a second one is refused (owned_elsewhere).
// Crashes:    what an interrupted put left behind is removed when the folder is opened.
// Threads:    none of its own.
// Failing:    a put whose file could not be written or synced has changed nothing, and may be tried again; a full disk
//             is limit_exceeded (store_full). Of the index as adapters/sqlite_file.hpp.

#include <dormouse/clock.hpp>
#include <dormouse/result.hpp>
#include <dormouse/services/durability.hpp>
#include <dormouse/services/object_store.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>

namespace dormouse::inline DORMOUSE_FLAVOUR {

struct filesystem_object_store_options {
  // Made if it is not there, with mode 0700; its parent must be. It may be a symbolic link; below it none is followed.
  std::filesystem::path root{};
  // power: file, folder and index are synced before finish() returns. process: none is; survives kill -9. No memory.
  durability_level durability = durability_level::power;
  // Bytes of all objects, 1 .. 1 EiB. Beyond: limit_exceeded (store_full), nothing changed.
  std::uint64_t bytes_max = std::uint64_t{1} << 60U;
  // Changes that are kept for changes(), the last so many, 1 .. 100,000,000.
  std::size_t changes_max = 100'000;
  // What deadlines are compared with, and what `modified` is; must outlive the store. Null: the system's clock.
  const clock* time = nullptr;
};

// Fails, with the system's number in native_code: not_found, permission_denied, invalid_argument (path: no folder),
// unavailable (owned_elsewhere), corruption, unsupported (made by a later version), limit_exceeded (store_full,
// descriptors). Throws std::invalid_argument for an option outside its bounds.
result<std::unique_ptr<object_store>> open_filesystem_object_store(const filesystem_object_store_options& options);

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
