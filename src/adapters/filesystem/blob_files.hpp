// SPDX-License-Identifier: MIT
#pragma once

// The files of objects: ROOT/blobs/xx/NAME, NAME 32 hexadecimal digits at random that begin with xx. Knows no key, no
// index. A file is written as NAME.part and gets its name when all of it is on the disk; from then on it never changes.
// Every step goes from a folder that is held open to an entry in it and follows no symbolic link, so that nothing that
// is put in the way of a name leads out of the root.
// Threads: any. Errors: the system's, as os_failure().

#include <dormouse/result.hpp>

#include "check_sum.hpp"
#include "file_io.hpp"

#include <bitset>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::filesystem {

// What errno means to a caller. Nothing has been changed.
failure os_failure(int error, std::string_view what);

// Repeats a system call that a signal has interrupted.
template <class F>
auto uninterrupted(F&& call) -> decltype(call()) {
  for (;;) {
    const auto got = call();
    if (got != -1 || errno != EINTR) return got;
  }
}

// A file that is being written. Removed at the end of its scope unless keep() was called.
class staged_blob {
 public:
  staged_blob(file_io& io, bool synced, descriptor folder, std::string name)
      : io_(io), synced_(synced), folder_(std::move(folder)), name_(std::move(name)), entry_(name_ + ".part") {}
  staged_blob(const staged_blob&) = delete;
  staged_blob& operator=(const staged_blob&) = delete;
  ~staged_blob();

  // First.
  result<void> make();
  result<void> write(std::string_view bytes);
  // To the disk, and under its name.
  result<void> place();
  void keep(bool kept = true) noexcept { kept_ = kept; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  file_io& io_;
  const bool synced_;
  const descriptor folder_;
  descriptor file_{};
  const std::string name_;
  std::string entry_;  // what it is called now
  bool made_ = false;
  bool kept_ = false;
};

class blob_files {
 public:
  // `blobs` is the open folder. `synced`: everything is brought to the disk before a call returns.
  blob_files(file_io& io, descriptor blobs, bool synced) noexcept
      : io_(io), blobs_(std::move(blobs)), synced_(synced) {}

  [[nodiscard]] file_io& io() const noexcept { return io_; }
  result<std::unique_ptr<staged_blob>> stage();
  // Opens a file of that many bytes. Fails: corruption when it is not there, or is not such a file; `missing` tells.
  result<descriptor> open(const std::string& name, std::uint64_t size, bool& missing);
  // Best effort: what stays is removed when the store is opened next.
  void remove(const std::string& name) noexcept;
  // Removes what was never finished, and what nobody knows. What does not have a name of ours stays.
  result<void> sweep(const std::function<result<bool>(const std::string&)>& is_known);

 private:
  static constexpr std::size_t folders = 256;
  result<descriptor> folder_of(std::string_view name, bool make);
  result<void> sweep_folder(descriptor folder, std::string_view entry,
                            const std::function<result<bool>(const std::string&)>& is_known);

  file_io& io_;
  const descriptor blobs_;
  const bool synced_;
  std::mutex mutex_{};           // guards made_
  std::bitset<folders> made_{};  // folders whose names are on the disk for sure
};

// An entry of a folder that is itself a folder, made if it is not there. It is on the disk, if `synced`.
result<descriptor> open_folder(file_io& io, int folder, const char* name, bool synced);

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::filesystem
