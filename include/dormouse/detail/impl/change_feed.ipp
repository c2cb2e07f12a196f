// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/change_feed.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// ---- begin and end --------------------------------------------------------------------------------------------------

// Watch first, look then: a change is before the number that is read here, or it is told.
DORMOUSE_INLINE result<void> change_feed::start(trigger_port& port) {
  port_ = &port;
  flight_.emplace(port);
  if (auto watching = source_->watch(port); !watching) return watching;
  try {
    auto begun = begin();
    if (!begun) source_->unwatch();
    return begun;
  } catch (...) {
    source_->unwatch();
    throw;
  }
}

DORMOUSE_INLINE result<void> change_feed::begin() {
  const auto last = source_->last_change();
  if (!last) return last.error();
  std::optional<std::uint64_t> known;
  if (!options_.reader.empty()) {
    auto asked = source_->position(options_.reader);
    if (!asked) return std::move(asked).error();
    known = *asked;
  }
  if (known && *known > *last) {
    return failure{.code = errc::invalid_argument,
                   .effect = effect_kind::not_applied,
                   .detail = fmt::format("reader {} is at change {}, but the last one is {}: is this another store?",
                                         options_.reader, *known, *last)};
  }
  read_to_ = known.value_or(*last);
  if (!known && options_.from_oldest) {
    const auto oldest = oldest_kept(0);
    if (!oldest) return oldest.error();
    read_to_ = *oldest;
  }
  if (known) remembered_ = *known;
  if (!known && !options_.reader.empty()) {  // or changes made before the first event would be missed after a crash
    if (auto kept = remember(); !kept) return kept;
  }
  may_expire_ = source_->expires();
  if ((read_to_ == *last && !may_expire_) || port_->wake_soon()) return {};
  return failure{.code = errc::unavailable,
                 .effect = effect_kind::not_applied,
                 .reason = failure_reason::no_threads,
                 .detail = "no thread could be started to read the changes"};
}

// The smallest number behind which everything is kept, not before `after`; found by halves.
DORMOUSE_INLINE result<std::uint64_t> change_feed::oldest_kept(std::uint64_t after) {
  const auto last = source_->last_change();
  if (!last) return last.error();
  std::vector<fed_change> looked_at;
  std::uint64_t low = after;
  std::uint64_t high = std::max(after, *last);
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    const auto found = source_->read(middle, 1, looked_at);
    if (!found && found.error().code != errc::expired) return found.error();
    if (found) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return high;
}

DORMOUSE_INLINE void change_feed::stop() noexcept {
  source_->unwatch();
  try {
    take_over();
  } catch (...) {  // no memory: these are given again after a restart
  }
  flight_->close();
  if (!options_.reader.empty() && position() != remembered_) [[maybe_unused]]
    const auto kept = remember();
}

DORMOUSE_INLINE void change_feed::wake() {
  if (ended_) return;
  now_ = port_->time().now();
  trouble_.reset();
  try {
    turn();
  } catch (...) {
    // Out of memory: each step is done or not. What was not taken into the window is read again.
    more_ = false;
    read_at_ = give_at_ = now_ + options_.retry_after;
    arm();
    throw;
  }
  arm();
  if (trouble_) throw std::runtime_error(fmt::format("dormouse: reading changes: {}", to_string(*trouble_)));
}

DORMOUSE_INLINE void change_feed::turn() {
  more_ = false;
  take_over();
  take_in();
  if (ended_) return;
  look_at_expiry();
  remember_if_due();
}

// ---- from the log into the window -----------------------------------------------------------------------------------

DORMOUSE_INLINE void change_feed::take_in() {
  constexpr int pages_max = 64;  // then others have their turn
  for (int pages = 0;; ++pages) {
    give();
    if (ended_ || is_full() || now_ < read_at_) return;
    if (pages == pages_max) {
      more_ = true;
      return;
    }
    if (!read_page(options_.in_flight_max - window_.size())) return give();
  }
}

// False when there is no more, or not now.
DORMOUSE_INLINE bool change_feed::read_page(std::size_t room) {
  constexpr std::size_t page_max = 256;
  page_.clear();
  const auto read = source_->read(read_to_, std::min(room, page_max), page_);
  if (!read) {
    if (read.error().code == errc::expired) return skip_gap();
    note(read.error());
    read_at_ = now_ + options_.retry_after;
    return false;
  }
  if (read->last > read_to_) may_expire_ = source_->expires();
  for (auto& each : page_) add(std::move(each));
  read_to_ = std::max(read_to_, read->last);
  return read->more;
}

// What is behind read_to_ is kept no more: goes on where the log begins now, and says so.
DORMOUSE_INLINE bool change_feed::skip_gap() {
  const std::uint64_t before = read_to_;
  const auto oldest = oldest_kept(before);
  if (!oldest || *oldest == before) {
    if (!oldest) note(oldest.error());
    read_at_ = now_ + options_.retry_after;
    return false;
  }
  read_to_ = *oldest;
  note({.code = errc::expired, .detail = fmt::format("changes {} .. {} are kept no more", before + 1, read_to_)});
  try {
    if (options_.on_gap) options_.on_gap(before, read_to_);
  } catch (...) {  // counted with the gap
  }
  return true;
}

