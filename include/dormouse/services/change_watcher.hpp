// SPDX-License-Identifier: MIT
#pragma once

// Services that log their changes keep them behind numbers, and tell whoever watches that there is more. Who reads the
// log at his own pace, and keeps the number of the last change he has dealt with, misses none.

#include <dormouse/detail/config.hpp>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// Is told that there are changes, not which: see table::changes() and object_store::changes().
class change_watcher {
 public:
  // On the thread that made the change, after it has taken effect; several changes may be told at once. Must not block,
  // and must not call watch() or unwatch().
  virtual void changed() noexcept = 0;

 protected:
  ~change_watcher() = default;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
