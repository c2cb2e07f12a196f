// SPDX-License-Identifier: MIT
#pragma once

// What has changed in an object store: see change_watcher.hpp for how such a log is read.

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

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
