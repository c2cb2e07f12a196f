// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/adapters/retrying.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

DORMOUSE_INLINE retrying_options checked(retrying_options options) {
  using std::chrono::nanoseconds;
  const auto refuse = [](std::string_view option, auto value, std::string_view bounds) {
    throw std::invalid_argument(fmt::format("dormouse: retrying_options::{} is {}; give {}", option, value, bounds));
  };
  const auto bound = [&](std::string_view option, nanoseconds value, nanoseconds most, std::string_view bounds) {
    if (value < nanoseconds{0} || value > most) refuse(option, value.count(), bounds);
  };
  if (options.attempts_max < 1 || options.attempts_max > 100) refuse("attempts_max", options.attempts_max, "1 .. 100");
  bound("delay_first", options.delay_first, std::chrono::hours(1), "0 .. 1 h");
  bound("delay_max", options.delay_max, std::chrono::hours(1), "0 .. 1 h");
  bound("wait_max", options.wait_max, std::chrono::hours(24), "0 .. 24 h");
  bound("token_age_max", options.token_age_max, std::chrono::minutes(9), "0 .. 9 min");
  if (options.replay_bytes_max > std::size_t{1} << 30U) {
    refuse("replay_bytes_max", options.replay_bytes_max, "0 .. 1 GiB");
  }
  return options;
}

// Blocks until the clock shows `until`; a manual clock tells when it has been moved.
DORMOUSE_INLINE void block_until(const clock& time, clock::time_point until) {
  if (!time.is_manual()) return std::this_thread::sleep_until(until);
  struct sleeper final : clock::listener {
    std::mutex mutex{};
    std::condition_variable moved{};
    void time_changed() noexcept override {
      const std::lock_guard lock(mutex);  // not between the look and the wait
      moved.notify_all();
    }
  } here;
  time.subscribe(here);
  {
    std::unique_lock lock(here.mutex);
    here.moved.wait(lock, [&] { return time.now() >= until; });
  }
  time.unsubscribe(here);
}

DORMOUSE_INLINE bool may_pass(errc code) noexcept {
  return code == errc::throttled || code == errc::unavailable || code == errc::conflict;
}

// Not the same for two objects, nor for one in two processes.
DORMOUSE_INLINE std::uint64_t seed_of_its_own(const void* object) noexcept {
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  return random_source(static_cast<std::uint64_t>(now) ^ reinterpret_cast<std::uintptr_t>(object)).next();
}

DORMOUSE_INLINE retries::retries(const clock& time, retrying_options options)
    : time_(time),
      options_(checked(std::move(options))),
      random_(options_.seed != 0 ? options_.seed : seed_of_its_own(this)) {}

DORMOUSE_INLINE std::chrono::nanoseconds retries::next_delay(const progress& at, const failure& why) {
  auto most = std::min(options_.delay_first, options_.delay_max);
  for (std::size_t i = 1; i < at.attempts && most < options_.delay_max; ++i)
    most = std::min(2 * most, options_.delay_max);
  const auto drawn = static_cast<std::int64_t>(random_.fraction() * static_cast<double>(most.count()));
  return std::max<std::chrono::nanoseconds>(std::chrono::nanoseconds{drawn}, why.retry_after);
}

DORMOUSE_INLINE bool retries::waits_for_next(progress& at, const forwarded_call& what, const failure& why) {
  if (what.again == repetition::never || ++at.attempts >= options_.attempts_max || !may_pass(why.code)) return false;
  const bool harmless = what.again == repetition::always || why.effect == effect_kind::not_applied;
  if (!harmless && (what.again != repetition::with_token || why.effect == effect_kind::applied)) return false;
  const auto delay = next_delay(at, why);
  if (delay > options_.wait_max - at.waited) return false;
  const auto until = time_.now() + delay;
  if (what.deadline && until >= *what.deadline) return false;
  const auto token_age_max = std::min(options_.token_age_max, what.token_age_max);
  if (what.again == repetition::with_token && until - at.begun > token_age_max) return false;
  if (delay.count() > 0 && !wait(until)) return false;
  at.waited += delay;
  // relaxed: see repeated().
  repeated_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

DORMOUSE_INLINE bool retries::wait(clock::time_point until) {
  if (options_.wait) return options_.wait(until);
  block_until(time_, until);
  return true;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
