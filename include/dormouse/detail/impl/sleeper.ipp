// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/platform/sleeper.hpp>

#include <algorithm>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

DORMOUSE_INLINE failure sleeper::no_descriptors(const char* what) {
  return {.code = errc::limit_exceeded,
          .effect = effect_kind::not_applied,
          .reason = failure_reason::descriptors,
          .detail = what,
          .native_code = errno};
}

#if DORMOUSE_PLATFORM_LINUX

DORMOUSE_INLINE sleeper::~sleeper() {
  if (epoll_ >= 0) ::close(epoll_);
  if (event_ >= 0) ::close(event_);
  if (alarm_ >= 0) ::close(alarm_);
}

DORMOUSE_INLINE result<void> sleeper::prepare() { return {}; }

DORMOUSE_INLINE void sleeper::wake() noexcept {
  // seq_cst: either this sees the sleeper's descriptor, or the sleeper, which checks the word after it has published
  // the descriptor, sees the word (see open_epoll and sleep).
  woken_.store(1, std::memory_order_seq_cst);
  futex_wake_one(woken_);
  const int event = event_.load(std::memory_order_seq_cst);
  if (event < 0) return;
  const std::uint64_t one = 1;
  const int kept = errno;  // this may run in a signal handler
  [[maybe_unused]] const auto written = ::write(event, &one, sizeof one);
  errno = kept;
}

inline constexpr int events_max = 32;

DORMOUSE_INLINE void sleeper::collect(const epoll_event* events, int count, std::vector<int>& ready) noexcept {
  for (int i = 0; i < count; ++i) {
    const int each = events[i].data.fd;
    if (each == event_.load(std::memory_order_relaxed) || each == alarm_.load(std::memory_order_relaxed)) {
      std::uint64_t drained = 0;
      [[maybe_unused]] const auto got = ::read(each, &drained, sizeof drained);
    } else {
      ready.push_back(each);
    }
  }
  woken_.store(0, std::memory_order_seq_cst);
}

DORMOUSE_INLINE void sleeper::look(std::vector<int>& ready) {
  const int epoll = epoll_.load(std::memory_order_seq_cst);
  woken_.store(0, std::memory_order_seq_cst);
  if (epoll < 0) return;
  epoll_event events[events_max];
  collect(events, ::epoll_wait(epoll, events, events_max, 0), ready);
}

DORMOUSE_INLINE void sleeper::sleep(const time_point* until, std::vector<int>& ready) {
  const int epoll = epoll_.load(std::memory_order_seq_cst);
  if (woken_.exchange(0, std::memory_order_seq_cst) != 0) return;
  if (epoll < 0) {
    futex_wait(woken_, 0, until);
    woken_.store(0, std::memory_order_seq_cst);
    return;
  }
  epoll_event events[events_max];
  timespec left{};
  if (until != nullptr) {
    const auto ns = std::max<std::int64_t>(
        0, std::chrono::duration_cast<std::chrono::nanoseconds>(*until - std::chrono::steady_clock::now()).count());
    left.tv_sec = static_cast<time_t>(ns / 1'000'000'000);
    left.tv_nsec = static_cast<long>(ns % 1'000'000'000);
  }
  int count = ::epoll_pwait2(epoll, events, events_max, until != nullptr ? &left : nullptr, nullptr);
  if (count < 0 && errno == ENOSYS) {  // before Linux 5.11: whole milliseconds, rounded up so as never to be early
    const auto ms = left.tv_sec * 1000 + (left.tv_nsec + 999'999) / 1'000'000;
    count = ::epoll_wait(epoll, events, events_max,
                         until != nullptr ? static_cast<int>(std::min<std::int64_t>(ms, 86'400'000)) : -1);
  }
  collect(events, count, ready);
}

DORMOUSE_INLINE result<void> sleeper::open_epoll() {
  if (epoll_ >= 0) return {};
  const int event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event < 0) return no_descriptors("eventfd");
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) {
    auto why = no_descriptors("epoll_create1");
    ::close(event);
    return why;
  }
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  wanted.data.fd = event;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, event, &wanted) != 0) {
    auto why = no_descriptors("epoll_ctl");
    ::close(event);
    ::close(epoll);
    return why;
  }
  event_.store(event, std::memory_order_seq_cst);
  epoll_.store(epoll, std::memory_order_seq_cst);
  wake();  // a thread asleep on the futex must come over to epoll
  return {};
}

DORMOUSE_INLINE result<int> sleeper::descriptor() {
  const std::lock_guard lock(mutex_);
  const bool fresh = epoll_ < 0;
  if (auto opened = open_epoll(); !opened) return std::move(opened).error();
  if (alarm_ >= 0) return epoll_.load();
  const int alarm = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (alarm < 0) return no_descriptors("timerfd_create");
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  wanted.data.fd = alarm;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, alarm, &wanted) != 0) {
    auto why = no_descriptors("epoll_ctl");
    ::close(alarm);
    return why;
  }
  alarm_ = alarm;
  std::vector<int> none;  // what open_epoll has told itself is no reason to look
  if (fresh) look(none);
  return epoll_.load();
}

