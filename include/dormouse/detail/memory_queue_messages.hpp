// SPDX-License-Identifier: MIT
#pragma once

// The messages of a memory_queue: which state each is in, and how it passes from one into another. Every passage costs
// O(log n), and none can fail.
//
//   delayed --time--> visible --take--> flying --ack--> gone
//                        ^                |
//                        +---time, nack---+--last delivery, rejected--> dead --revive--> visible
//
// Of a group only the first message is in one of these states, the others wait behind it. Whoever is to be dead while
// there is no room among the dead is `dying`: not delivered, not lost. Time alone changes nothing: sweep() does, which
// whoever asks for the states calls first.
// Threads: one at a time.

#include <dormouse/detail/memory_queue_groups.hpp>
#include <dormouse/detail/memory_queue_message.hpp>
#include <dormouse/services/queue_types.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class memory_messages {
 public:
  // What a call goes by, read once under the lock.
  struct moment {
    clock::time_point now{};
    calendar_time wall{};
  };

  explicit memory_messages(const queue_settings& settings) noexcept : settings_(settings) {}

  [[nodiscard]] std::size_t size() const noexcept { return live_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::size_t in_flight() const noexcept { return flying_.size(); }
  [[nodiscard]] const queue_order& visible() const noexcept { return visible_; }
  [[nodiscard]] const queue_order& dead() const noexcept { return dead_order_; }
  [[nodiscard]] bool dead_are_full() const noexcept { return dead_.size() >= settings_.dead_letters_max; }
  [[nodiscard]] std::uint64_t last_number() const noexcept { return last_number_; }
  [[nodiscard]] std::uint64_t last_delivery() const noexcept { return last_delivery_; }
  [[nodiscard]] std::uint64_t last_sequence() const noexcept { return last_sequence_; }
  [[nodiscard]] memory_groups& groups() noexcept { return groups_; }

  [[nodiscard]] memory_message* find(std::uint64_t number) noexcept { return find_in(live_, number); }
  [[nodiscard]] memory_message* find_dead(std::uint64_t number) noexcept { return find_in(dead_, number); }
  [[nodiscard]] bool is_hidden(const memory_message& one, clock::time_point now) const noexcept {
    return one.line.is_in(flying_) && one.line.when() > now;
  }
  [[nodiscard]] bool is_last_delivery(const memory_message& one) const noexcept {
    return one.deliveries >= settings_.deliveries_max;
  }
  // When the oldest one was sent.
  [[nodiscard]] std::optional<clock::time_point> oldest() const noexcept {
    if (!too_old_.empty()) return too_old_.begin()->message->sent;
    if (!alive_.empty()) return alive_.begin()->message->sent;
    return std::nullopt;
  }
  // When time alone may next make one visible; the end of an old one can, too, when others of its group wait for it.
  [[nodiscard]] std::optional<clock::time_point> next_due() const noexcept {
    auto next = clock::time_point::max();
    if (!delayed_.empty()) next = std::min(next, delayed_.begin()->when);
    if (!flying_.empty()) next = std::min(next, flying_.begin()->when);
    if (!alive_.empty() && !groups_.empty()) {
      next = std::min(next, alive_.begin()->message->sent + settings_.retention);
    }
    return next != clock::time_point::max() ? std::optional(next) : std::nullopt;
  }
  // From now on; what they make of messages that are there, sweep() finds.
  void change(const queue_settings& settings) noexcept { settings_ = settings; }
  // How many became visible by a call since this was asked before.
  std::size_t take_became_visible() noexcept { return std::exchange(became_visible_, 0); }

  // ---- passages ----

  memory_message& add(memory_message_node&& made, memory_groups::entry* group, const moment& at) noexcept {
    made.key() = made.mapped().number = ++last_number_;
    memory_message& one = live_.insert(std::move(made)).position->second;
    begin(one, group, at.now + one.what.delay, at);
    return one;
  }
  void take(memory_message& one, clock::time_point until, const moment& at) noexcept {
    if (one.deliveries++ == 0) one.first_received_at = at.wall;
    one.delivery = ++last_delivery_;
    hide(one, until);
  }
  void hide(memory_message& one, clock::time_point until) noexcept {
    one.line.enter(flying_, {until, one.sequence, &one});
  }
  // Visible from `due` on. Precondition: it is the first of its group.
  void release(memory_message& one, clock::time_point due, clock::time_point now) noexcept {
    make_room(one);
    one.due = due;
    if (due > now) return one.line.enter(delayed_, {due, one.sequence, &one});
    if (one.too_old) return one.line.enter(dying_, {now, one.sequence, &one});
    one.line.enter(visible_, {now, one.sequence, &one});
    ++became_visible_;
  }
  // Precondition: there is room.
  void die(memory_message& one, dead_letter_reason reason, const moment& at) noexcept {
    memory_message_node moving = leave(one, at.now);
    one.reason = reason;
    one.died_at = at.wall;
    one.age.enter(dead_order_, {{}, ++last_death_, &one});
    dead_.insert(std::move(moving));
  }
  // Takes it away, dead or not, to be destroyed where nobody waits for it.
  memory_message_node remove(memory_message& one, clock::time_point now) noexcept {
    if (!one.age.is_in(dead_order_)) return leave(one, now);
    one.age.leave();
    return dead_.extract(one.number);
  }
  // Precondition: it is dead.
  void revive(memory_message& one, memory_groups::entry* group, const moment& at) noexcept {
    live_.insert(dead_.extract(one.number));
    one.deliveries = 0;
    one.delivery = 0;
    one.error.clear();
    one.first_received_at = {};
    one.too_old = false;
    begin(one, group, at.now, at);
  }
  // The newest one that is not newer than this; null: there is none.
  [[nodiscard]] memory_message* newest(std::uint64_t sequence) const noexcept {
    for (const queue_order* from : {&alive_, &too_old_}) {
      const auto behind = from->upper_bound({{}, sequence, nullptr});
      if (behind != from->begin()) return std::prev(behind)->message;
    }
    return nullptr;
  }

  // The newest one, or when all are dead, one of them; null: there is none at all.
  [[nodiscard]] memory_message* any() const noexcept {
    if (memory_message* const alive = newest(last_sequence_); alive != nullptr) return alive;
    return dead_order_.empty() ? nullptr : dead_order_.begin()->message;
  }

  // ---- time ----

  // What time has brought about since, for up to `count` messages. Is there more?
  bool sweep(const moment& at, std::size_t count) noexcept {
    while (one_passes(at)) {
      if (--count == 0) return true;
    }
    return false;
  }

 private:
  static memory_message* find_in(memory_message_map& where, std::uint64_t number) noexcept {
    const auto found = where.find(number);
    return found != where.end() ? &found->second : nullptr;
  }

  void begin(memory_message& one, memory_groups::entry* group, clock::time_point due, const moment& at) noexcept {
    one.sequence = ++last_sequence_;
    one.sent = at.now;
    one.sent_at = at.wall;
    one.due = due;
    bytes_ += one.bytes;
    one.age.enter(alive_, {{}, one.sequence, &one});
    groups_.append(one, group);
    if (one.is_first()) release(one, due, at.now);
  }
  // Out of all orders; who waited behind it is the first of the group now.
  memory_message_node leave(memory_message& one, clock::time_point now) noexcept {
    make_room(one);
    one.line.leave();
    one.age.leave();
    bytes_ -= one.bytes;
    if (memory_message* const next = groups_.remove(one); next != nullptr) release(*next, next->due, now);
    return live_.extract(one.number);
  }

  // It flies no more. If nobody could receive because so many did, what is visible is as good as new.
  void make_room(const memory_message& one) noexcept {
    const bool was_full = flying_.size() >= settings_.in_flight_max;
    if (was_full && one.line.is_in(flying_) && !visible_.empty()) ++became_visible_;
  }

  bool one_passes(const moment& at) noexcept {
    if (!delayed_.empty() && delayed_.begin()->when <= at.now) return surface(*delayed_.begin(), at);
    if (!flying_.empty() && flying_.begin()->when <= at.now) return surface(*flying_.begin(), at);
    if (!alive_.empty() && alive_.begin()->message->sent + settings_.retention <= at.now) return outlive(at);
    if (dead_are_full() || (dying_.empty() && too_old_.empty())) return false;
    memory_message& one = *(dying_.empty() ? too_old_ : dying_).begin()->message;
    die(one, is_last_delivery(one) && one.line.is_in(dying_) ? dead_letter_reason::deliveries : dead_letter_reason::age,
        at);
    return true;
  }
  // It became visible then, or has had its last delivery. A copy of its rank: the place it came from is left.
  bool surface(const queue_rank rank, const moment& at) noexcept {
    memory_message& one = *rank.message;
    if (is_last_delivery(one) && !dead_are_full()) {
      die(one, dead_letter_reason::deliveries, at);
    } else {
      one.line.enter(is_last_delivery(one) || one.too_old ? dying_ : visible_, rank);
    }
    return true;
  }
  // The oldest one is too old.
  bool outlive(const moment& at) noexcept {
    memory_message& one = *alive_.begin()->message;
    if (!dead_are_full()) {
      die(one, dead_letter_reason::age, at);
      return true;
    }
    one.too_old = true;
    one.age.enter(too_old_, {{}, one.sequence, &one});
    if (one.line.is_in(visible_)) one.line.enter(dying_, {at.now, one.sequence, &one});
    return true;
  }

  queue_settings settings_;
  // By the moment something happens, or happened, to them; the orders outlive the messages, whose places they hold.
  queue_order delayed_{};
  queue_order flying_{};
  queue_order visible_{};
  queue_order dying_{};
  // By their sequence: all that are not dead, those first that are too old and have no room among the dead.
  queue_order too_old_{};
  queue_order alive_{};
  queue_order dead_order_{};
  memory_groups groups_{};
  memory_message_map live_{};
  memory_message_map dead_{};
  std::size_t bytes_ = 0;
  std::size_t became_visible_ = 0;
  std::uint64_t last_number_ = 0;
  std::uint64_t last_sequence_ = 0;
  std::uint64_t last_delivery_ = 0;
  std::uint64_t last_death_ = 0;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
