// SPDX-License-Identifier: MIT
#pragma once

// File system object stores for tests: system calls that go wrong when they are told to, and what lies in a root.

#include "support/temporary_folder.hpp"

#include <dormouse/adapters/filesystem_object_store.hpp>

#include "adapters/filesystem/filesystem_store.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace support {

// Counts the system calls from arm() on and makes one of them go wrong.
class faulty_file_io final : public dormouse::filesystem::file_io {
 public:
  enum class fault { error, cut_short, killed };

  // The n-th call from now on, n from 1, ends with this errno; or, if it moves bytes, moves one only; or the process.
  void arm(int nth, int error, fault kind = fault::error) {
    left_ = nth;
    error_ = error;
    kind_ = kind;
    fired_ = false;
  }
  void disarm() { left_ = 0; }
  [[nodiscard]] bool fired() const { return fired_; }
  [[nodiscard]] const std::string& fired_at() const { return fired_at_; }
  std::function<void(std::string_view what)> before{};  // each call

  int open(int folder, const char* name, int flags, mode_t mode) override {
    return fails("open") ? -1 : file_io::open(folder, name, flags, mode);
  }
  ssize_t write(int file, const char* from, std::size_t count) override {
    return fails("write") ? -1 : file_io::write(file, from, moved(count));
  }
  ssize_t read(int file, char* to, std::size_t count, off_t offset) override {
    return fails("read") ? -1 : file_io::read(file, to, moved(count), offset);
  }
  int sync(int file) override {
    struct stat what {};
    const bool is_folder = ::fstat(file, &what) == 0 && S_ISDIR(what.st_mode);
    return fails(is_folder ? "sync_folder" : "sync") ? -1 : file_io::sync(file);
  }
  int rename(int folder, const char* from, const char* to) override {
    return fails("rename") ? -1 : file_io::rename(folder, from, to);
  }
  int remove(int folder, const char* name) override { return fails("remove") ? -1 : file_io::remove(folder, name); }
  int make_folder(int folder, const char* name) override {
    return fails("make_folder") ? -1 : file_io::make_folder(folder, name);
  }
  int status(int file, struct stat& what) override { return fails("status") ? -1 : file_io::status(file, what); }

 private:
  bool fails(const char* what) {
    if (before) before(what);
    short_ = false;
    if (left_ == 0 || --left_ != 0) return false;
    const bool moves_bytes = std::string_view(what) == "read" || std::string_view(what) == "write";
    if (kind_ == fault::cut_short && !moves_bytes) return false;
    fired_ = true;
    fired_at_ = what;
    if (kind_ == fault::killed) ::_exit(9);
    short_ = kind_ == fault::cut_short;
    if (!short_) errno = error_;
    return !short_;
  }
  [[nodiscard]] std::size_t moved(std::size_t count) const { return short_ ? std::min<std::size_t>(count, 1) : count; }

  int left_ = 0;
  int error_ = 0;
  fault kind_ = fault::error;
  bool fired_ = false;
  bool short_ = false;
  std::string fired_at_{};
};

// Below this folder, as paths from it, sorted.
inline std::vector<std::string> files_below(const std::filesystem::path& folder) {
  std::vector<std::string> all;
  for (const auto& each : std::filesystem::recursive_directory_iterator(folder)) {
    if (!each.is_directory() || each.is_symlink()) all.push_back(each.path().lexically_relative(folder).string());
  }
  std::sort(all.begin(), all.end());
  return all;
}

// The files of objects, finished or not.
inline std::vector<std::string> blobs_of(const std::filesystem::path& root) { return files_below(root / "blobs"); }

// blobs/xx/ and 32 hexadecimal digits that begin with xx, or the index: what a store makes.
inline bool is_ours(const std::string& path) {
  if (path == "index.db" || path == "index.db-lock" || path == "index.db-wal" || path == "index.db-shm") return true;
  return path.size() == 41 && path.starts_with("blobs/") && path[8] == '/' && path.substr(6, 2) == path.substr(9, 2) &&
         path.find_first_not_of("0123456789abcdef", 9) == std::string::npos;
}

// Bytes that differ everywhere, so that a mixture shows.
inline std::string patterned(std::size_t size, unsigned seed) {
  std::string bytes(size, '\0');
  std::uint64_t state = seed + 1;
  for (char& each : bytes) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    each = static_cast<char>(state >> 56U);
  }
  return bytes;
}

}  // namespace support
