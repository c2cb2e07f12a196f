// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/message_pump.hpp>
#include <dormouse/services/message_event.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

DORMOUSE_INLINE result<void> message_pump::start(trigger_port& port) {
  constexpr std::chrono::milliseconds shortest{100};  // or what waits for its turn would be extended without end
  port_ = &port;
  visibility_ = std::max(source_.settings().visibility, shortest);
  landing_ = std::make_shared<landing_place>(source_,
                                             settling_rules{.batches = batches_,
                                                            .retry_delay = options_.each.retry_delay,
                                                            .retry_delay_max = options_.each.retry_delay_max},
                                             port);
  if (auto watching = source_.watch(*this); !watching) return watching;
  watches_ = true;
  if (port.wake_soon()) return {};
  unwatch();
  return failure{.code = errc::unavailable,
                 .effect = effect_kind::not_applied,
                 .reason = failure_reason::no_threads,
                 .detail = "no thread could be started to receive messages"};
}

// Told twice in vain if there is no thread; the next message, or the end of an event, tells again.
DORMOUSE_INLINE void message_pump::changed() noexcept {
  may_have_.store(true);
  [[maybe_unused]] const bool told = port_->wake_soon() || port_->wake_soon();
}

DORMOUSE_INLINE void message_pump::unwatch() noexcept {
  if (std::exchange(watches_, false)) source_.unwatch(*this);
}

DORMOUSE_INLINE void message_pump::wake() {
  now_ = port_->time().now();
  trouble_.reset();
  try {
    turn();
  } catch (...) {  // out of memory: each step is done or not
    try_later();
    arm();
    throw;
  }
  arm();
  if (trouble_) throw std::runtime_error(fmt::format("dormouse: messages of a queue: {}", to_string(*trouble_)));
}

DORMOUSE_INLINE void message_pump::turn() {
  if (visible_at_ && now_ >= *visible_at_) may_have_.store(true);
  visible_at_.reset();
  found_none_ = false;
  take_landed();
  settle();
  take_in();
  settle();  // what the filter did not want
}

DORMOUSE_INLINE void message_pump::try_later() noexcept {
  may_have_.store(true);
  receive_at_ = give_at_ = settle_at_ = now_ + options_.each.retry_after;
}

// ---- from the queue to the function ---------------------------------------------------------------------------------

DORMOUSE_INLINE void message_pump::take_in() {
  constexpr int rounds_max = 64;  // then others have their turn
  for (int rounds = 0;; ++rounds) {
    sort_arrived();
    form();
    give();
    const bool may_receive = !ended_ && ready_.empty() && now_ >= receive_at_ && now_ >= settle_at_;
    if (!may_receive || room() == 0 || rounds == rounds_max || !receive()) return;
  }
}

DORMOUSE_INLINE std::size_t message_pump::free_events() const noexcept {
  const std::size_t taken = flying_.size() + ready_.size();
  return options_.each.in_flight_max - std::min(taken, options_.each.in_flight_max);
}

// Messages that may be received: what fits into the events that may be accepted.
DORMOUSE_INLINE std::size_t message_pump::room() const noexcept {
  const std::size_t messages = free_events() * options_.batch_max;
  return std::min(messages - std::min(gathered_.size(), messages), queue::batch_max);
}

// False when there is nothing, or not now.
DORMOUSE_INLINE bool message_pump::receive() {
  if (!may_have_.exchange(false)) return false;  // before the look: what comes after it tells again
  const std::size_t wanted = room();
  auto got = source_.receive({.count = wanted, .visibility = visibility_});
  if (!got) {
    may_have_.store(true);
    receive_at_ = now_ + options_.each.retry_after;
    if (got.error().code != errc::throttled) note(std::move(got).error());
    return false;
  }
  found_none_ = got->empty();
  if (got->size() >= wanted) may_have_.store(true);
  arrived_.insert(arrived_.end(), std::make_move_iterator(got->begin()), std::make_move_iterator(got->end()));
  return !arrived_.empty();
}

