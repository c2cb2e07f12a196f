// SPDX-License-Identifier: MIT
#pragma once

// The system calls that the store's own files are made, read and removed with. Virtual so that tests make each of them
// fail, end early, or find another world than the call before. Results and errno are the system's.
// A name never has a slash in it: each call goes one step below a folder that is held open, so no path is walked.

#include <dormouse/detail/config.hpp>

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::filesystem {

class file_io {
 public:
  file_io() = default;
  file_io(const file_io&) = delete;
  file_io& operator=(const file_io&) = delete;
  virtual ~file_io() = default;

  virtual int open(int folder, const char* name, int flags, mode_t mode) {
    return ::openat(folder, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
  }
  virtual ssize_t write(int file, const char* from, std::size_t count) { return ::write(file, from, count); }
  virtual ssize_t read(int file, char* to, std::size_t count, off_t offset) { return ::pread(file, to, count, offset); }
  virtual int sync(int file) { return ::fsync(file); }
  virtual int rename(int folder, const char* from, const char* to) { return ::renameat(folder, from, folder, to); }
  virtual int remove(int folder, const char* name) { return ::unlinkat(folder, name, 0); }
  virtual int make_folder(int folder, const char* name) { return ::mkdirat(folder, name, 0700); }
  virtual int status(int file, struct stat& what) { return ::fstat(file, &what); }
  // What names are made of.
  virtual ssize_t random(unsigned char* to, std::size_t count) { return ::getrandom(to, count, 0); }
};

// An open file or folder, closed at the end of its scope. What close() says comes too late to matter: all that has to
// be on the disk was synced before.
class descriptor {
 public:
  explicit descriptor(int number = -1) noexcept : number_(number) {}
  descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int get() const noexcept { return number_; }
  [[nodiscard]] bool is_open() const noexcept { return number_ >= 0; }
  int release() noexcept { return std::exchange(number_, -1); }

 private:
  int number_;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::filesystem
