// SPDX-License-Identifier: MIT
#pragma once

// What has changed in an object store: a log behind a number, and somebody who is told that there is more in it. Who
// reads the log at his own pace, and keeps the number of the last change he has dealt with, misses none.

#include <dormouse/services/object_stream.hpp>

#include <cstdint>

namespace dormouse::inline DORMOUSE_FLAVOUR {

enum class object_change_kind : std::uint8_t { put = 1, erased };

struct object_change {
  // Greater than that of every change that took effect before it, of whatever key; there may be gaps.
  std::uint64_t sequence = 0;
  object_change_kind kind = object_change_kind::put;
  object_info info{};  // of the object that was put, or of the one that was erased
};

// Is told that there are changes, not which: see object_store::changes().
class object_watcher {
 public:
  // On the thread that made the change, after it has taken effect; several changes may be told at once. Must not block,
  // and must not call watch() or unwatch().
  virtual void changed() noexcept = 0;

 protected:
  ~object_watcher() = default;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
