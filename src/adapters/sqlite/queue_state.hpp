// SPDX-License-Identifier: MIT
#pragma once

// What all who have a queue of a file open share.

#include <dormouse/adapters/sqlite_messaging.hpp>
#include <dormouse/detail/watcher_list.hpp>

#include "engines/sqlite/engine.hpp"
#include "number_source.hpp"
#include "queue_sql.hpp"
#include "queue_waiting.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

// How much there is: what bounds are compared with, so that nobody has to count.
struct queue_tally {
  std::int64_t messages = 0;
  std::int64_t bytes = 0;
  std::int64_t in_flight = 0;
  std::int64_t dead = 0;

  void add(const queue_tally& other, std::int64_t times = 1) noexcept {
    messages += times * other.messages;
    bytes += times * other.bytes;
    in_flight += times * other.in_flight;
    dead += times * other.dead;
  }
};

// What a receipt says: of which message and of which of its deliveries, in the hands of which opening of the queue.
struct queue_receipt {
  std::uint64_t sequence = 0;
  std::uint64_t delivery = 0;
  std::uint64_t epoch = 0;
};

class queue_state {
 public:
  struct identity {
    std::int64_t id = 0;
    std::int64_t salt = 0;
    std::int64_t epoch = 0;
    std::int64_t last_sequence = 0;  // that may have been given away
    std::int64_t now = 0;            // by the file
  };
  queue_state(const identity& who, const sqlite_queue_options& options, const clock& time, const queue_tally& tally);

  [[nodiscard]] std::int64_t id() const noexcept { return who_.id; }
  [[nodiscard]] std::uint64_t epoch() const noexcept { return static_cast<std::uint64_t>(who_.epoch); }

  [[nodiscard]] queue_tally tally() const noexcept;
  // By who writes, when it has; undone when that is.
  void adjust(const queue_tally& by, std::int64_t times = 1) noexcept;

  result<std::int64_t> next_sequence(connection& in);
  [[nodiscard]] std::string receipt_of(std::int64_t sequence, std::int64_t delivery) const;
  // Empty: it is none of this queue.
  [[nodiscard]] std::optional<queue_receipt> read_receipt(std::string_view text) const noexcept;

  queue_settings settings;  // changed while nobody has it open
  const queue_sql sql;
  const file_clock time;
  number_source sequences{"UPDATE dormouse_queues SET sequences = sequences + ?2 WHERE id = ?1 RETURNING sequences"};
  detail::watcher_list watchers{};
  queue_waiting waiting;

 private:
  const identity who_;
  mutable std::mutex mutex_{};  // guards the rest
  queue_tally tally_;
  std::int64_t last_sequence_;
};

// Makes the queue, or takes it over: what was in flight is visible. Fails: unsupported (another format), as
// engine::write().
result<std::shared_ptr<queue_state>> open_queue_state(engine& file, const sqlite_queue_options& options);

// A number as it is written in ids and receipts; empty: it is not written so.
[[nodiscard]] std::optional<std::uint64_t> read_hex(std::string_view text) noexcept;

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
