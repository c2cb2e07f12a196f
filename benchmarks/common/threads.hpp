// SPDX-License-Identifier: MIT
#pragma once

// What the kernel knows about this process's threads and memory.

#include "common/measure.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace bench {

inline std::size_t thread_count() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("Threads:", 0) == 0) return std::stoul(line.substr(8));
  }
  return 0;
}

// Waits until this is the only thread. How long that took, or -1 after `limit`.
inline std::int64_t wait_alone(std::int64_t limit_ns) {
  const auto begun = now_ns();
  while (thread_count() > 1) {
    if (now_ns() - begun > limit_ns) return -1;
    sleep_ns(100'000);
  }
  return now_ns() - begun;
}

// Times that threads other than the main one were put on a processor.
inline std::uint64_t wakeups_of_others() {
  std::uint64_t total = 0;
  const auto own = std::to_string(::getpid());
  for (const auto& each : std::filesystem::directory_iterator("/proc/self/task")) {
    if (each.path().filename() == own) continue;
    std::ifstream status(each.path() / "status");
    for (std::string line; std::getline(status, line);) {
      if (line.find("ctxt_switches:") != std::string::npos) total += std::stoull(line.substr(line.find(':') + 1));
    }
  }
  return total;
}

inline std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  statm >> all >> resident;
  return resident * 4'096;
}

}  // namespace bench
