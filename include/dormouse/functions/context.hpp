// SPDX-License-Identifier: MIT
#pragma once

// What a handler is told about its invocation. Taken as the last parameter, `context&`, by handlers that want it.
// Lifetime: dies when the handler returns; keep nothing that points into it.
// Threads:  for the handler's own thread. Only a std::stop_token taken from it may go elsewhere.

#include <dormouse/event.hpp>
#include <dormouse/functions/acceptance.hpp>
#include <dormouse/functions/reply.hpp>
#include <dormouse/log.hpp>
#include <dormouse/result.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {
class core;
class invocation;
class lane;
class work_item;
struct function_record;
}  // namespace detail

class context {
 public:
  context(const context&) = delete;
  context& operator=(const context&) = delete;

  [[nodiscard]] std::string_view function() const noexcept;
  // Unique in this runtime. Given when first asked for.
  [[nodiscard]] std::uint64_t invocation() const noexcept;
  // 1 for the first run of an event.
  [[nodiscard]] unsigned attempt() const noexcept { return attempt_; }
  // Was an instance made for this invocation?
  [[nodiscard]] bool cold() const noexcept { return cold_; }
  // 1 for a call from outside, one more for each call in between.
  [[nodiscard]] unsigned depth() const noexcept { return depth_; }
  // The functions from the outermost call to this one: "import > resize".
  [[nodiscard]] std::string lineage() const;

  // Time until the deadline: the function's timeout or the caller's deadline, whichever comes first. Zero when past.
  [[nodiscard]] std::chrono::nanoseconds remaining() const noexcept;
  // Has the deadline passed, or has the event been cancelled? Reads the clock, arms nothing.
  [[nodiscard]] bool stop_requested() const noexcept;
  // Stops at the deadline and on a cancel. The first call arms a timer; stop callbacks run on a library
  // thread, not on the handler's.
  // Never stops when no timer could be armed (no thread to be had, or no memory): stop_requested() always works.
  [[nodiscard]] std::stop_token stop_token();

  // The event that this invocation serves. For a call by typed handle: an event without data, of type "dormouse.call".
  // `id`, `source` and `time` are filled here when the event came without.
  [[nodiscard]] const event& current_event();

  // Formats and logs when the runtime has a sink; costs a branch otherwise.
  template <class... Args>
  void log(log_level level, fmt::format_string<Args...> text, Args&&... args) {
    if (has_log_sink()) write_log(level, fmt::format(text, std::forward<Args>(args)...));
  }

  // Runs `wait`, which waits for something, and gives what it returns. Meanwhile this thread does not count as a
  // compute worker: another may take events in its place, up to blocking_workers_max. On other threads: a plain call.
  template <class Wait>
  decltype(auto) blocking(Wait&& wait) {
    const waiting_scope away(*core_);
    return std::forward<Wait>(wait)();
  }

  // Calls into the same runtime, as runtime::invoke and runtime::post; this invocation becomes the caller.
  result<reply> invoke(std::string_view name, const event& message);
  result<acceptance> post(std::string_view name, event message);

 private:
  friend class detail::invocation;
  struct stop_timer;
  // While it lives, this thread is no compute worker, if it was one.
  class waiting_scope {
   public:
    explicit waiting_scope(detail::core& owner) noexcept;
    waiting_scope(const waiting_scope&) = delete;
    waiting_scope& operator=(const waiting_scope&) = delete;
    ~waiting_scope();

   private:
    detail::lane* from_ = nullptr;
  };
  context() = default;
  ~context() {
    if (stop_ != nullptr) [[unlikely]]
      disarm();
  }
  void disarm() noexcept;
  [[nodiscard]] bool has_log_sink() const noexcept;
  void write_log(log_level level, std::string text);

  // Plain stores on the warm path; everything else is made on demand.
  detail::core* core_ = nullptr;
  const detail::function_record* record_ = nullptr;
  const context* parent_ = nullptr;    // the call on this thread that made this one
  detail::work_item* item_ = nullptr;  // the accepted event, when it is one
  std::uint64_t started_ = 0;          // ticks
  std::uint64_t deadline_ = 0;         // ticks
  mutable std::uint64_t id_ = 0;       // 0: not given yet
  std::uint32_t attempt_ = 1;
  std::uint16_t depth_ = 1;
  bool cold_ = false;
  bool deadline_is_callers_ = false;
  const event* event_ = nullptr;  // null for a typed call
  std::unique_ptr<event> own_event_{};
  std::shared_ptr<stop_timer> stop_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/functions.ipp>
#endif
