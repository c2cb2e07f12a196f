// SPDX-License-Identifier: MIT
#pragma once

// A queue of messages between those who send and those who receive: the queue service, after SQS's model. An adapter
// derives from `queue` and overrides the do_ functions, which get checked arguments only.
//
// At least once: a message that was sent is delivered until somebody acknowledges it, then it is gone; what nobody ends
// well, or in time, is a dead letter and stays until it is redriven or erased. Nothing is dropped.
// A delivery hides the message for the time of its visibility. When that passes without an ack, the message can be
// received again, and the former receipt is stale as soon as it is: an ack with it changes nothing.
//
// Threads:  every member function may be called from any thread.
// Blocking: until the engine has answered or the call's deadline has passed; receive() as long as it is told to wait.
// Errors:   no member throws; what an adapter throws becomes internal, std::bad_alloc becomes out_of_memory. The effect
//           is not_applied for all that is refused before the adapter is asked; else what the adapter says, unknown if
//           it threw.
// Owning:   arguments are not kept; results are the caller's own.
// Limits:   those of SQS (Amazon SQS Developer Guide, "Amazon SQS message quotas"), but for the size of a batch.

#include <dormouse/clock.hpp>
#include <dormouse/result.hpp>
#include <dormouse/services/call_options.hpp>
#include <dormouse/services/change_watcher.hpp>
#include <dormouse/services/durability.hpp>
#include <dormouse/services/queue_types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {
template <class Behaviour>
class forwarding_queue;
}

// What an adapter can do beyond the contract of every queue. What it cannot is refused as unsupported, before any
// effect.
struct queue_capabilities {
  bool groups = false;               // queue_message::group
  bool deduplication = false;        // queue_message::dedup_id
  bool shared_transactions = false;  // queue_send_options::within
  bool atomic_batches = false;       // send_batch() and settle() are one commit
  std::chrono::milliseconds delay_max{std::chrono::minutes(15)};
};

