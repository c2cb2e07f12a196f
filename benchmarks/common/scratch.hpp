// SPDX-License-Identifier: MIT
#pragma once

// A folder for files that are measured: beside the program, so on the disk of the build, not in memory.

#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace bench {

class scratch {
 public:
  scratch()
      : path_(std::filesystem::canonical("/proc/self/exe").parent_path() / ("scratch-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace bench
