// SPDX-License-Identifier: MIT
#pragma once

// The timekeeper's sleep: until a time, a wake() from anywhere (a signal handler included), or a watched descriptor
// that is ready to be read.
// Linux: a futex word, and epoll with an eventfd from the first watched descriptor on. Portable: poll(2) and a pipe.
// One thread sleeps; wake() and watch() may be called from any thread. A descriptor that was reported is not reported
// again before watch() is called for it once more.

#include <dormouse/detail/config.hpp>
#include <dormouse/result.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#if DORMOUSE_PLATFORM_LINUX
#include <dormouse/detail/platform/gate.hpp>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#else
#include <poll.h>
#endif

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class sleeper {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  sleeper() = default;
  sleeper(const sleeper&) = delete;
  sleeper& operator=(const sleeper&) = delete;
  ~sleeper();

  // Ends the present or the next sleep(). Async-signal-safe.
  void wake() noexcept;
  // Sleeps; the descriptors that became readable are appended to `ready`. May return early with none.
  void sleep(const time_point* until, std::vector<int>& ready);
  // Reports `descriptor` once when it is readable. Fails: limit_exceeded (descriptors).
  result<void> watch(int descriptor);
  void unwatch(int descriptor) noexcept;
  // As sleep() without sleeping.
  void look(std::vector<int>& ready);
  // For a host's event loop: can be read once there is something to look() for: a wake(), the alarm, a watched
  // descriptor (the portable one knows of wakes only). Fails: limit_exceeded (descriptors).
  result<int> descriptor();
  // Null: none. Before descriptor() it does nothing.
  void set_alarm(const time_point* due) noexcept;
#if DORMOUSE_PLATFORM_LINUX
  static constexpr bool descriptor_tells_all = true;
#else
  static constexpr bool descriptor_tells_all = false;
#endif
  // Where it does not tell all: how often to look for watched descriptors.
  static constexpr std::chrono::milliseconds look_again{20};
  // Makes what wake() needs, so that it works from a signal handler. Fails: limit_exceeded (descriptors).
  result<void> prepare();

 private:
  static failure no_descriptors(const char* what);
#if DORMOUSE_PLATFORM_LINUX
  result<void> open_epoll();
  void collect(const epoll_event* events, int count, std::vector<int>& ready) noexcept;
  std::atomic<std::uint32_t> woken_{0};
  std::atomic<int> epoll_{-1};
  std::atomic<int> event_{-1};
  std::atomic<int> alarm_{-1};
#else
  void poll_for(int ms, std::vector<int>& ready);
  void forget_fired(const std::vector<int>& ready);
  std::vector<int> watched_{};
  std::atomic<int> read_end_{-1};
  std::atomic<int> write_end_{-1};
#endif
  std::mutex mutex_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
