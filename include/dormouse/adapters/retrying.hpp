// SPDX-License-Identifier: MIT
#pragma once

// How often and when the retrying decorators make a call again: retrying_table, retrying_object_store,
// retrying_database, retrying_queue.
// A call is made again when its failure may pass (throttled, unavailable, conflict) and all attempts together do it
// once: the failed one has changed nothing (effect not_applied), or it only reads, or ends in the same state however
// often it is made, or carries a token by which the service knows it. A write without a token of which nothing is known
// is the caller's to decide: its failure comes back at once, with effect unknown.
// Another attempt is not begun when its delay would end at the call's deadline or later, nor beyond wait_max: the last
// failure comes back.
// Retry in one place: a function whose events are tried again by its retry_policy needs no decorator for what it calls.

#include <dormouse/clock.hpp>
#include <dormouse/detail/forwarding_call.hpp>
#include <dormouse/detail/random.hpp>
#include <dormouse/failure.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace dormouse::inline DORMOUSE_FLAVOUR {

struct retrying_options {
  // Attempts of one call, the first included, 1 .. 100.
  std::size_t attempts_max = 4;
  // Each delay is drawn from zero up to a bound: the first bound, 0 .. 1 h; each later one is twice the one before,
  std::chrono::nanoseconds delay_first{std::chrono::milliseconds(50)};
  // and no longer than this, 0 .. 1 h. A failure's own retry_after counts when it is longer than what was drawn.
  std::chrono::nanoseconds delay_max{std::chrono::seconds(5)};
  // All delays of one call together, 0 .. 24 h.
  std::chrono::nanoseconds wait_max{std::chrono::seconds(30)};
  // A write that relies on its token is not made again later than this after its first attempt, 0 .. 9 min: services
  // know a token for 10.
  std::chrono::nanoseconds token_age_max{std::chrono::minutes(5)};
  // Of the draws: the same seed, the same delays. 0: one of its own, so that those who failed together do not come back
  // together.
  std::uint64_t seed = 0;
  // Object stores: bytes of one upload that are kept until its finish(), so that it can be made anew from its start,
  // 0 .. 1 GiB. An upload of more is not.
  std::size_t replay_bytes_max = std::size_t{1} << 20U;
  // Waits on the caller's thread until the service's clock shows `until`; false: no more attempts. Must not throw.
  // Empty: blocks.
  std::function<bool(clock::time_point until)> wait{};
};

namespace detail {

// throttled, unavailable, conflict.
[[nodiscard]] bool may_pass(errc code) noexcept;

class retries {
 public:
  static constexpr bool calls_again = true;
  static constexpr bool counts_bytes = false;
  // Throws std::invalid_argument naming the option that is outside its bounds.
  retries(const clock& time, retrying_options options);

  // Of one call.
  struct progress {
    std::size_t attempts = 0;  // that have failed
    std::chrono::nanoseconds waited{0};
    clock::time_point begun{};  // of a call with a token
  };
  // An attempt has failed. True: the delay is over, make another one.
  bool waits_for_next(progress& at, const forwarded_call& what, const failure& why);

  template <class Call, class Measure>
  auto around(const forwarded_call& what, Call&& call, Measure&&) -> decltype(call()) {
    progress at;
    if (what.again == repetition::with_token) at.begun = time_.now();
    auto got = call();
    while (!got && waits_for_next(at, what, got.error())) {
      got = call();
    }
    return got;
  }

  [[nodiscard]] const retrying_options& options() const noexcept { return options_; }
  // relaxed: a count for display orders nothing.
  [[nodiscard]] std::uint64_t repeated() const noexcept { return repeated_.load(std::memory_order_relaxed); }

 private:
  [[nodiscard]] std::chrono::nanoseconds next_delay(const progress& at, const failure& why);
  bool wait(clock::time_point until);

  const clock& time_;
  const retrying_options options_;
  random_source random_;
  std::atomic<std::uint64_t> repeated_{0};
};

}  // namespace detail

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/adapters/retrying.ipp>
#endif
