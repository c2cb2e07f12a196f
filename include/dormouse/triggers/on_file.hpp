// SPDX-License-Identifier: MIT
#pragma once

// Files that appear in a folder, change or vanish become events of a function.
//
//   runtime.attach(dormouse::on_file("inbox", {.suffix = ".jpg"}), digest).value();  // may refuse: a result
//
// An event is of type "dormouse.file.changed" or "dormouse.file.deleted", `subject` is the path below the root, `data`
// the absolute path; a handler that takes `const file_event&` gets both as paths.
//
// Which files: regular ones that are complete, that is, closed after writing, or moved in. A file that was found by
// looking into a folder (one that is new, at attach, after an overflow), or that got its name by link(2), says nothing
// about itself: it waits until its size and time have not changed for `settle_for`; then the system is asked whether
// anybody has it open for writing, and if so the file waits to be closed (and is asked about again, twice as late each
// time). The system answers only who owns the file (or has CAP_LEASE) and may read it, and only on local file systems.
// Without an answer a file that was found is given, though its writer may merely pause (it is given again when closed),
// and one that was linked only while it has another name as well.
//
// Guarantee: every file that exists, closed and in place, is given at least once after its last change. Several changes
// between two looks make one event; a file may be given again (attach, overflow, rescans, folders that are renamed);
// one that comes and goes between two looks may be missed. Exempt are folders that are left out, see folders_max, and
// changes without opening the file (truncate(2)). A queue that is full delays events and loses none: one path each is
// remembered. When the function is gone or the runtime closes, nobody is left to give them to.
// Threads:  the folder is read on a library thread; at rest that costs one sleeping thread (none under run()), and on
//           Linux no timer and no polling.
// Blocking: attach reads all folders below the root. Later a look is cut into pieces of a few milliseconds.
// Platform: Linux uses inotify, which does not see what other machines change on a network file system, nor that a
//           folder above the root is renamed. Elsewhere, and with DORMOUSE_PORTABLE_PLATFORM, the tree is read every
//           `rescan_every`: a file is complete when two looks found the same size and time, and a change that keeps
//           both is not seen.

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
  // Folders below the root, too; those made later included. Symbolic links are not followed, but for the root itself.
  bool recursive = true;
  // Files that are there when the trigger is attached are given as changed.
  bool existing = false;
  // Files that vanish are given, if they were there at attach or have been given as changed. Their names are kept in
  // memory for that.
  bool deleted = false;
  // Only files whose name ends so, for instance ".jpg"; empty: all. At most 255 bytes, no slash.
  std::string suffix{};
  // Files and folders whose name begins with a dot count, too.
  bool hidden = false;
  // How long a file that was found must stay unchanged, 1 ms .. 1 h; see above. Not used on the portable platform.
  std::chrono::milliseconds settle_for{100};

  // Bounds ----------------------------------------------------------------
  // Folders watched at once, 1 .. 1,000,000. Beyond, or beyond the system's own limit: limit_exceeded (descriptors) at
  // attach. Folders that come later, and those that may not be read, are left out: not seen before they are renamed or
  // all is read again. Each look that leaves some out counts once in runtime_stats::observer_failures.
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

// Watches `root`, a folder; a relative one is below the working directory of attach(). attach() fails, with the path in
// `detail` and the system's number in `native_code`: not_found (path) when it does not exist, invalid_argument (path)
// when it is not a folder, permission_denied (path) when it cannot be read, limit_exceeded (descriptors).
// When the root itself vanishes, watching goes on as soon as it is there again, with all files in it (looked for every
// second while it is gone; a root that was removed counts as gone when no process works in it any more).
[[nodiscard]] std::unique_ptr<trigger> on_file(std::filesystem::path root, on_file_options options = {});

template <>
struct codec<file_event> {
  // Fails: invalid_argument (payload_type) for an event that on_file did not make.
  static result<file_event> decode(const event& message);
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/triggers/on_file.ipp>
#endif
