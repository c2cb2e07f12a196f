// SPDX-License-Identifier: MIT
#pragma once

// The locks of a write-ahead log, taken from the system once for all connections of an engine; shared ones are kept.
//
// SQLite locks "I read up to here" (a read mark) with fcntl(2) at the begin and the end of every read: half the time of
// a small one. The connections of an engine are all in this process, so among them a count is enough. The system's lock
// is for other programs, a shell of SQLite's, a backup; keeping a shared one for longer than a read only makes a
// checkpoint of theirs leave more in the log. It is given back as soon as one of our connections wants the mark for
// itself, to move it or to begin the log anew.
//
// Rules of the locks: "Locking Modes" and "The WAL-Index File" in sqlite.org/walformat.html; how a VFS has them:
// xShmLock in sqlite.org/c3ref/io_methods.html.

#include <dormouse/detail/config.hpp>

#include <sqlite3.h>

#include <array>
#include <cstdint>
#include <mutex>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

class shared_locks {
 public:
  shared_locks() = default;
  shared_locks(const shared_locks&) = delete;
  shared_locks& operator=(const shared_locks&) = delete;

  // From now on the locks of this connection's log are taken here. Before it has taken any. All connections must be of
  // one file. The first keeps the system's locks for all: it reads before
  // another is opened, and is closed last. Threads: as a connection's opening.
  void adopt(sqlite3* handle);

 private:
  // The methods of one adopted file: those its VFS gave it, but for one. SQLite finds it by the file's pointer.
  struct methods : sqlite3_io_methods {
    shared_locks* locks = nullptr;
  };
  enum class held : std::uint8_t { no, shared, exclusive };
  struct mark {
    held by_process = held::no;  // what the system knows
    unsigned readers = 0;        // our connections that share it
  };

  static int lock_or_unlock(sqlite3_file* file, int first, int count, int flags);
  int share(int at);
  int take(int first, int count);
  int give_back(int first, int count, int flags);
  int ask_system(int first, int count, int flags) { return theirs_->xShmLock(keeper_, first, count, flags); }

  std::mutex mutex_{};  // guards the rest, and the system's locks
  std::array<mark, SQLITE_SHM_NLOCK> marks_{};
  methods ours_{};
  const sqlite3_io_methods* theirs_ = nullptr;
  sqlite3_file* keeper_ = nullptr;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
