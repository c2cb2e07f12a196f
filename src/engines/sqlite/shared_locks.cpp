// SPDX-License-Identifier: MIT

#include "shared_locks.hpp"

#include <algorithm>
#include <span>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

void shared_locks::adopt(sqlite3* handle) {
  sqlite3_file* file = nullptr;
  if (sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || file == nullptr) return;
  const std::lock_guard lock(mutex_);
  if (file->pMethods == nullptr || file->pMethods->iVersion < 2) return;  // it has no log
  if (keeper_ == nullptr) {
    keeper_ = file;
    theirs_ = file->pMethods;
    static_cast<sqlite3_io_methods&>(ours_) = *theirs_;
    ours_.xShmLock = &lock_or_unlock;
    ours_.locks = this;
  }
  file->pMethods = &ours_;
}

int shared_locks::lock_or_unlock(sqlite3_file* file, int first, int count, int flags) {
  shared_locks& self = *static_cast<const methods*>(file->pMethods)->locks;
  const std::lock_guard lock(self.mutex_);
  if ((flags & SQLITE_SHM_UNLOCK) != 0) return self.give_back(first, count, flags);
  return (flags & SQLITE_SHM_SHARED) != 0 ? self.share(first) : self.take(first, count);
}

// Always of one mark.
int shared_locks::share(int at) {
  mark& wanted = marks_.at(static_cast<std::size_t>(at));
  if (wanted.by_process == held::exclusive) return SQLITE_BUSY;
  if (wanted.by_process == held::no) {
    if (const int code = ask_system(at, 1, SQLITE_SHM_LOCK | SQLITE_SHM_SHARED); code != SQLITE_OK) return code;
    wanted.by_process = held::shared;
  }
  ++wanted.readers;
  return SQLITE_OK;
}

int shared_locks::take(int first, int count) {
  const std::span wanted(&marks_.at(static_cast<std::size_t>(first)), static_cast<std::size_t>(count));
  const auto in_use = [](const mark& each) { return each.by_process == held::exclusive || each.readers > 0; };
  if (std::any_of(wanted.begin(), wanted.end(), in_use)) return SQLITE_BUSY;
  for (int at = first; at < first + count; ++at) {
    mark& kept = marks_.at(static_cast<std::size_t>(at));
    if (kept.by_process == held::no) continue;
    if (const int code = ask_system(at, 1, SQLITE_SHM_UNLOCK | SQLITE_SHM_SHARED); code != SQLITE_OK) return code;
    kept.by_process = held::no;
  }
  const int code = ask_system(first, count, SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE);
  if (code == SQLITE_OK) {
    for (mark& each : wanted) each.by_process = held::exclusive;
  }
  return code;
}

int shared_locks::give_back(int first, int count, int flags) {
  const std::span held_now(&marks_.at(static_cast<std::size_t>(first)), static_cast<std::size_t>(count));
  if ((flags & SQLITE_SHM_SHARED) != 0) {
    --held_now.front().readers;  // the system's is kept
    return SQLITE_OK;
  }
  for (mark& each : held_now) each.by_process = held::no;
  return ask_system(first, count, flags);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
