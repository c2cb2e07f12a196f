// SPDX-License-Identifier: MIT
#pragma once

// Threads that end by themselves are joined by the next one that ends, the last by the runtime: none is detached while
// it runs library code, and at most one ended thread is unjoined at any time.

#include <dormouse/detail/config.hpp>

#include <mutex>
#include <thread>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class thread_shelf {
 public:
  // Last but one act of a library thread: leaves its own handle, and gets that of the thread which ended before it, to
  // be joined outside every lock. To be called under the lock that says whether the thread is still there: who finds
  // it gone then finds its handle here.
  [[nodiscard]] std::thread put(std::thread self) noexcept {
    const std::lock_guard lock(mutex_);
    return std::exchange(last_, std::move(self));
  }
  // Joins the last one; call when no other library thread is left. Not from a library thread.
  void clear() { join(put(std::thread{})); }
  static void join(std::thread former) {
    if (former.joinable()) former.join();  // it has already left: this is short
  }

  ~thread_shelf() {
    // Reached on a library thread when that thread was the last owner of everything: it cannot join itself.
    if (last_.joinable()) last_.detach();
  }

 private:
  std::mutex mutex_{};
  std::thread last_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
