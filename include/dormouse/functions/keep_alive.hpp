// SPDX-License-Identifier: MIT
#pragma once

// How long a function's instances are kept while nobody needs them, and when one is made before somebody does.
//
//   runtime.define("resize", resize, {.keep = keep_alive::histogram()});
//
// Without one the function's idle_timeout holds for each instance. A policy looks at the function as a whole: it is
// told whenever the function is used again after a pause, and asked for a plan whenever its last running invocation has
// ended. It replaces idle_timeout, but for instances beyond the ones in use while some are in use.
// A function with a policy keeps its idle instances in a list of its own instead of with threads: a warm call of it
// takes a lock (some 100 ns). At rest it has one timer armed while a plan has a step to come.

#include <dormouse/detail/config.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// All times count from the moment at which the function became unused. What is outside 0 .. 30 days is taken as the
// nearest that is not.
struct keep_alive_plan {
  static constexpr std::chrono::nanoseconds time_max = std::chrono::hours{24 * 30};
  // Idle instances are destroyed after so long; 0: soon.
  std::chrono::nanoseconds keep{0};
  // Then one instance is made again at this time, in the hope of being needed; empty: none. Before the end of `keep`:
  // the instances are just kept on.
  std::optional<std::chrono::nanoseconds> prewarm_after{};
  // And kept for so long.
  std::chrono::nanoseconds prewarm_keep{0};
};

// One object a function. Calls come one at a time, from any thread, under a lock of the library: they must be brief,
// neither block nor throw, and not call the runtime.
class keep_alive_policy {
 public:
  keep_alive_policy() = default;
  keep_alive_policy(const keep_alive_policy&) = delete;
  keep_alive_policy& operator=(const keep_alive_policy&) = delete;
  virtual ~keep_alive_policy() = default;

  // The function is used again; it was unused for `idle`.
  virtual void used_after(std::chrono::nanoseconds idle) noexcept = 0;
  // The function is unused from now on.
  [[nodiscard]] virtual keep_alive_plan plan() noexcept = 0;
};

// The idea of Shahrad et al., "Serverless in the Wild", USENIX ATC 2020: a histogram of the pauses between uses. When
// it says something, instances are destroyed after one bin, and one is made shortly before the earliest likely use, to
// be kept until the latest likely one. Pauses of less than a bin are not looked at, so that the rest of a burst does
// not hide what is between bursts; those beyond the range are only counted (the paper forecasts them by other means).
struct histogram_options {
  // Width of a bin, 1 ms .. 1 h, and their number, 2 .. 10,000: together the longest pause that is looked at. A bin
  // takes 4 bytes.
  std::chrono::nanoseconds bin{std::chrono::minutes{1}};
  unsigned bins = 240;
  // So many percent of the pauses are shorter than the earliest likely one, 0 .. 50, and than the latest, 50 .. 100.
  unsigned head_percent = 5;
  unsigned tail_percent = 99;
  // How much earlier and later than those, in percent of them, 0 .. 100.
  unsigned margin_percent = 10;
  // Before it has seen so many pauses, 1 .. 1,000,000,
  unsigned pauses_min = 5;
  // or while the bins' coefficient of variation is below this, 0 .. 100 (all alike: 0; all in one: about the root of
  // `bins`), or more than half of all pauses are beyond the range,
  double variation_min = 2;
  // instances are just kept for so long, 0 .. 30 days.
  std::chrono::nanoseconds otherwise{std::chrono::minutes{10}};
};

// What a function's options hold: none, or how its policy is made. Copyable; two are equal when one is a copy of the
// other.
class keep_alive {
 public:
  using factory = std::function<std::unique_ptr<keep_alive_policy>()>;

  // None: idle_timeout.
  keep_alive() = default;
  // The function as a whole is kept for `length`, 0 .. 30 days. Throws std::invalid_argument outside that.
  [[nodiscard]] static keep_alive fixed(std::chrono::nanoseconds length);
  // Throws std::invalid_argument, naming the field and its bounds, for a value outside them.
  [[nodiscard]] static keep_alive histogram(const histogram_options& options = {});
  // Your own; called once by define(), under no lock, which throws what it throws, and std::invalid_argument for null.
  [[nodiscard]] static keep_alive custom(factory make);

  [[nodiscard]] bool empty() const noexcept { return make_ == nullptr; }
  // Precondition: not empty.
  [[nodiscard]] std::unique_ptr<keep_alive_policy> make() const { return (*make_)(); }
  friend bool operator==(const keep_alive& a, const keep_alive& b) noexcept { return a.make_ == b.make_; }

 private:
  explicit keep_alive(factory make) : make_(std::make_shared<const factory>(std::move(make))) {}
  std::shared_ptr<const factory> make_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/keep_alive_policies.ipp>
#endif