DORMOUSE_INLINE void message_pump::sort_arrived() {
  for (; !arrived_.empty(); arrived_.pop_front()) {
    queue_delivery& first = arrived_.front();  // moved once there is memory for it
    const auto until = now_ + visibility_;
    if (is_wanted(first)) {
      held_message held{.receipt = first.receipt, .deliveries = first.deliveries, .hidden_until = until};
      gathered& place = gathered_.emplace_back();
      place.delivery = std::move(first);
      place.held = std::move(held);
      place.since = now_;
    } else {
      due_settlement& place = settling_.emplace_back();
      place.what.receipt = std::move(first.receipt);
      place.until = until;
    }
  }
}

DORMOUSE_INLINE bool message_pump::is_wanted(const queue_delivery& delivery) {
  const auto& filter = options_.each.filter;
  if (filter == nullptr || filter->matches(message_event(delivery))) return true;
  try {
    if (options_.each.on_filtered) options_.each.on_filtered(delivery);
  } catch (...) {  // as the options say
  }
  return false;
}

// How many of those that are gathered go into an event, and is it all that do?
DORMOUSE_INLINE message_pump::next_batch message_pump::look_at_gathered() const noexcept {
  next_batch next;
  std::size_t bytes = 0;
  for (const auto& each : gathered_) {
    bytes += each.delivery.data.size();
    if (next.count != 0 && bytes > message_batch::bytes_max) break;
    ++next.count;
    if (next.count == options_.batch_max) break;
  }
  next.is_full = next.count == options_.batch_max || next.count < gathered_.size();
  return next;
}

// What is gathered becomes events: when there is enough for one, or the first has waited for long enough.
DORMOUSE_INLINE void message_pump::form() {
  while (!gathered_.empty() && free_events() != 0) {
    const auto [count, is_full] = look_at_gathered();
    if (!is_full && now_ < gathered_.front().since + options_.batch_window) return;
    std::vector<held_message> held;
    for (std::size_t i = 0; i < count; ++i) held.push_back(gathered_[i].held);  // a copy: see there
    ready_.push_back(std::make_shared<message_flight>(landing_, std::move(held), form_event(count)));
    gathered_.erase(gathered_.begin(), gathered_.begin() + static_cast<std::ptrdiff_t>(count));
  }
}

// Of the first ones that are gathered. They stay there until the event has its place: memory may end in between.
DORMOUSE_INLINE event message_pump::form_event(std::size_t count) const {
  if (!batches_) return message_event(gathered_.front().delivery);
  std::vector<queue_delivery> from;
  for (std::size_t i = 0; i < count; ++i) from.push_back(gathered_[i].delivery);
  return {.type = "dormouse.queue.batch",
          .source = "dormouse/on_message",
          .datacontenttype = std::string(codec<message_batch>::content_type),
          .data = codec<message_batch>::encode(message_batch(std::move(from))).value()};
}

DORMOUSE_INLINE void message_pump::give() {
  while (!ready_.empty() && now_ >= give_at_) {
    if (!ready_.front()->is_lost() && !give(ready_.front())) return;
    ready_.pop_front();
  }
}

// False when the function refuses it.
DORMOUSE_INLINE bool message_pump::give(const std::shared_ptr<message_flight>& flight) {
  event form = flight->message;  // a copy, made before anything is changed: it may be refused, memory may end
  flight->place = flying_.size();
  flying_.push_back(flight);  // first: it may have ended before submit() returns
  const auto given = port_->submit(std::move(form), flight);
  if (given) {
    flight->message = event{};
    return true;
  }
  flying_.pop_back();
  const errc why = given.error().code;
  give_at_ = now_ + options_.each.retry_after;
  // The others say that there is no function any more, or no runtime.
  if (why != errc::throttled && why != errc::unavailable && why != errc::out_of_memory) end_all();
  return false;
}

DORMOUSE_INLINE void message_pump::end_all() {
  ended_ = true;
  give_back_held();
}

