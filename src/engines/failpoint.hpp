// SPDX-License-Identifier: MIT
#pragma once

// Places where a process that ends leaves the most behind. Nothing in a library that is used; programs of tests that
// are compiled with DORMOUSE_FAILPOINTS say what happens there: see tests/faults/storage/.

#include <dormouse/detail/config.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR {

enum class failpoint : std::uint8_t {
  piece_done,     // a transaction is open, with changes in it
  before_commit,  // of everything in it
  after_commit,   // nobody has been told
  before_checkpoint,
  after_checkpoint,
  file_made,  // of an object: nothing is in it
  file_written,
  file_synced,
  file_named,  // its folder is not synced
  folder_synced,
  index_committed,  // the object's former file is still there
  former_file_removed,
};

inline constexpr std::array<std::string_view, 12> failpoint_names{
    "piece_done",   "before_commit", "after_commit", "before_checkpoint", "after_checkpoint", "file_made",
    "file_written", "file_synced",   "file_named",   "folder_synced",     "index_committed",  "former_file_removed"};

#if defined(DORMOUSE_FAILPOINTS)
void pass(failpoint at) noexcept;
#else
inline constexpr void pass(failpoint) noexcept {}
#endif

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
