// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/memory_queue_receipt.hpp>
#include <dormouse/detail/memory_queue_store.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

DORMOUSE_INLINE failure stale_receipt(const char* why) noexcept {
  return make_failure(errc::expired, effect_kind::not_applied, failure_reason::stale_receipt, why);
}

}  // namespace detail

// ---- receiving ------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE result<std::vector<queue_delivery>> memory_queue::store::receive(const queue_receive_options& options) {
  auto end = time_.now() + options.wait;
  if (options.deadline) end = std::min(end, *options.deadline);
  std::vector<queue_delivery> got;
  for (;;) {
    catch_up();
    // Who receives asks himself when there may be more: the watchers need not be told of what is hidden now.
    auto taken = changing(telling::if_visible, [&] { return take(options, got, now()); });
    if (!taken) return std::move(taken).error();
    if (!got.empty() || time_.now() >= end) return got;
    await(end);
  }
}

// What is in `to` has been taken: memory that runs out ends the batch.
DORMOUSE_INLINE result<void> memory_queue::store::take(const queue_receive_options& options,
                                                       std::vector<queue_delivery>& to, const moment& at) noexcept {
  if (messages_.visible().empty()) return {};
  if (messages_.in_flight() >= settings_.in_flight_max) {
    return detail::make_failure(errc::throttled, effect_kind::not_applied, failure_reason::in_flight,
                                "in_flight_max is reached");
  }
  const std::size_t count = std::min(options.count, settings_.in_flight_max - messages_.in_flight());
  auto all = detail::nothing_if_no_memory([&]() -> result<void> {
    while (to.size() < count && !messages_.visible().empty()) {
      detail::memory_message& one = *messages_.visible().begin()->message;
      to.push_back(delivery_of(one, at));
      messages_.take(one, at.now + options.visibility.value_or(settings_.visibility), at);
    }
    return {};
  });
  return to.empty() ? all : result<void>{};
}

DORMOUSE_INLINE queue_delivery memory_queue::store::delivery_of(const detail::memory_message& one,
                                                                const moment& at) const {
  const detail::memory_receipt receipt{number_, one.number, messages_.last_delivery() + 1};
  return {.id = fmt::format("{:x}", one.number),
          .sequence = one.sequence,
          .data = one.what.data,
          .attributes = one.what.attributes,
          .group = one.what.group,
          .receipt = receipt.text(),
          .deliveries = one.deliveries + 1,
          .sent_at = one.sent_at,
          .first_received_at = one.deliveries == 0 ? at.wall : one.first_received_at};
}

// ---- settling -------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE std::vector<result<void>> memory_queue::store::settle(std::vector<queue_settlement>& what) {
  std::vector<result<void>> answers;
  std::vector<detail::memory_message_node> gone;  // destroyed without the lock
  answers.reserve(what.size());
  gone.reserve(what.size());
  changing(telling::if_earlier_too, [&] {
    const moment at = now();
    for (queue_settlement& each : what) answers.push_back(settle_one(each, gone, at));
    return true;
  });
  return answers;
}

DORMOUSE_INLINE result<void> memory_queue::store::settle_one(queue_settlement& what,
                                                             std::vector<detail::memory_message_node>& gone,
                                                             const moment& at) noexcept {
  const auto receipt = detail::read_memory_receipt(what.receipt);
  if (!receipt || receipt->queue != number_ || receipt->message > messages_.last_number() ||
      receipt->delivery > messages_.last_delivery()) {
    return detail::make_failure(errc::invalid_argument, effect_kind::not_applied, failure_reason::name,
                                "it is no receipt of this queue");
  }
  const bool ack = what.kind == settlement_kind::ack;
  detail::memory_message* const one = messages_.find(receipt->message);
  if (one == nullptr) {
    if (messages_.find_dead(receipt->message) != nullptr) return detail::stale_receipt("the message is a dead letter");
    return ack ? result<void>{} : detail::stale_receipt("the message is gone");
  }
  if (one->delivery != receipt->delivery) return detail::stale_receipt("the message was received again since");
  if (ack) {
    gone.push_back(messages_.remove(*one, at.now));
    return {};
  }
  if (!messages_.is_hidden(*one, at.now)) return detail::stale_receipt("the delivery has ended");
  if (what.kind != settlement_kind::extend) return end_delivery(*one, what, at);
  messages_.hide(*one, at.now + what.delay);
  return {};
}

DORMOUSE_INLINE result<void> memory_queue::store::end_delivery(detail::memory_message& one, queue_settlement& what,
                                                               const moment& at) noexcept {
  const bool rejected = what.kind == settlement_kind::dead_letter;
  const bool dies = rejected || messages_.is_last_delivery(one);
  if (dies && messages_.dead_are_full()) return detail::dead_letters_are_full();
  if (!what.error.empty()) one.error.swap(what.error);
  if (dies) {
    messages_.die(one, rejected ? dead_letter_reason::rejected : dead_letter_reason::deliveries, at);
  } else {
    messages_.release(one, at.now + what.delay, at.now);
  }
  return {};
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