DORMOUSE_INLINE void message_pump::give_back_held() {
  const auto give_back = [this](const held_message& each) {
    if (each.hidden_until == clock::time_point::max()) return;
    settling_.push_back({.what = {.receipt = each.receipt, .kind = settlement_kind::nack}, .until = each.hidden_until});
  };
  for (const auto& each : ready_) std::for_each(each->messages.begin(), each->messages.end(), give_back);
  for (const auto& each : gathered_) give_back(each.held);
  for (const auto& each : arrived_) {
    give_back({.receipt = each.receipt, .deliveries = each.deliveries, .hidden_until = now_});
  }
  ready_.clear();
  gathered_.clear();
  arrived_.clear();
}

// ---- what comes next ------------------------------------------------------------------------------------------------

// Until there is a reason to wake. At rest there is none but what the queue tells.
DORMOUSE_INLINE void message_pump::arm() {
  try {
    arm_for_next();
  } catch (...) {  // no memory or thread for the timer: perhaps for a wake at once
    is_armed_ = true;
    [[maybe_unused]] const bool told = port_->wake_soon() || port_->wake_soon();
    throw;
  }
}

DORMOUSE_INLINE void message_pump::arm_for_next() {
  due_.reset();
  if (ended_) unwatch();
  look_ahead();
  if (!ready_.empty()) consider(give_at_);
  if (!gathered_.empty() && free_events() != 0) consider(gathered_.front().since + options_.batch_window);
  if (!settling_.empty() || !arrived_.empty() || landed_ != nullptr) consider(settle_at_);
  each_held([&](const held_message& each) {
    if (each.hidden_until != clock::time_point::max()) {
      consider(std::max(each.hidden_until - visibility_ / 2, settle_at_));
    }
  });
  if (!due_ && !is_armed_) return;
  port_->wake_at(due_.value_or(clock::time_point::max())).value();  // anew: the runtime may have used it meanwhile
  is_armed_ = due_.has_value();
}

// When is there something to receive?
DORMOUSE_INLINE void message_pump::look_ahead() {
  if (ended_ || !ready_.empty() || room() == 0) return;
  const auto not_before = std::max(receive_at_, settle_at_);
  if (now_ < not_before) return consider(not_before);
  if (!may_have_.load()) {
    const auto next = source_.next_visible();
    if (!next) {
      may_have_.store(true);
      receive_at_ = now_ + options_.each.retry_after;
      note(next.error());
      return consider(receive_at_);
    }
    if (!*next) return;
    if (**next > now_) {
      visible_at_ = **next;
      return consider(**next);
    }
    may_have_.store(true);
    if (found_none_) {  // it has some, and gives none
      receive_at_ = now_ + options_.each.retry_after;
      return consider(receive_at_);
    }
  }
  if (!port_->wake_soon()) consider(now_ + options_.each.retry_after);
}

// ---- the end --------------------------------------------------------------------------------------------------------

// What no handler has is given back. What runs has a whole visibility more, and is settled where it ends.
DORMOUSE_INLINE void message_pump::stop() noexcept {
  unwatch();
  port_->take_back();
  for (auto last : {std::exchange(landed_, nullptr), landing_->close()}) {
    for (; last != nullptr; last = std::exchange(last->next, nullptr)) {
      try {
        take_landed(last);
      } catch (...) {  // no memory: visible again in time
      }
    }
  }
  settle_last();
}

DORMOUSE_INLINE void message_pump::settle_last() noexcept {
  try {
    give_back_held();
    std::vector<queue_settlement> all;
    for (auto& each : settling_) all.push_back(std::move(each.what));
    settling_.clear();
    for (const auto& flight : flying_) {
      for (const auto& each : flight->messages) {
        all.push_back({.receipt = each.receipt, .kind = settlement_kind::extend, .delay = visibility_});
      }
    }
    for (std::size_t at = 0; at < all.size(); at += queue::batch_max) {
      const auto from = all.begin() + static_cast<std::ptrdiff_t>(at);
      const auto count = static_cast<std::ptrdiff_t>(std::min(all.size() - at, queue::batch_max));
      [[maybe_unused]] const auto settled = source_.settle(
          std::vector<queue_settlement>(std::make_move_iterator(from), std::make_move_iterator(from + count)));
    }
  } catch (...) {  // no memory: visible again in time
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
