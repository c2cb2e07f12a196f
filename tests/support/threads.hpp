// SPDX-License-Identifier: MIT
#pragma once

// The process's threads as the kernel counts them.

#include <cstddef>
#include <filesystem>
#include <iterator>
#include <thread>

namespace support {

[[nodiscard]] inline std::size_t threads_of_process() {
  // A sanitizer starts a thread of its own with the program's first one: have that behind us.
  static const bool first = (std::thread([] {}).join(), true);
  static_cast<void>(first);
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

}  // namespace support
