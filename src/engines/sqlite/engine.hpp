// SPDX-License-Identifier: MIT
#pragma once

// An open SQLite file: one connection that writes and checkpoints, several that read, no thread. Knows no service.
//
// Writing: a caller brings a piece of work. Whoever finds nobody writing becomes the leader: it begins a transaction
// (BEGIN IMMEDIATE), does all the pieces that wait, each in a savepoint, and commits them together; their callers wait.
// So a lone writer pays for nothing but its own statements, and eight share one sync.
// A sync that failed is the end of writing (fail-stop): what was in that commit is unknown, later writes are refused.
// A file of rows in memory has only the one connection; reading then takes turns with writing.

#include <dormouse/adapters/sqlite_file.hpp>
#include <dormouse/clock.hpp>
#include <dormouse/result.hpp>
#include <dormouse/services/durability.hpp>

#include "commit_queue.hpp"
#include "connection.hpp"
#include "owner_lock.hpp"
#include "reader_pool.hpp"
#include "shared_locks.hpp"
#include "write_turns.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

// How a file is told from those of others: the application id in its header, and what is done to one that is fresh.
struct engine_options {
  sqlite_file_options file{};
  std::int32_t application_id = 0;  // not 0
  // Brings the schema to this program's version, in one transaction with the note of that version (user_version). Steps
  // in their order: step i makes version i + 1. A file with a higher version is refused as unsupported.
  std::vector<const char*> steps{};
  // The name of a VFS that was registered with SQLite: for tests of what disks do. Empty: the system's.
  std::string vfs{};
};

class engine {
 public:
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;
  ~engine();  // readers close first, then the writer checkpoints and closes

  // Does `what` in a write transaction, on this or another caller's thread, and returns once it is committed as durably
  // as the file's level says. What `what` returns as a failure, or throws, is undone, alone, and is this call's.
  // Must not be called from within work. Work runs once at most, and neither commits nor rolls back.
  // Fails: unavailable (after a failed sync), limit_exceeded (store_full), throttled (another program has the file
  // locked), deadline_exceeded (waited too long), corruption; effect unknown when the commit itself failed.
  result<void> write(work what, const deadline& until) {
    return waits_for_itself() ? own_transaction() : writer_.write(what, until);
  }
  // Does `what` in a read transaction of its own: one state of the file, with every commit that has returned. The
  // deadline also ends statements that take too long.
  result<void> read(work what, const deadline& until);
  // The same for work of one statement, which is a read transaction by itself: cheaper.
  result<void> read_once(work what, const deadline& until);
  // The writing connection for one caller alone. Fails as write(). Rested for longer than the timeout, it is rolled
  // back by whoever waits to write.
  result<std::unique_ptr<exclusive_write>> begin(const deadline& until, std::chrono::milliseconds idle_timeout) {
    if (waits_for_itself()) return own_transaction();
    return writer_.begin(until, idle_timeout);
  }
  // A thread that holds the writing connection for calls of several services; a call of its own beside it, which would
  // wait for itself, is refused as invalid_argument until it is released.
  void note_holder(std::thread::id who) noexcept {
    // relaxed: only the thread itself has to see what it has stored.
    holder_.store(who, std::memory_order_relaxed);
  }
  void release_holder(std::thread::id who) noexcept {
    holder_.compare_exchange_strong(who, std::thread::id{}, std::memory_order_relaxed);  // as above
  }
  // Reads everything and compares it with itself. Fails: corruption, with the first finding.
  result<void> check();

  [[nodiscard]] durability_level durability() const noexcept;
  [[nodiscard]] const clock& time() const noexcept { return time_; }
  // Those who read and the one that writes; in memory they are the same.
  [[nodiscard]] std::size_t connections_max() const noexcept {
    return options_.path.empty() ? 1 : options_.readers_max + 1;
  }
  [[nodiscard]] bool is_in_child() const noexcept { return writer_.is_in_child(); }
  [[nodiscard]] std::uint64_t commits() const noexcept { return writer_.commits(); }

 private:
  friend result<std::shared_ptr<engine>> open_engine(const engine_options& options);
  engine(const engine_options& options, owner_lock lock, std::unique_ptr<shared_locks> locks,
         std::unique_ptr<connection> writer);

  [[nodiscard]] bool waits_for_itself() const noexcept {
    return holder_.load(std::memory_order_relaxed) == std::this_thread::get_id();  // as above
  }
  static failure own_transaction() noexcept;

  const sqlite_file_options options_;
  const clock& time_;
  owner_lock lock_;
  std::unique_ptr<shared_locks> locks_;  // outlives the connections
  commit_queue writer_;
  reader_pool readers_;
  std::atomic<std::thread::id> holder_{};
};

// Fails as open_sqlite_file(). Throws std::invalid_argument for an option outside its bounds.
result<std::shared_ptr<engine>> open_engine(const engine_options& options);

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite

namespace dormouse::inline DORMOUSE_FLAVOUR {
// What the public name stands for.
class sqlite_file {
 public:
  explicit sqlite_file(std::shared_ptr<sqlite::engine> opened) noexcept : opened_(std::move(opened)) {}
  [[nodiscard]] sqlite::engine& opened() const noexcept { return *opened_; }

  // What services keep for as long as the file is open, by names of theirs, so that those who open the same thing share
  // it; and the texts of its statements stay where the connections know them.
  struct shelf {
    std::mutex mutex{};  // guards the rest
    std::map<std::string, std::shared_ptr<void>, std::less<>> kept{};
  };
  [[nodiscard]] shelf& shared() noexcept { return shelf_; }

 private:
  shelf shelf_{};  // goes after the connections
  std::shared_ptr<sqlite::engine> opened_;
};
}  // namespace dormouse::inline DORMOUSE_FLAVOUR