DORMOUSE_INLINE void change_feed::add(fed_change&& change) {
  const std::uint64_t sequence = change.sequence;
  const auto place = window_.try_emplace(sequence).first;
  try {
    place->second.key = std::move(change.key);
    const auto [last, alone] = last_of_key_.try_emplace(place->second.key, sequence);
    place->second.message = std::move(change.message);
    if (alone) {
      make_ready(sequence);
    } else {
      window_.find(last->second)->second.next_of_key = sequence;
      last->second = sequence;
      ++waiting_;
    }
  } catch (...) {
    window_.erase(place);
    throw;
  }
  read_to_ = sequence;
}

DORMOUSE_INLINE void change_feed::make_ready(std::uint64_t sequence) noexcept {
  if (first_ready_ == 0) {
    first_ready_ = sequence;
  } else {
    window_.find(last_ready_)->second.next_ready = sequence;
  }
  last_ready_ = sequence;
}

// ---- from the window to the function, and out of it -----------------------------------------------------------------

DORMOUSE_INLINE void change_feed::give() {
  while (first_ready_ != 0 && now_ >= give_at_) {
    entry& first = window_.find(first_ready_)->second;
    if (const auto given = flight_->post(first.message, first_ready_); !given) {
      const errc why = given.error().code;
      give_at_ = now_ + options_.retry_after;
      // The others say that there is no function any more, or no runtime.
      ended_ = why != errc::throttled && why != errc::limit_exceeded && why != errc::unavailable &&
               why != errc::out_of_memory;
      return;
    }
    ++posted_;
    first.message = event{};
    first_ready_ = first.next_ready;
  }
}

DORMOUSE_INLINE void change_feed::take_over() {
  flight_->collect(over_);
  if (!over_.empty()) give_at_ = {};  // there is room now
  for (const std::uint64_t sequence : over_) {
    const auto done = window_.find(sequence);
    if (const std::uint64_t next = done->second.next_of_key; next != 0) {
      --waiting_;
      make_ready(next);
    } else {
      last_of_key_.erase(done->second.key);
    }
    window_.erase(done);
    --posted_;
    ++over_since_;
  }
}

// ---- what comes with time -------------------------------------------------------------------------------------------

// An item that is to expire sooner than all others has a change of its own, which has been read.
DORMOUSE_INLINE void change_feed::look_at_expiry() {
  constexpr std::chrono::hours longest{24 * 365};
  if (!may_expire_ && !(expire_at_ && now_ >= *expire_at_)) return;
  const auto next = source_->expire();
  may_expire_ = false;
  expire_at_.reset();
  if (!next) {
    note(next.error());
    expire_at_ = now_ + options_.retry_after;
  } else if (*next) {
    const std::chrono::nanoseconds left = **next - port_->time().wall();
    // Past: there are more of them, or the other clock is behind this one.
    expire_at_ = now_ + (left.count() > 0 ? std::min<std::chrono::nanoseconds>(left, longest) : options_.retry_after);
  }
}

// Not at the end of each event: that would be a write for each.
DORMOUSE_INLINE void change_feed::remember_if_due() {
  constexpr std::size_t unwritten_max = 1'000;
  if (options_.reader.empty()) return;
  if (position() == remembered_) return remember_at_.reset();
  if (!remember_at_) remember_at_ = now_ + options_.remember_after;
  if (now_ < *remember_at_ && over_since_ < unwritten_max) return;
  remember_at_.reset();
  if (auto kept = remember(); !kept) {
    note(std::move(kept).error());
    remember_at_ = now_ + std::max(options_.remember_after, options_.retry_after);
  }
}

DORMOUSE_INLINE result<void> change_feed::remember() {
  const std::uint64_t reached = position();
  over_since_ = 0;
  auto kept = source_->remember(options_.reader, reached);
  if (kept) remembered_ = reached;
  return kept;
}

// Until there is a reason to wake. At rest there is none but a change.
DORMOUSE_INLINE void change_feed::arm() {
  if (ended_) return source_->unwatch();
  std::optional<clock::time_point> due;
  const auto consider = [&](clock::time_point at) { due = due ? std::min(*due, at) : at; };
  if (first_ready_ != 0) consider(give_at_);
  if (now_ < read_at_ && !is_full()) consider(read_at_);
  if (expire_at_) consider(*expire_at_);
  if (remember_at_) consider(*remember_at_);
  const bool end_matters = waiting_ != 0 || first_ready_ != 0 || is_full();
  const bool end_to_remember = !options_.reader.empty() && !remember_at_;
  if (posted_ != 0 && (end_matters || end_to_remember)) flight_->wake_when_over();
  if (more_ && !port_->wake_soon()) consider(now_ + options_.retry_after);
  if (due) port_->wake_at(*due).value();
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
