// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/clock.hpp>

#include <algorithm>
#include <limits>

namespace dormouse::inline DORMOUSE_FLAVOUR {

DORMOUSE_INLINE clock::clock() noexcept
    : counts_cycles_(detail::has_steady_cycles()),
      ns_per_tick_(counts_cycles_ ? detail::nanoseconds_per_cycle() : 1.0) {}

DORMOUSE_INLINE clock::time_point clock::now() const noexcept {
  if (manual_ == nullptr) return std::chrono::steady_clock::now();
  return time_point{std::chrono::nanoseconds{manual_->steady_ns.load(std::memory_order_acquire)}};
}

DORMOUSE_INLINE std::chrono::system_clock::time_point clock::wall() const noexcept {
  if (manual_ == nullptr) return std::chrono::system_clock::now();
  return std::chrono::system_clock::time_point{std::chrono::duration_cast<std::chrono::system_clock::duration>(
      std::chrono::nanoseconds{manual_->wall_ns.load(std::memory_order_acquire)})};
}

DORMOUSE_INLINE std::uint64_t clock::to_ticks(std::chrono::nanoseconds interval) const noexcept {
  constexpr double century_ns = 3.2e18;
  const double ns = std::clamp(static_cast<double>(interval.count()), 0.0, century_ns);
  return static_cast<std::uint64_t>(ns / ns_per_tick_);
}

DORMOUSE_INLINE void clock::advance(manual_time& source, std::chrono::nanoseconds by) noexcept {
  source.wall_ns.fetch_add(by.count(), std::memory_order_acq_rel);
  source.steady_ns.fetch_add(by.count(), std::memory_order_acq_rel);
  tell(source);
}

DORMOUSE_INLINE void clock::jump_wall(manual_time& source, std::chrono::nanoseconds by) noexcept {
  source.wall_ns.fetch_add(by.count(), std::memory_order_acq_rel);
  tell(source);
}

DORMOUSE_INLINE void clock::tell(manual_time& source) noexcept {
  const std::lock_guard lock(source.mutex);
  for (listener* const who : source.listeners) who->time_changed();
}

DORMOUSE_INLINE void clock::jump_to(time_point to) const noexcept {
  if (jumps_when_idle() && to > now()) advance(*manual_, to - now());
}

DORMOUSE_INLINE void clock::subscribe(listener& who) const {
  if (manual_ == nullptr) return;
  const std::lock_guard lock(manual_->mutex);
  manual_->listeners.push_back(&who);
}

DORMOUSE_INLINE void clock::unsubscribe(listener& who) const noexcept {
  if (manual_ == nullptr) return;
  const std::lock_guard lock(manual_->mutex);
  std::erase(manual_->listeners, &who);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
