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
  // Makes what wake() needs, so that it works from a signal handler. Fails: limit_exceeded (descriptors).
  result<void> prepare();

 private:
  static failure no_descriptors(const char* what);
#if DORMOUSE_PLATFORM_LINUX
  result<void> open_epoll();
  std::atomic<std::uint32_t> woken_{0};
  std::atomic<int> epoll_{-1};
  std::atomic<int> event_{-1};
#else
  void forget_fired(const std::vector<int>& ready);
  std::vector<int> watched_{};
  std::atomic<int> read_end_{-1};
  std::atomic<int> write_end_{-1};
#endif
  std::mutex mutex_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
