// SPDX-License-Identifier: MIT
#pragma once

// Of the pump: what becomes of the messages when their events are over, and until then.

#include <dormouse/detail/message_pump.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

DORMOUSE_INLINE void message_pump::take_landed() {
  auto fresh = landing_->collect();
  while (fresh != nullptr) {  // the first that landed comes first
    auto next = std::exchange(fresh->next, std::move(landed_));
    landed_ = std::exchange(fresh, std::move(next));
  }
  while (landed_ != nullptr) {
    take_landed(landed_);
    landed_ = std::exchange(landed_->next, nullptr);
    give_at_ = {};  // there is room now
  }
}

DORMOUSE_INLINE void message_pump::take_landed(const std::shared_ptr<message_flight>& flight) {
  auto all = settlements_of(*flight, landing_->rules());
  const std::size_t before = settling_.size();
  try {
    for (std::size_t i = 0; i < all.size(); ++i) {
      settling_.push_back({.what = std::move(all[i]), .until = flight->messages[i].hidden_until});
    }
  } catch (...) {  // later, or not at all: never half
    settling_.resize(before);
    throw;
  }
  std::swap(flying_[flight->place], flying_.back());
  flying_[flight->place]->place = flight->place;
  flying_.pop_back();
  // Its function is undefined: what would be received now would be a delivery for nothing.
  const auto& outcome = *flight->outcome;
  const bool undefined = !outcome && outcome.error().code == errc::not_found;
  if (undefined && outcome.error().effect == effect_kind::not_applied && !ended_) end_all();
}

DORMOUSE_INLINE void message_pump::settle() {
  while (now_ >= settle_at_ && settle_some()) {}
}

// One call for as many as it takes. False when none is due.
DORMOUSE_INLINE bool message_pump::settle_some() {
  const std::size_t ends = std::min(settling_.size(), queue::batch_max);
  std::vector<queue_settlement> what;
  std::vector<held_message*> extends;
  for (std::size_t i = 0; i < ends; ++i) what.push_back(settling_[i].what);
  collect_extensions(what, extends, queue::batch_max - ends);
  if (what.empty()) return false;
  const auto said = source_.settle(std::move(what));
  if (!said) {
    settle_at_ = now_ + options_.each.retry_after;
    note(said.error());
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < ends; ++i) {
    const result<void>& each = said ? (*said)[i] : result<void>(said.error());
    if (keeps(settling_[i], each)) std::swap(settling_[kept++], settling_[i]);
  }
  settling_.erase(settling_.begin() + static_cast<std::ptrdiff_t>(kept),
                  settling_.begin() + static_cast<std::ptrdiff_t>(ends));
  for (std::size_t i = 0; said && i < extends.size(); ++i) extended(*extends[i], (*said)[ends + i]);
  return true;
}

// Is a settlement to be tried again? Not when its receipt is stale, or is to be soon.
DORMOUSE_INLINE bool message_pump::keeps(const due_settlement& tried, const result<void>& said) noexcept {
  if (said) return false;
  const errc why = said.error().code;
  const bool passes = why == errc::unavailable || why == errc::out_of_memory || why == errc::limit_exceeded ||
                      why == errc::throttled || why == errc::deadline_exceeded || why == errc::internal;
  if (!passes || now_ >= tried.until) return false;
  settle_at_ = now_ + options_.each.retry_after;
  return true;
}

template <class F>
void message_pump::each_held(F&& visit) {
  for (const auto& flight : ready_) std::for_each(flight->messages.begin(), flight->messages.end(), visit);
  for (const auto& flight : flying_) std::for_each(flight->messages.begin(), flight->messages.end(), visit);
  for (auto& each : gathered_) visit(each.held);
}

// Those whose time is half over, and those for which it soon will be, so that they come together.
DORMOUSE_INLINE void message_pump::collect_extensions(std::vector<queue_settlement>& to,
                                                      std::vector<held_message*>& whose, std::size_t most) {
  bool any = false;
  const auto within = [&](const held_message& each, std::chrono::nanoseconds time) {
    return each.hidden_until != clock::time_point::max() && each.hidden_until - now_ <= time;
  };
  each_held([&](const held_message& each) { any = any || within(each, visibility_ / 2); });
  if (!any) return;
  each_held([&](held_message& each) {
    if (whose.size() == most || !within(each, visibility_ * 5 / 8)) return;
    to.push_back({.receipt = each.receipt, .kind = settlement_kind::extend, .delay = visibility_});
    whose.push_back(&each);
  });
}

DORMOUSE_INLINE void message_pump::extended(held_message& which, const result<void>& said) noexcept {
  if (said) {
    which.hidden_until = now_ + visibility_;
  } else if (const errc why = said.error().code; why == errc::expired || why == errc::invalid_argument) {
    which.hidden_until = clock::time_point::max();  // somebody else has it, or will
  } else {
    settle_at_ = now_ + options_.each.retry_after;
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