class queue {
 public:
  static constexpr std::size_t message_bytes_max = 256 * 1'024;  // data, and names and values of attributes, together
  static constexpr std::size_t attributes_max = 64;
  static constexpr std::size_t name_bytes_max = 128;  // of an attribute's name, a group, a dedup_id, a receipt
  static constexpr std::size_t batch_max = 1'000;
  static constexpr std::chrono::milliseconds wait_max{20'000};
  static constexpr std::chrono::milliseconds visibility_max{std::chrono::hours(12)};
  static constexpr std::size_t error_bytes_max = 1'024;  // longer ones are cut
  static constexpr std::size_t page_size_max = 1'000;

  virtual ~queue() = default;
  queue(const queue&) = delete;
  queue& operator=(const queue&) = delete;

  [[nodiscard]] virtual queue_capabilities capabilities() const noexcept = 0;
  [[nodiscard]] virtual durability_level durability() const noexcept = 0;
  [[nodiscard]] virtual queue_settings settings() const noexcept = 0;

  // Stored as durably as durability() says when it returns. Fails: invalid_argument (name: an attribute, group or
  // dedup_id; delay), too_large (value_bytes), throttled (queue_depth, queue_bytes), limit_exceeded (dead_letters,
  // store_full), unsupported, deadline_exceeded (caller_deadline), unavailable (engine), out_of_memory.
  result<sent_message> send(queue_message message, const queue_send_options& options = {});
  // 1 .. 1,000 messages, each with an answer of its own, in their order. Fails as a whole: invalid_argument
  // (page_size), deadline_exceeded, unavailable.
  result<std::vector<result<sent_message>>> send_batch(std::vector<queue_message> messages,
                                                       const queue_send_options& options = {});

  // Messages that are visible, the oldest first; none is no failure. Those that used up their deliveries become dead
  // letters on the way. Fails: invalid_argument (page_size; a bound of the options), throttled (in_flight),
  // deadline_exceeded (passed before the call), unavailable, out_of_memory.
  result<std::vector<queue_delivery>> receive(const queue_receive_options& options = {});

  // Each is settle() of one. An ack may be repeated; it also counts when the visibility has passed and nobody else has
  // received the message since. Fails: expired (stale_receipt: received again since, dead, or, for all but ack, no
  // longer hidden), invalid_argument (name: no receipt of this queue; a bound), limit_exceeded (dead_letters),
  // deadline_exceeded, unavailable.
  result<void> ack(std::string_view receipt, const queue_send_options& options = {});
  result<void> nack(std::string_view receipt, std::chrono::milliseconds delay = {}, std::string_view error = {},
                    const queue_send_options& options = {});
  result<void> extend(std::string_view receipt, std::chrono::milliseconds visibility,
                      const queue_send_options& options = {});
  result<void> reject(std::string_view receipt, std::string_view error, const queue_send_options& options = {});
  // 1 .. 1,000 of them, in one commit where capabilities().atomic_batches; each has an answer of its own.
  result<std::vector<result<void>>> settle(std::vector<queue_settlement> what, const queue_send_options& options = {});

  // ---- for operators ----
  result<queue_counts> counts(const call_options& options = {});
  // A page of dead letters; those that stay during the walk are given exactly once.
  result<dead_letter_page> dead_letters(const dead_letter_list_options& options = {});
  // Sends dead letters anew, with their ids, as if never delivered: up to `count` of the oldest, 1 .. 1,000; how many.
  // Fails: throttled (queue_depth, queue_bytes) when not even one has room.
  result<std::size_t> redrive(std::size_t count, const call_options& options = {});
  // The one of this id. Was it there?
  result<bool> redrive(std::string_view id, const call_options& options = {});
  result<bool> erase_dead_letter(std::string_view id, const call_options& options = {});
  // Forgets every message that is not dead, in flight or not. How many.
  result<std::size_t> purge(const call_options& options = {});

  // ---- for who receives without waiting in receive(), such as a trigger ----
  // Tells `who` whenever messages have become visible by a call, or are to become visible earlier than next_visible()
  // has said, from now on until unwatch() has returned.
  result<void> watch(change_watcher& who);
  void unwatch(change_watcher& who) noexcept;
  // When the next message that is hidden, by delay or delivery, becomes visible by the clock alone; a time that has
  // passed: some are visible now. Empty: only a call can make one visible.
  result<std::optional<clock::time_point>> next_visible(const call_options& options = {});

 protected:
  // `time` decides deadlines and visibility, and must outlive the queue.
  explicit queue(const clock& time) noexcept : time_(time) {}
  [[nodiscard]] const clock& time() const noexcept { return time_; }

 private:
  template <class Behaviour>
  friend class detail::forwarding_queue;  // a decorator asks the queue behind it
  result<void> settle_one(std::string_view receipt, settlement_kind kind, std::chrono::milliseconds delay,
                          std::string_view error, const queue_send_options& options);

  // What an adapter overrides. Arguments, capabilities and deadlines have been checked. A failure says not_applied when
  // nothing was changed.
  virtual result<std::vector<result<sent_message>>> do_send(std::vector<queue_message>&& messages,
                                                            const queue_send_options& options) = 0;
  // Waits as options.wait and options.deadline say, in its own way.
  virtual result<std::vector<queue_delivery>> do_receive(const queue_receive_options& options) = 0;
  virtual result<std::vector<result<void>>> do_settle(std::vector<queue_settlement>&& what,
                                                      const queue_send_options& options) = 0;
  virtual result<queue_counts> do_counts(const call_options& options) = 0;
  virtual result<dead_letter_page> do_dead_letters(const dead_letter_list_options& options) = 0;
  // The one of this id or, if `id` is empty, up to `count` of the oldest.
  virtual result<std::size_t> do_redrive(std::string_view id, std::size_t count, const call_options& options) = 0;
  virtual result<bool> do_erase_dead_letter(std::string_view id, const call_options& options) = 0;
  virtual result<std::size_t> do_purge(const call_options& options) = 0;
  virtual result<void> do_watch(change_watcher& who) = 0;
  virtual void do_unwatch(change_watcher& who) noexcept = 0;
  virtual result<std::optional<clock::time_point>> do_next_visible(const call_options& options) = 0;

  const clock& time_;
};

// Throws std::invalid_argument, naming `whose` option, its value and its bounds, for settings outside them.
void check_queue_settings(const queue_settings& settings, std::string_view whose);

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/services/queue.ipp>
#endif
