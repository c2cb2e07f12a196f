// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/time_text.hpp>
#include <dormouse/runtime/trigger.hpp>

#include <fmt/format.h>

#include <stdexcept>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

class periodic_trigger final : public trigger {
 public:
  explicit periodic_trigger(std::chrono::nanoseconds period) : period_(period) {}
  result<void> start(trigger_port& port) override {
    port_ = &port;
    due_ = port.time().now() + period_;
    return port.wake_at(due_);
  }
  void wake() override {
    const clock& time = port_->time();
    const auto now = time.now();
    if (now < due_) return again();
    event tick{.type = "dormouse.timer", .source = "dormouse/every"};
    tick.time = std::chrono::time_point_cast<std::chrono::system_clock::duration>(time.wall() - (now - due_));
    // A refusal is counted by the function, and the next tick comes anyway.
    [[maybe_unused]] const auto posted = port_->post(std::move(tick));
    const auto missed = (now - due_) / period_;
    due_ += period_ * (missed + 1);
    again();
  }
  [[nodiscard]] bool brief() const noexcept override { return true; }

 private:
  // On the timekeeper its thread is there, so arming fails only for want of memory; then the schedule ends, counted.
  void again() { port_->wake_at(due_).value(); }
  const std::chrono::nanoseconds period_;
  trigger_port* port_ = nullptr;
  clock::time_point due_{};
};

}  // namespace detail

DORMOUSE_INLINE std::unique_ptr<trigger> every(std::chrono::nanoseconds period) {
  if (period < std::chrono::microseconds{1} || period > std::chrono::hours{24 * 365}) {
    throw std::invalid_argument(
        fmt::format("dormouse: every({}): give a period of 1 us .. 365 days", detail::to_text(period)));
  }
  return std::make_unique<detail::periodic_trigger>(period);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
