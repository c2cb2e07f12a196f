// SPDX-License-Identifier: MIT
#pragma once

// A lock that one opener at a time has, in this process or another, for as long as it lives: gone with kill -9.

#include <dormouse/result.hpp>

#include <filesystem>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

class owner_lock {
 public:
  owner_lock() noexcept = default;  // of nothing
  owner_lock(owner_lock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  owner_lock& operator=(owner_lock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~owner_lock();

  // Locks this file, made with mode 0600 if it is not there; a symbolic link is refused. Does not wait. Fails:
  // unavailable (owned_elsewhere), and as the system does.
  static result<owner_lock> take(const std::filesystem::path& file);

 private:
  explicit owner_lock(int descriptor) noexcept : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
