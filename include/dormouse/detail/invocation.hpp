// SPDX-License-Identifier: MIT
#pragma once

// One run of a handler: the heart of the library. Warm, on the caller's thread, it is a lease taken, two stamps, one
// indirect call, a few plain stores and the lease given back.

#include <dormouse/detail/handler_ops.hpp>
#include <dormouse/detail/lease.hpp>
#include <dormouse/detail/work_item.hpp>

#include <cstdint>
#include <exception>
#include <optional>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class core;

// The innermost invocation on this thread: the caller of whatever is called next. Never given out.
inline constinit thread_local const context* this_thread_invocation = nullptr;

// what() of an exception of a stranger's, who may have returned null.
[[nodiscard]] inline std::string_view text_of(const std::exception& thrown) noexcept {
  const char* const text = thrown.what();
  return text != nullptr ? std::string_view(text) : std::string_view{};
}

// What the exception that is being handled says, as a handler's failure.
[[nodiscard]] failure describe_thrown() noexcept;

class invocation {
 public:
  // Runs the function on this thread; the outcome, refusals included, is in call.out. `deadline`: the caller's, in
  // ticks.
  static void invoke(core& owner, function_record& record, std::uint32_t generation, call_arguments& call,
                     std::uint64_t deadline);
  // Runs an event that was taken from its queue, with or by making the lease it was granted; item.failed says how it
  // ended. The lease, when `keep_lease` is asked for and it may be used at once for the next event; else null, and it
  // has been given back.
  static lease* run_item(core& owner, work_item& item, bool keep_lease);
  // Runs a posted event of a batch with the lease of the one before it, which ended `now`, in ticks. When this one has
  // ended.
  static std::uint64_t run_next(core& owner, work_item& item, lease& with, std::uint64_t now);
  // Runs a claimed event on this thread, which waits for it.
  static void run_for_waiter(core& owner, work_item& item);
  // An event of this thread's innermost invocation, or from outside: takes over lineage and, for submit, the deadline.
  static void inherit(core& owner, work_item& item, bool deadline_too);
  // Is a handler of this runtime on this thread?
  [[nodiscard]] static bool inside(const core& owner) noexcept;
  // Is a handler of this function on this thread?
  [[nodiscard]] static bool runs_here(const function_record& record) noexcept;
  // The chain of this invocation, outermost first.
  [[nodiscard]] static lineage chain_of(const context& ctx);

 private:
  // What every call passes through is inlined into the three functions above that run handlers: called one by one, it
  // costs a warm call a third more. Used in one source file only.
  struct timing {
    std::uint64_t arrived = 0;  // accepted, or called; 0 on the warm path, where it is the handler's start
    std::uint64_t queued = 0;
    std::uint64_t init = 0;
  };
  struct ending {
    std::optional<errc> outcome{};  // empty: succeeded
    std::uint64_t run_ticks = 0;
    std::uint64_t total_ticks = 0;
  };
  DORMOUSE_ALWAYS_INLINE static void begin(context& ctx, core& owner, function_record& record,
                                           work_item* item) noexcept;
  static bool in_chain(const context& ctx, const function_record& record) noexcept;
  static bool lease_for_caller(context& ctx, lease*& got, std::uint32_t generation, call_arguments& call,
                               std::uint64_t deadline, timing& times);
  static bool make_lease(context& ctx, const grant& allowed, lease*& got, call_arguments& call, timing& times);
  static std::uint64_t inherited_deadline(const context& ctx) noexcept;
  DORMOUSE_ALWAYS_INLINE static void run_here(context& ctx, std::uint32_t generation, call_arguments& call,
                                              std::uint64_t deadline, timing& times);
  DORMOUSE_ALWAYS_INLINE static ending run(context& ctx, lease& with, call_arguments& call, std::uint64_t deadline,
                                           std::uint64_t begun, const timing& times);
  static ending too_late(call_arguments& call, std::uint64_t now, const timing& times);
  DORMOUSE_ALWAYS_INLINE static call_end call_handler(context& ctx, lease& with, call_arguments& call);
  static void overran(context& ctx, lease& with, call_arguments& call);
  static void refuse(const context& ctx, call_arguments& call, failure&& why, const timing& times);
  static void report(const context& ctx, const timing& times, const ending& end) noexcept;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
