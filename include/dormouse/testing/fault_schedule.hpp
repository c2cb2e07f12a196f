// SPDX-License-Identifier: MIT
#pragma once

// Which fault comes next: those that were asked for, then those drawn from a seed; and how many there have been. It
// does nothing to anybody: fault_plan (testing/faults.hpp) does.
// Threads: any. Errors: std::invalid_argument for what cannot be meant.

#include <dormouse/detail/random.hpp>
#include <dormouse/failure.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <mutex>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

enum class fault : std::uint8_t {
  throttle = 0,  // a call or post through() is refused: throttled, nothing happened
  fail,          // the handler is not entered, and a failure is returned for it
  throws,        // the handler is not entered; std::runtime_error, an int and a C string are thrown in turn
  kill,          // the handler runs and does not come back in time: its outcome is lost, its instance destroyed
  delay,         // the handler runs, and takes longer
  duplicate,     // the handler runs twice with equal arguments; the first outcome, a throw included, is lost
};
inline constexpr std::size_t fault_count = 6;

[[nodiscard]] inline std::string_view to_string(fault which) noexcept {
  constexpr std::string_view names[fault_count] = {"throttle", "fail", "throws", "kill", "delay", "duplicate"};
  const auto at = static_cast<std::size_t>(which);
  return at < fault_count ? names[at] : "unknown";
}

// So many of 1,000 invocations, each drawn from the seed; all together at most 1,000.
struct fault_rates {
  unsigned throttle = 0;
  unsigned fail = 0;
  unsigned throws = 0;
  unsigned kill = 0;
  unsigned delay = 0;
  unsigned duplicate = 0;
  std::chrono::nanoseconds delayed_by{std::chrono::seconds{1}};
};

// One fault that happens now.
struct struck_fault {
  fault what = fault::fail;
  std::uint64_t number = 1;                                                    // 1 for the first of its kind
  failure why{.code = errc::unavailable, .effect = effect_kind::not_applied};  // for fail
  std::chrono::nanoseconds by{0};                                              // for delay
};

class fault_schedule {
 public:
  // The next `n`, after those of the same kind that were asked for before, and after `passed_over` occasions on which
  // they could have happened. `like` says why, or by how much.
  void add(unsigned n, struck_fault like, std::uint64_t passed_over = 0) {
    if (like.by.count() < 0) throw std::invalid_argument("dormouse: fault_plan: a delay cannot be negative");
    if (n == 0) return;
    const std::lock_guard lock(mutex_);
    waiting_[static_cast<std::size_t>(like.what)].push_back({n, std::move(like), passed_over});
  }
  // From now on, when none that was asked for is due.
  void at_random(std::uint64_t seed, const fault_rates& rates) {
    const std::array<unsigned, fault_count> all{rates.throttle, rates.fail,  rates.throws,
                                                rates.kill,     rates.delay, rates.duplicate};
    if (std::accumulate(all.begin(), all.end(), std::uint64_t{0}) > 1'000) {
      throw std::invalid_argument("dormouse: fault_rates: more than 1,000 of 1,000");
    }
    if (rates.delayed_by.count() < 0) throw std::invalid_argument("dormouse: fault_rates: a delay cannot be negative");
    const std::lock_guard lock(mutex_);
    random_.emplace(seed);
    rates_ = all;
    delayed_by_ = rates.delayed_by;
  }

  // The fault for one occasion, if any: of those that can happen on it, the first in the order of the enumeration.
  [[nodiscard]] std::optional<struck_fault> take(std::initializer_list<fault> possible) {
    const std::lock_guard lock(mutex_);
    for (const fault which : possible) {
      auto& line = waiting_[static_cast<std::size_t>(which)];
      if (line.empty()) continue;
      if (line.front().passed_over > 0) {
        --line.front().passed_over;
        continue;
      }
      struck_fault taken = line.front().like;
      if (--line.front().left == 0) line.pop_front();
      return counted(std::move(taken));
    }
    const auto drawn = draw();
    for (const fault which : possible) {
      if (drawn == which) return counted({.what = which, .by = delayed_by_});
    }
    return std::nullopt;
  }

  [[nodiscard]] std::uint64_t fired(fault which) const {
    const std::lock_guard lock(mutex_);
    return fired_[static_cast<std::size_t>(which)];
  }
  // Asked for and not happened yet.
  [[nodiscard]] std::uint64_t left(fault which) const {
    const std::lock_guard lock(mutex_);
    std::uint64_t sum = 0;
    for (const batch& each : waiting_[static_cast<std::size_t>(which)]) sum += each.left;
    return sum;
  }
  // All of those in words, "fail 2, kill 1"; empty when everything that was asked for has happened.
  [[nodiscard]] std::string unfired() const {
    std::string words;
    for (std::size_t i = 0; i < fault_count; ++i) {
      const auto which = static_cast<fault>(i);
      const std::uint64_t count = left(which);
      if (count == 0) continue;
      if (!words.empty()) words += ", ";
      words.append(to_string(which)).append(" ").append(std::to_string(count));
    }
    return words;
  }

 private:
  struct batch {
    unsigned left;
    struck_fault like;
    std::uint64_t passed_over;
  };

  [[nodiscard]] struck_fault counted(struck_fault taken) {
    taken.number = ++fired_[static_cast<std::size_t>(taken.what)];
    return taken;
  }
  // One number for each occasion, whether or not the fault is possible on it: what can happen to one occasion does not
  // change what happens to the next.
  [[nodiscard]] std::optional<fault> draw() {
    if (!random_) return std::nullopt;
    std::size_t drawn = random_->below(1'000);
    for (std::size_t which = 0; which < fault_count; ++which) {
      if (drawn < rates_[which]) return static_cast<fault>(which);
      drawn -= rates_[which];
    }
    return std::nullopt;
  }

  mutable std::mutex mutex_{};  // guards what follows
  std::array<std::deque<batch>, fault_count> waiting_{};
  std::array<std::uint64_t, fault_count> fired_{};
  std::array<unsigned, fault_count> rates_{};
  std::optional<detail::random_source> random_{};
  std::chrono::nanoseconds delayed_by_{0};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing
