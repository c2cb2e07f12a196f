// SPDX-License-Identifier: MIT
#pragma once

// A descriptor that can be read when the calendar clock has reached a time, or has been set (settimeofday, NTP steps).
// Linux: timerfd with TFD_TIMER_CANCEL_ON_SET (timerfd_create(2)). Elsewhere there is none, and open() says so.

#include <dormouse/detail/config.hpp>

#include <chrono>
#include <cstdint>

#if DORMOUSE_PLATFORM_LINUX
#include <sys/timerfd.h>
#include <unistd.h>
#endif

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class wall_alarm {
 public:
  wall_alarm() = default;
  wall_alarm(const wall_alarm&) = delete;
  wall_alarm& operator=(const wall_alarm&) = delete;

#if DORMOUSE_PLATFORM_LINUX
  ~wall_alarm() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  // False: there is none, or no descriptor is left.
  [[nodiscard]] bool open() noexcept {
    if (descriptor_ < 0) descriptor_ = ::timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    return descriptor_ >= 0;
  }
  void set(std::chrono::system_clock::time_point when) noexcept {
    const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(when.time_since_epoch()).count();
    itimerspec at{};
    at.it_value.tv_sec = static_cast<time_t>(ns / 1'000'000'000);
    at.it_value.tv_nsec = static_cast<long>(ns % 1'000'000'000);
    if (at.it_value.tv_sec <= 0) at.it_value = {.tv_sec = 1, .tv_nsec = 0};  // long past: at once
    ::timerfd_settime(descriptor_, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at, nullptr);
  }
  void drain() noexcept {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(descriptor_, &count, sizeof count);  // or ECANCELED: it has been set
  }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

 private:
  int descriptor_ = -1;
#else
  [[nodiscard]] bool open() noexcept { return false; }
  void set(std::chrono::system_clock::time_point /*when*/) noexcept {}
  void drain() noexcept {}
  [[nodiscard]] int descriptor() const noexcept { return -1; }
#endif
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
