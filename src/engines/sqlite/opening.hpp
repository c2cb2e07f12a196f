// SPDX-License-Identifier: MIT
#pragma once

// Connections to a file, set up: what each may do, how durable it is, whose file it is.

#include <dormouse/result.hpp>

#include "connection.hpp"
#include "shared_locks.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

struct opening {
  std::filesystem::path path{};  // empty: in memory
  std::string vfs{};
  std::size_t cache_kib = 0;
  bool synced = true;
  shared_locks* locks = nullptr;  // null: as the VFS has them
};

// The file's real name, so that it is locked as one however it is reached.
result<std::filesystem::path> real_path(const std::filesystem::path& path);
// Before SQLite touches it: that it is empty, or has this application id. Made, with mode 0600, if it is not there.
// Only while this process has no other connection to it: closing a descriptor of a file drops the locks SQLite has on
// it.
result<void> claim_file(const std::filesystem::path& path, std::int32_t application_id);
result<std::unique_ptr<connection>> open_writer(const opening& how, std::int32_t application_id,
                                                const std::vector<const char*>& steps);
result<std::unique_ptr<connection>> open_reader(const opening& how);

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
