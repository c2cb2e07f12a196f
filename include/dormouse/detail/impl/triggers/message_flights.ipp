// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/message_flights.hpp>
#include <dormouse/triggers/on_message.hpp>

#include <algorithm>
#include <iterator>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// ---- landing --------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE void landing_place::land(std::shared_ptr<message_flight> flight) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (port_ != nullptr) {
      flight->next = std::move(landed_);
      landed_ = std::move(flight);
      // Told twice in vain if there is no thread: then the timer for the next visibility finds it.
      [[maybe_unused]] const bool told = port_->wake_soon() || port_->wake_soon();
      return;
    }
  }
  settle(*flight);
}

DORMOUSE_INLINE std::shared_ptr<message_flight> landing_place::collect() noexcept {
  const std::lock_guard lock(mutex_);
  return std::exchange(landed_, nullptr);
}

DORMOUSE_INLINE std::shared_ptr<message_flight> landing_place::close() noexcept {
  const std::lock_guard lock(mutex_);
  port_ = nullptr;
  return std::exchange(landed_, nullptr);
}

// Nobody is left who could try again: what cannot be settled now is visible again in time.
DORMOUSE_INLINE void landing_place::settle(const message_flight& flight) noexcept {
  try {
    [[maybe_unused]] const auto settled = source_.settle(settlements_of(flight, rules_));
  } catch (...) {}
}

// ---- what becomes of messages ---------------------------------------------------------------------------------------

DORMOUSE_INLINE std::chrono::milliseconds delay_before_next(const settling_rules& how, unsigned deliveries,
                                                            std::chrono::milliseconds wanted) noexcept {
  auto delay = how.retry_delay;
  for (unsigned n = 1; n < deliveries && delay.count() != 0 && delay < how.retry_delay_max; ++n) delay *= 2;
  return std::min(std::max(std::min(delay, how.retry_delay_max), wanted), queue::visibility_max);
}

DORMOUSE_INLINE queue_settlement given_back(const held_message& which, const settling_rules& how,
                                            std::string_view error, std::chrono::milliseconds wanted) {
  return {.receipt = which.receipt,
          .kind = settlement_kind::nack,
          .delay = delay_before_next(how, which.deliveries, wanted),
          .error = std::string(error.substr(0, queue::error_bytes_max))};
}

DORMOUSE_INLINE std::vector<queue_settlement> all_given_back(const message_flight& flight, const settling_rules& how,
                                                             const failure& why) {
  std::vector<queue_settlement> all;
  const bool unseen = why.effect == effect_kind::not_applied &&
                      (why.code == errc::cancelled || why.code == errc::shutting_down || why.code == errc::not_found);
  for (const auto& each : flight.messages) {
    if (unseen) {  // no handler has failed: at once, for whoever is there
      all.push_back({.receipt = each.receipt, .kind = settlement_kind::nack});
    } else {
      all.push_back(given_back(each, how, to_string(why), why.retry_after));
    }
  }
  return all;
}

// A batch whose handler says which of its messages are not done.
DORMOUSE_INLINE std::vector<queue_settlement> partly_done(const message_flight& flight, const settling_rules& how,
                                                          const reply& said) {
  const auto outcome = codec<batch_outcome>::decode({.data = said.data});
  if (!outcome) return all_given_back(flight, how, outcome.error());
  std::vector<queue_settlement> all;
  for (const auto& each : flight.messages) all.push_back({.receipt = each.receipt});
  for (const auto& each : outcome->failed()) {
    if (each.position >= all.size()) {  // of another batch: nothing that it says can be relied on
      return all_given_back(flight, how,
                            {.code = errc::invalid_argument,
                             .effect = effect_kind::unknown,
                             .detail = "the batch_outcome names a message that is not in the batch"});
    }
    auto& place = all[each.position];
    place = given_back(flight.messages[each.position], how, each.error, each.retry_after);
    if (!each.rejected) continue;
    place.kind = settlement_kind::dead_letter;
    place.delay = {};
  }
  return all;
}

DORMOUSE_INLINE std::vector<queue_settlement> settlements_of(const message_flight& flight, const settling_rules& how) {
  const auto& outcome = *flight.outcome;
  if (!outcome) return all_given_back(flight, how, outcome.error());
  if (how.batches && outcome->content_type == codec<batch_outcome>::content_type) {
    return partly_done(flight, how, *outcome);
  }
  std::vector<queue_settlement> all;
  for (const auto& each : flight.messages) all.push_back({.receipt = each.receipt});
  return all;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
