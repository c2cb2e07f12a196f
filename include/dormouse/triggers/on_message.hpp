// SPDX-License-Identifier: MIT
#pragma once

// Messages of a queue become events of a function; what the handler makes of them decides what becomes of the messages.
//
//   runtime.attach(dormouse::on_message(*work, {.in_flight_max = 4}), resize).value();
//   runtime.attach(dormouse::on_message_batch(*work, {.batch_max = 100, .batch_window = 1s}), store_all).value();
//
// on_message: an event a message, as message_event() makes it. A handler that succeeds acknowledges the message, one
// that fails gives it back, to be visible again after a delay, until the queue has it among its dead letters. The event
// has one attempt each time: function_options::retry does not repeat it, and it is no dead letter of the runtime's.
// on_message_batch: an event of type "dormouse.queue.batch" for up to batch_max messages, which a handler takes as
// `const message_batch&`. If it returns a batch_outcome, those it names are given back and the others acknowledged;
// anything else it returns means all, a failure or a throw none.
//
// The visibility of a message is extended, when half of it has passed, for as long as its handler runs or waits for its
// turn. It is the queue's, or 100 ms if that is shorter.
// Order:    messages of one group run one after the other, as the queue has it. No other order.
// Throttle: an event that the function refuses (its queue is full, it is paused) is kept and offered again; meanwhile
//           nothing more is received, so that a throttle costs no delivery. What it accepted before it was paused
//           waits there, extended. A message that is larger than function_options::queue_bytes_max waits for ever.
// At rest:  no thread, no wake-up, no polling: the queue tells when there is something, and messages that are hidden
//           by time are waited for with one timer.
// Stopping: detaching, and close(), gives back what no handler has: that is a delivery that ended without an ack. What
//           runs is hidden for one visibility more and settled, with one try, on the thread on which it ends. When the
//           function is undefined, what it had not started is given back and nothing is received any more.
// Failing:  a settlement that the queue cannot take now is tried again every retry_after until its visibility has
//           passed; what the queue says is counted in runtime_stats::observer_failures.
// Threads:  as any trigger. The queue's clock must be the runtime's.
// Owning:   the queue must outlive the runtime and what close() leaves running.

#include <dormouse/codec.hpp>
#include <dormouse/runtime/trigger.hpp>
#include <dormouse/services/event_filter.hpp>
#include <dormouse/services/queue.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// on_message() throws std::invalid_argument, naming the field and its bounds, for a value outside them.
struct on_message_options {
  // Behaviour -------------------------------------------------------------
  // Only messages whose event (message_event) matches. The others are acknowledged, and gone. Null: all.
  std::shared_ptr<const event_filter> filter{};
  // Called on a library thread for each that did not match, before it is gone. What it throws is dropped.
  std::function<void(const queue_delivery&)> on_filtered{};
  // After a failure, the first time; 0 .. 12 h. Each further delivery doubles it, up to retry_delay_max. A failure's
  // own retry_after counts when it is longer.
  std::chrono::milliseconds retry_delay{1'000};
  std::chrono::milliseconds retry_delay_max{std::chrono::minutes(5)};  // 0 .. 12 h

  // Bounds ----------------------------------------------------------------
  // Events that are accepted and not over, 1 .. 10,000: the maximum concurrency.
  std::size_t in_flight_max = 10;
  // How long to wait before offering an event again that the function refused, unless another one ends before; and
  // before receiving again after a failure; 1 ms .. 1 h.
  std::chrono::milliseconds retry_after{50};
};

struct on_message_batch_options {
  on_message_options each{};
  // Messages in an event at most, 1 .. 1,000; fewer when their data are more than message_batch::bytes_max.
  std::size_t batch_max = 10;
  // How long to wait for more when there are fewer, from the first on; 0 .. 5 min.
  std::chrono::milliseconds batch_window{0};
};

// A message of a batch. It belongs to its batch: only messages of a batch can be named in its outcome.
class batched_message {
 public:
  [[nodiscard]] const queue_delivery& delivery() const noexcept { return delivery_; }
  [[nodiscard]] std::string_view text() const noexcept { return delivery_.data.text(); }

 private:
  friend class message_batch;
  friend class batch_outcome;
  batched_message(queue_delivery delivery, std::size_t position)
      : delivery_(std::move(delivery)), position_(position) {}
  queue_delivery delivery_;
  std::size_t position_;
};

class message_batch {
 public:
  // Of data in the batches of a trigger; a message alone may have more.
  static constexpr std::size_t bytes_max = std::size_t{6} << 20U;

  explicit message_batch(std::vector<queue_delivery> deliveries);
  [[nodiscard]] std::size_t size() const noexcept { return messages_.size(); }
  [[nodiscard]] const batched_message& operator[](std::size_t at) const noexcept { return messages_[at]; }
  [[nodiscard]] auto begin() const noexcept { return messages_.begin(); }
  [[nodiscard]] auto end() const noexcept { return messages_.end(); }

 private:
  std::vector<batched_message> messages_{};
};

// Which messages of a batch are not done. Default: all are.
class batch_outcome {
 public:
  struct failed_message {
    std::size_t position = 0;
    std::string error{};
    std::chrono::milliseconds retry_after{0};
    bool rejected = false;
  };
  // Given back. May throw std::bad_alloc.
  void fail(const batched_message& which, std::string_view error = {}, std::chrono::milliseconds retry_after = {});
  // A dead letter at once.
  void reject(const batched_message& which, std::string_view error = {});
  [[nodiscard]] const std::vector<failed_message>& failed() const noexcept { return failed_; }

 private:
  friend struct codec<batch_outcome>;
  std::vector<failed_message> failed_{};
};

// attach() fails as queue::watch().
[[nodiscard]] std::unique_ptr<trigger> on_message(queue& source, on_message_options options = {});
[[nodiscard]] std::unique_ptr<trigger> on_message_batch(queue& source, on_message_batch_options options = {});

template <>
struct codec<message_batch> {
  static constexpr std::string_view content_type = "application/vnd.dormouse.message-batch";
  static result<message_batch> decode(const event& message);
  static result<payload> encode(const message_batch& batch);
};

template <>
struct codec<batch_outcome> {
  static constexpr std::string_view content_type = "application/vnd.dormouse.batch-outcome";
  static result<batch_outcome> decode(const event& message);
  static result<payload> encode(const batch_outcome& outcome);
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/triggers/on_message.ipp>
#endif
