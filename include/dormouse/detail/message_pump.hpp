// SPDX-License-Identifier: MIT
#pragma once

// Turns messages of a queue into events of a function: what on_message and on_message_batch have in common.
//
//   queue ->[ receive ]-> arrived -> gathered (until there are enough for an event) -> ready -> flying -> landed
//                                                                        landed ->[ settle ]-> queue
//
// Each wake() goes through all of it once, with one settle() for all that is due. What is not in flight is bounded by
// what may be, and while the function refuses an event nothing is received.

#include <dormouse/detail/message_flights.hpp>
#include <dormouse/runtime/trigger.hpp>
#include <dormouse/services/change_watcher.hpp>
#include <dormouse/services/queue.hpp>
#include <dormouse/triggers/on_message.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class message_pump final : public trigger, private change_watcher {
 public:
  // `batches`: an event is of several messages. The options have been checked.
  message_pump(queue& source, on_message_batch_options options, bool batches)
      : source_(source), options_(std::move(options)), batches_(batches) {}

  result<void> start(trigger_port& port) override;
  void wake() override;
  void stop() noexcept override;

 private:
  struct gathered {
    queue_delivery delivery{};
    held_message held{};
    clock::time_point since{};
  };
  struct next_batch {
    std::size_t count = 0;
    bool is_full = false;
  };
  struct due_settlement {
    queue_settlement what{};
    clock::time_point until{};  // not worth trying again after
  };

  void changed() noexcept override;
  void unwatch() noexcept;
  void turn();
  void take_landed();
  void take_landed(const std::shared_ptr<message_flight>& flight);
  // From the queue to the function.
  void take_in();
  [[nodiscard]] std::size_t room() const noexcept;
  bool receive();
  void sort_arrived();
  [[nodiscard]] bool is_wanted(const queue_delivery& delivery);
  [[nodiscard]] std::size_t free_events() const noexcept;
  [[nodiscard]] next_batch look_at_gathered() const noexcept;
  void form();
  [[nodiscard]] event form_event(std::size_t count) const;
  void give();
  bool give(const std::shared_ptr<message_flight>& flight);
  void end_all();
  void give_back_held();
  // Back to it.
  void settle();
  bool settle_some();
  bool keeps(const due_settlement& tried, const result<void>& said) noexcept;
  template <class F>
  void each_held(F&& visit);
  void collect_extensions(std::vector<queue_settlement>& to, std::vector<held_message*>& whose, std::size_t most);
  void extended(held_message& which, const result<void>& said) noexcept;
  void settle_last() noexcept;
  // What comes next.
  void arm();
  void arm_for_next();
  void look_ahead();
  void consider(clock::time_point at) noexcept { due_ = due_ ? std::min(*due_, at) : at; }
  void try_later() noexcept;
  void note(failure why) { trouble_ = std::move(why); }

  queue& source_;
  const on_message_batch_options options_;
  const bool batches_;
  std::chrono::milliseconds visibility_{0};
  trigger_port* port_ = nullptr;
  std::shared_ptr<landing_place> landing_{};
  std::atomic<bool> may_have_{true};  // the queue may have something: told, or not yet looked at
  bool watches_ = false;
  bool ended_ = false;                // nobody is left to give events to
  bool found_none_ = false;           // the last look of this wake()
  clock::time_point now_{};           // of this wake()
  std::optional<failure> trouble_{};  // of this wake()

  std::shared_ptr<message_flight> landed_{};  // not yet in settling_
  std::deque<queue_delivery> arrived_{};
  std::deque<gathered> gathered_{};
  std::deque<std::shared_ptr<message_flight>> ready_{};
  std::vector<std::shared_ptr<message_flight>> flying_{};
  std::deque<due_settlement> settling_{};

  clock::time_point give_at_{};     // not before
  clock::time_point receive_at_{};  // the same
  clock::time_point settle_at_{};   // the same
  std::optional<clock::time_point> visible_at_{};
  std::optional<clock::time_point> due_{};  // of the arm() that is going on
  bool is_armed_ = false;                   // wake_at() was asked for a time
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
