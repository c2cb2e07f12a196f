// SPDX-License-Identifier: MIT
#pragma once

// What calls of a queue do within a piece of work of the engine's. When one fails, the engine undoes all of it; what is
// refused to one message of several has changed nothing, and is told from a failure by is_refusal().

#include <dormouse/services/queue.hpp>

#include "engines/sqlite/connection.hpp"
#include "queue_state.hpp"
#include "shared_transaction.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

// What a write of a queue leaves to be done when it is committed, or not.
class queue_ending final : public write_ending {
 public:
  explicit queue_ending(std::shared_ptr<queue_state> of) noexcept : of_(std::move(of)) {}
  void ended(bool committed) noexcept override;

  queue_tally change{};  // already in the state's
  std::size_t became_visible = 0;
  std::int64_t due = time_never;  // when the first of those that were hidden becomes visible
  std::int64_t old = time_never;  // when the first of those that were sent is too old
  bool tells = false;             // watchers, if something was hidden: it was not by who receives

 private:
  std::shared_ptr<queue_state> of_;
};

[[nodiscard]] bool is_refusal(const failure& why) noexcept;

[[nodiscard]] inline std::int64_t nanoseconds(std::chrono::nanoseconds of) noexcept { return of.count(); }

class queue_writer {
 public:
  queue_writer(connection& in, queue_state& of, queue_ending& after)
      : in_(in), of_(of), after_(after), now_(of.time.now()), begun_with_(of.tally()) {}

  result<sent_message> send(const queue_message& message);
  // Up to `count` into `to`. What is refused goes into `refusal`, so that what was done on the way stays.
  result<void> claim(std::size_t count, std::chrono::milliseconds visibility, std::vector<queue_delivery>& to,
                     std::optional<failure>& refusal);
  result<void> settle(const queue_settlement& what);
  // What time has brought about: deliveries that have ended, messages that are too old or have no delivery left.
  result<void> tidy();
  result<std::size_t> redrive(std::string_view id, std::size_t count);
  result<bool> erase_letter(std::string_view id);
  result<std::size_t> purge();

  // At the end of the work, when all of it has succeeded.
  void finish() noexcept;

 private:
  static constexpr std::int64_t round_max = 1'000;

  struct claimed;
  struct letter {
    std::int64_t place = 0;
    std::int64_t number = 0;
    std::string group{}, attributes{}, data{};
  };
  struct stored {
    std::int64_t number = 0;  // of its first sending; 0: this is it
    std::string_view group{}, attributes{}, data{};
    std::size_t bytes = 0;
    std::int64_t delay = 0;
  };

  [[nodiscard]] queue_tally tally() const noexcept;
  [[nodiscard]] bool dead_are_full() const noexcept;
  [[nodiscard]] std::int64_t too_old_since() const noexcept;
  [[nodiscard]] result<void> check_room(std::size_t bytes) const noexcept;
  void became_visible_at(std::int64_t when) noexcept;

  result<std::optional<sent_message>> find_duplicate(std::string_view dedup_id);
  result<void> remember(std::string_view dedup_id, std::int64_t sequence);
  result<std::int64_t> store(const stored& what);

  result<void> refuse_if_any(std::optional<failure>& refusal);
  result<std::vector<claimed>> ready(std::size_t count);
  result<void> take(claimed& one, std::int64_t until);
  result<void> put_aside(const claimed& one);

  result<void> settle_found(const queue_settlement& what, const queue_receipt& receipt);
  result<void> settle_absent(const queue_settlement& what, const queue_receipt& receipt);
  result<void> end_delivery(std::int64_t sequence, const queue_settlement& what, bool is_last);

  result<void> surface_due();
  result<void> bury_stuck();
  result<void> bury_old();
  result<void> bury(std::int64_t sequence, dead_letter_reason reason, std::string_view error);
  result<void> bury_corrupt(std::int64_t sequence);
  result<bool> remove(std::int64_t sequence, std::optional<std::uint64_t> delivery);
  result<void> release_group(std::string_view group);
  result<void> set_visible(std::int64_t sequence, std::int64_t when);
  result<void> release(std::int64_t sequence, std::int64_t when, std::string_view error);

  result<std::vector<letter>> letters(std::string_view id, std::size_t count);
  result<void> erase(const letter& one);
  result<bool> exists(const std::string& text, std::int64_t number);

  connection& in_;
  queue_state& of_;
  queue_ending& after_;
  const std::int64_t now_;
  const queue_tally begun_with_;
  queue_tally change_{};  // of this work
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
