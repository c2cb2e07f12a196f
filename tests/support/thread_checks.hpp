// SPDX-License-Identifier: MIT
#pragma once

// Catch2's assertions are for the test's own thread. Others say what must hold here; it is asserted when this ends.
// Declare it before the threads, so that they are joined first.

#include "support/catch.hpp"

#include <atomic>

namespace support {

class thread_checks {
 public:
  void operator()(bool holds) noexcept {
    if (!holds) ++failed_;
  }
  ~thread_checks() { CHECK(failed_ == 0); }

 private:
  std::atomic<int> failed_{0};
};

}  // namespace support
