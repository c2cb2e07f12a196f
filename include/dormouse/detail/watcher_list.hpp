// SPDX-License-Identifier: MIT
#pragma once

// Who watches a service. It has a lock of its own, so that a watcher may ask the service anything but to be taken off.

#include <dormouse/services/change_watcher.hpp>

#include <mutex>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class watcher_list {
 public:
  void add(change_watcher& who) {
    const std::lock_guard lock(mutex_);
    watchers_.push_back(&who);
  }
  // Nobody tells `who` once this has returned.
  void remove(change_watcher& who) noexcept {
    const std::lock_guard lock(mutex_);
    std::erase(watchers_, &who);
  }
  void tell() noexcept {
    const std::lock_guard lock(mutex_);
    for (change_watcher* const each : watchers_) each->changed();
  }

 private:
  std::mutex mutex_{};
  std::vector<change_watcher*> watchers_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
