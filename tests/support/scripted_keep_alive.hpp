// SPDX-License-Identifier: MIT
#pragma once

// A keep-alive policy that a test writes.

#include <dormouse/functions/keep_alive.hpp>

#include <chrono>
#include <vector>

namespace support {

// Does as it is told, and notes what it is told.
struct script {
  dormouse::keep_alive_plan plan{};
  std::vector<std::chrono::nanoseconds> pauses{};
  int plans = 0;
  bool gone = false;
};
class scripted final : public dormouse::keep_alive_policy {
 public:
  explicit scripted(script& by) : by_(by) {}
  ~scripted() override { by_.gone = true; }
  void used_after(std::chrono::nanoseconds idle) noexcept override { by_.pauses.push_back(idle); }
  dormouse::keep_alive_plan plan() noexcept override {
    ++by_.plans;
    return by_.plan;
  }

 private:
  script& by_;
};

}  // namespace support
