// SPDX-License-Identifier: MIT
#pragma once

// The connection that writes, and commits shared by those who write at the same time.

#include <dormouse/clock.hpp>
#include <dormouse/detail/platform/fork_mark.hpp>
#include <dormouse/result.hpp>

#include "connection.hpp"
#include "function_view.hpp"
#include "write_turns.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

class exclusive_write;

class commit_queue {
 public:
  // `without_readers` does its work while nobody reads, and returns false when somebody will not end.
  using pause = std::function<bool(function_view<void()>)>;
  commit_queue(std::unique_ptr<connection> writer, const clock& time, pause without_readers);
  ~commit_queue();  // checkpoints and closes; not after a failed sync, nor in a child by fork

  // As engine's.
  result<void> write(work what, const deadline& until);
  result<std::unique_ptr<exclusive_write>> begin(const deadline& until, std::chrono::milliseconds idle_timeout);
  [[nodiscard]] bool is_in_child() const noexcept { return process_.is_child(); }
  // Transactions that were committed, whoever they were for.
  [[nodiscard]] std::uint64_t commits() const noexcept { return commits_.load(std::memory_order_relaxed); }

 private:
  friend class exclusive_write;
  static constexpr std::size_t group_max = 256;

  // Those who share a commit.
  struct group {
    std::array<waiter*, group_max> members{};
    std::size_t count = 0;
    std::size_t done = 0;   // how many have been run
    std::size_t begin = 0;  // where the open transaction begins
    std::size_t alive = 0;  // pieces in it
  };

  void lead(group& now);
  void gather(group& now);
  void run_new(group& now);
  void run(group& now, waiter& who);
  result<void> call(waiter& who);
  void lose_all(group& now, const failure& why);
  void commit(group& now);
  result<void> commit_transaction();
  void roll_back() noexcept;
  int undo_piece(bool alone) noexcept;
  result<void> run_text(std::string_view sql) noexcept;
  void note_broken(int code) noexcept;
  void checkpoint_if_due() noexcept;
  void checkpoint(int mode) noexcept;
  static int after_commit(void* self, sqlite3*, const char*, int frames);

  std::unique_ptr<connection> writer_;
  write_turns turns_;
  const clock& time_;
  const pause without_readers_;
  const detail::fork_mark process_{};
  // The rest belongs to whose turn it is.
  int broken_ = 0;  // the result code after which nothing may be written any more
  std::size_t last_group_ = 1;
  std::chrono::nanoseconds last_commit_took_{0};
  unsigned futile_waits_ = 0;
  unsigned skip_waits_ = 0;
  int wal_frames_ = 0;
  int checkpoint_at_;
  std::atomic<std::uint64_t> commits_{0};
};

// The writing connection, held by one caller from BEGIN IMMEDIATE to commit() or the end: for transactions of users.
// Nobody else writes meanwhile. Members may be called by one thread at a time. The engine must outlive it.
class exclusive_write {
 public:
  exclusive_write(commit_queue& owner, std::chrono::milliseconds idle_timeout) noexcept
      : owner_(owner), held_{.idle_max = idle_timeout} {}
  exclusive_write(const exclusive_write&) = delete;
  exclusive_write& operator=(const exclusive_write&) = delete;
  ~exclusive_write() { roll_back(); }  // what was not committed

  // Fails: expired, when it was idle for so long that another writer has rolled it back, or when it has ended; else as
  // `what`. When SQLite itself has rolled back the whole transaction because of that failure, it has ended.
  result<void> use(work what);
  // Ends it, whatever comes of it. Fails as engine::write().
  result<void> commit();
  void roll_back() noexcept;

 private:
  friend class commit_queue;
  class in_use;
  commit_queue& owner_;
  write_turns::holder held_;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
