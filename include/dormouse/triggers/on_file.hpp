// SPDX-License-Identifier: MIT
#pragma once

// Files that appear in a folder, change or vanish become events of a function.
//
//   runtime.attach(dormouse::on_file("inbox", {.suffix = ".jpg"}), digest).value();   // may refuse: a result
//
// An event is given for a file that is complete: closed after writing, or moved in; a file that is still being written is
// never seen. It is of type "dormouse.file.changed" or "dormouse.file.deleted", `subject` is the path below the root,
// `data` the absolute path; a handler that takes `const file_event&` gets both as paths.
// Guarantee: every file that exists, closed and in place, is given at least once after its last change. A file may be
// given again (attach, overflow and rescans), and one that comes and goes between two looks may be missed.
// Threads: the folder is read on a library thread; at rest it costs one sleeping thread (none under run()) and no polling.
// Platform: Linux uses inotify; elsewhere, and with DORMOUSE_PORTABLE_PLATFORM, the tree is read every `rescan_every`.

#include <dormouse/codec.hpp>
#include <dormouse/runtime/trigger.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// on_file() throws std::invalid_argument, naming the field and its bounds, for a value outside them.
struct on_file_options {
  // Behaviour -------------------------------------------------------------
  // Folders below the root, too; those made later included. Symbolic links are not followed.
  bool recursive = true;
  // Files that are there when the trigger is attached are given as changed.
  bool existing = false;
  bool deleted = false;
  // Only files whose name ends so, for instance ".jpg"; empty: all. At most 255 bytes.
  std::string suffix{};
  // Files whose name begins with a dot are given, too.
  bool hidden = false;

  // Bounds ----------------------------------------------------------------
  // Folders watched at once, 1 .. 1,000,000. Beyond: limit_exceeded (descriptors) at attach; later ones are not watched
  // and are counted in the detail of the runtime's log.
  std::size_t folders_max = 100'000;
  // How long to wait before offering a file again that the function's queue refused, 1 ms .. 1 h.
  std::chrono::milliseconds retry_after{50};
  // Portable platform only: how often the tree is read, 10 ms .. 1 h.
  std::chrono::milliseconds rescan_every{1'000};
};

enum class file_change : std::uint8_t { changed = 1, deleted };

// What happened to which file.
struct file_event {
  std::filesystem::path path{};      // absolute
  std::filesystem::path relative{};  // below the root
  file_change change = file_change::changed;
};

// Watches `root`, a folder. attach() fails: not_found (path) when it does not exist, invalid_argument (path) when it is not
// a folder, permission_denied (path) when it cannot be read, limit_exceeded (descriptors).
// When the root itself vanishes, watching goes on as soon as it is there again (looked for every second while it is gone).
[[nodiscard]] std::unique_ptr<trigger> on_file(std::filesystem::path root, on_file_options options = {});

template <>
struct codec<file_event> {
  // Fails: invalid_argument (payload_type) for an event that on_file did not make.
  static result<file_event> decode(const event& message);
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/on_file.ipp>
#endif