DORMOUSE_INLINE void sleeper::set_alarm(const time_point* due) noexcept {
  const int alarm = alarm_;
  if (alarm < 0) return;
  itimerspec at{};  // zero: disarmed
  if (due != nullptr) {
    const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(due->time_since_epoch());
    const auto ns = std::max<std::int64_t>(1, since.count());
    at.it_value.tv_sec = static_cast<time_t>(ns / 1'000'000'000);
    at.it_value.tv_nsec = static_cast<long>(ns % 1'000'000'000);
  }
  // libstdc++'s steady_clock is CLOCK_MONOTONIC.
  ::timerfd_settime(alarm, TFD_TIMER_ABSTIME, &at, nullptr);
}

DORMOUSE_INLINE result<void> sleeper::watch(int descriptor) {
  const std::lock_guard lock(mutex_);
  if (auto opened = open_epoll(); !opened) return opened;
  epoll_event wanted{};
  wanted.events = EPOLLIN | EPOLLONESHOT;
  wanted.data.fd = descriptor;
  if (::epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &wanted) == 0) return {};
  if (errno == ENOENT && ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &wanted) == 0) return {};
  return no_descriptors("epoll_ctl");
}

DORMOUSE_INLINE void sleeper::unwatch(int descriptor) noexcept {
  const std::lock_guard lock(mutex_);
  if (epoll_ >= 0) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr);
}

#else

DORMOUSE_INLINE sleeper::~sleeper() {
  if (read_end_ >= 0) ::close(read_end_);
  if (write_end_ >= 0) ::close(write_end_);
}

DORMOUSE_INLINE result<void> sleeper::prepare() {
  const std::lock_guard lock(mutex_);
  if (read_end_ >= 0) return {};
  int ends[2];
  if (::pipe(ends) != 0) return no_descriptors("pipe");
  for (const int end : ends) {
    ::fcntl(end, F_SETFD, FD_CLOEXEC);
    ::fcntl(end, F_SETFL, O_NONBLOCK);
  }
  read_end_ = ends[0];
  write_end_ = ends[1];
  return {};
}

DORMOUSE_INLINE void sleeper::wake() noexcept {
  const int end = write_end_;
  if (end < 0) return;
  const int kept = errno;
  const char one = 1;
  [[maybe_unused]] const auto written = ::write(end, &one, 1);  // a full pipe wakes just as well
  errno = kept;
}

DORMOUSE_INLINE void sleeper::sleep(const time_point* until, std::vector<int>& ready) {
  int ms = -1;
  if (until != nullptr) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - std::chrono::steady_clock::now()).count();
    ms = static_cast<int>(std::clamp<std::int64_t>(left, 0, 86'400'000));
  }
  poll_for(ms, ready);
}

DORMOUSE_INLINE void sleeper::look(std::vector<int>& ready) { poll_for(0, ready); }

DORMOUSE_INLINE result<int> sleeper::descriptor() {
  if (auto prepared = prepare(); !prepared) return std::move(prepared).error();
  return read_end_.load();
}

DORMOUSE_INLINE void sleeper::set_alarm(const time_point* /*due*/) noexcept {}

DORMOUSE_INLINE void sleeper::poll_for(int ms, std::vector<int>& ready) {
  std::vector<pollfd> set;
  {
    const std::lock_guard lock(mutex_);
    set.push_back({read_end_, POLLIN, 0});
    for (const int descriptor : watched_) set.push_back({descriptor, POLLIN, 0});
  }
  if (::poll(set.data(), set.size(), ms) <= 0) return;
  char drained[64];
  while (set[0].revents != 0 && ::read(read_end_, drained, sizeof drained) > 0) {}
  for (std::size_t i = 1; i < set.size(); ++i) {
    if (set[i].revents != 0) ready.push_back(set[i].fd);
  }
  forget_fired(ready);
}

DORMOUSE_INLINE void sleeper::forget_fired(const std::vector<int>& ready) {
  const std::lock_guard lock(mutex_);
  for (const int descriptor : ready) std::erase(watched_, descriptor);
}

DORMOUSE_INLINE result<void> sleeper::watch(int descriptor) {
  if (auto prepared = prepare(); !prepared) return prepared;
  {
    const std::lock_guard lock(mutex_);
    std::erase(watched_, descriptor);
    watched_.push_back(descriptor);
  }
  wake();
  return {};
}

DORMOUSE_INLINE void sleeper::unwatch(int descriptor) noexcept {
  const std::lock_guard lock(mutex_);
  std::erase(watched_, descriptor);
}

#endif

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
