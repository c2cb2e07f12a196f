// SPDX-License-Identifier: MIT
#pragma once

// What a function keeps of invocations whose instance is gone, and of those that never had one. Made with its first
// activity, kept until the end: so it is small until there is something to count that most functions never have, or
// durations of more than one bucket. Guarded by the function's lock but for `in_hand`.

#include <dormouse/detail/keep_alive_state.hpp>
#include <dormouse/detail/memory.hpp>
#include <dormouse/functions/report.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory_resource>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// Counts that most functions never have, and whole histograms.
struct uncommon_counts : function_stats {
  // Init failures in a row, and when the next start may be tried.
  std::uint32_t init_streak = 0;
  clock::time_point next_start{};
};

class function_totals {
 public:
  enum class duration : std::uint8_t { queued, init, run };

  explicit function_totals(std::pmr::memory_resource& memory) noexcept : memory_(memory) {}
  function_totals(const function_totals&) = delete;
  function_totals& operator=(const function_totals&) = delete;
  ~function_totals() { delete_in(memory_, uncommon_); }

  std::uint64_t invocations = 0;
  std::uint64_t cold_starts = 0;
  std::chrono::nanoseconds resident{0};
  // Events that a worker holds and has not let go of: undefine() waits for them, too.
  std::atomic<std::uint32_t> in_hand{0};

  void add(duration which, std::chrono::nanoseconds value) noexcept { add(which, histogram::bucket_of(value), 1); }
  void add(duration which, const histogram& all) noexcept {
    if (uncommon_ != nullptr) return of(*uncommon_, which).add(all);
    for (std::size_t bucket = 0; bucket < histogram::bucket_count; ++bucket) {
      if (const std::uint64_t count = all.count_at(bucket); count != 0) add(which, bucket, count);
    }
  }

  // Made when there is none. Without memory for it, what is counted is lost.
  [[nodiscard]] uncommon_counts& uncommon() noexcept {
    static constinit thread_local uncommon_counts lost;
    return make_uncommon() ? *uncommon_ : lost;
  }
  // Init failures in a row.
  [[nodiscard]] std::uint32_t init_streak() const noexcept { return uncommon_ != nullptr ? uncommon_->init_streak : 0; }
  void end_init_streak() noexcept {
    if (uncommon_ != nullptr) uncommon_->init_streak = 0;
  }
  [[nodiscard]] bool has_policy() const noexcept { return uncommon_ != nullptr && uncommon_->keep.policy != nullptr; }
  // Precondition: it has a policy, or had one.
  [[nodiscard]] keep_alive_state& keep() noexcept { return uncommon_->keep; }
  // May throw bad_alloc.
  void set_policy(std::unique_ptr<keep_alive_policy> policy) {
    if (!make_uncommon()) throw std::bad_alloc{};
    uncommon_->keep.policy = std::move(policy);
  }

  [[nodiscard]] function_stats sums() const noexcept {
    function_stats all = uncommon_ != nullptr ? static_cast<const function_stats&>(*uncommon_) : function_stats{};
    all.invocations = invocations;
    all.cold_starts = cold_starts;
    all.resident = resident;
    add_lone_to(all);
    return all;
  }

 private:
  struct everything : uncommon_counts {
    keep_alive_state keep{};
  };
  static constexpr std::size_t durations = 3;

  static histogram& of(function_stats& stats, duration which) noexcept {
    return which == duration::queued ? stats.queued : which == duration::init ? stats.init : stats.run;
  }
  void add(duration which, std::size_t bucket, std::uint64_t count) noexcept {
    const auto i = static_cast<std::size_t>(which);
    const bool fits = count <= std::numeric_limits<std::uint32_t>::max() - lone_count_[i];
    const bool is_lone = uncommon_ == nullptr && fits && (lone_count_[i] == 0 || lone_bucket_[i] == bucket);
    if (!is_lone && make_uncommon()) return of(*uncommon_, which).add_to(bucket, count);
    // Without memory for the histogram, among its neighbours.
    if (lone_count_[i] == 0) lone_bucket_[i] = static_cast<std::uint8_t>(bucket);
    lone_count_[i] = fits ? lone_count_[i] + static_cast<std::uint32_t>(count) : lone_count_[i];
  }
  bool make_uncommon() noexcept {
    if (uncommon_ != nullptr) return true;
    try {
      uncommon_ = new_in<everything>(memory_);
    } catch (...) {
      return false;
    }
    add_lone_to(*uncommon_);
    lone_count_ = {};
    return true;
  }
  void add_lone_to(function_stats& stats) const noexcept {
    for (std::size_t i = 0; i < durations; ++i) {
      if (lone_count_[i] != 0) of(stats, static_cast<duration>(i)).add_to(lone_bucket_[i], lone_count_[i]);
    }
  }

  std::pmr::memory_resource& memory_;
  everything* uncommon_ = nullptr;
  // Of each kind, as long as all durations were in one bucket and there is no histogram.
  std::array<std::uint32_t, durations> lone_count_{};
  std::array<std::uint8_t, durations> lone_bucket_{};
};

static_assert(sizeof(function_totals) <= 64 && histogram::bucket_count <= 256);

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
