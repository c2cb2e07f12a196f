// SPDX-License-Identifier: MIT
#pragma once

// What went wrong, in a form a program can act on: a closed code, whether a retry may do the work twice, and the limit
// or cause behind it.
// Threads: plain values. Errors: naming functions never fail.

#include <dormouse/detail/config.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// Closed set; the numbers are stable. Zero is never an error.
enum class errc : std::uint8_t {
  not_found = 1,
  already_exists,
  condition_failed,  // the caller's own precondition was false
  conflict,          // lost a race; repeat the whole operation
  invalid_argument,
  too_large,
  throttled,  // a limit that passes; see retry_after
  deadline_exceeded,
  unavailable,
  unsupported,  // this adapter or build cannot do it; nothing was done
  expired,
  unauthenticated,
  permission_denied,
  limit_exceeded,  // a limit that does not pass by itself
  out_of_memory,
  corruption,
  cancelled,
  internal,
  // Of invocations:
  init_failed,      // the instance could not be made; the handler did not run
  function_failed,  // the handler ran, and threw or returned a failure
  recursion_limit,
  shutting_down,
  event_age_exceeded,
};

// Did the operation take effect? `unknown` means a retry may do it twice.
enum class effect_kind : std::uint8_t { not_applied = 1, applied, unknown };

// The limit that was hit, or the cause. Closed set; `none` when the code says it all.
enum class failure_reason : std::uint8_t {
  none = 0,
  queue_depth,  // the function's queue holds its maximum of events
  queue_bytes,  // the function's queue holds its maximum of bytes
  instances,    // every instance is busy and instances_max is reached
  paused,
  dead_letters,
  undefined,  // the function was removed
  depth,      // the chain of calls is too deep
  chain,      // the function is already in the chain and has no free instance
  stale_receipt,
  store_full,
  no_threads,  // no thread could be started, and none was there
  owned_elsewhere,
  name,
  payload_type,     // the bytes are not what the handler's parameter needs
  timeout,          // the function's own timeout
  caller_deadline,  // a deadline inherited from, or given by, the caller
  handler_threw,
  key_bytes,
  value_bytes,
  page_size,
  descriptors,  // the process or the user has no more descriptors or watches
  path,
  init_spacing,  // several inits have failed in a row: none is tried for a while
  forked_child,  // this process is a fork of the one whose runtime it is
  in_flight,     // so many messages are received and not settled
};

// Why an operation failed. Copyable; `detail` is the only part that may allocate.
struct failure {
  errc code = errc::internal;
  effect_kind effect = effect_kind::unknown;
  failure_reason reason = failure_reason::none;
  // For people and logs: never parsed, holds no secrets. Left empty rather than allocated when memory is short.
  std::string detail{};
  // When a retry may succeed. Zero: not known.
  std::chrono::milliseconds retry_after{0};
  // The engine's or operating system's own number; 0 when there is none.
  int native_code = 0;
  // A handler's failure keeps its own code here while `code` says function_failed. Unset: equals `code`.
  errc cause = errc{};

  // Code, reason, effect and detail do not differ. Native code and retry_after are not compared.
  friend bool operator==(const failure& a, const failure& b) {
    return a.code == b.code && a.effect == b.effect && a.reason == b.reason && a.detail == b.detail;
  }
};

// The enumerator's own spelling; "unknown" for a value outside the set.
[[nodiscard]] std::string_view to_string(errc code) noexcept;
[[nodiscard]] std::string_view to_string(effect_kind effect) noexcept;
[[nodiscard]] std::string_view to_string(failure_reason reason) noexcept;

// One line: "throttled (queue_depth), not_applied: detail"; with a cause, "function_failed by conflict, unknown:
// detail".
[[nodiscard]] std::string to_string(const failure& why);

namespace detail {
// The first bytes of a stranger's text, control characters and non-ASCII replaced by dots: fit for a message.
[[nodiscard]] std::string printable(std::string_view text, std::size_t bytes_max);
// A failure whose text is dropped, not thrown over, when memory is short.
[[nodiscard]] failure make_failure(errc code, effect_kind effect, failure_reason reason,
                                   std::string_view detail) noexcept;
}  // namespace detail

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/failure.ipp>
#endif
