// SPDX-License-Identifier: MIT
// The library's workers and nothing above them: a bounded ring of arguments behind the same lock, taken 32 at a time.
// No functions, no fairness between them, no deadlines, no retries, no report. What those cost is the difference
// between this contender and the library.

#include <dormouse/detail/lane.hpp>
#include <dormouse/detail/platform/short_mutex.hpp>

#include "common/pool.hpp"
#include "common/trials.hpp"
#include "post-throughput/workload.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <thread>

namespace {

namespace detail = dormouse::detail;

class arguments final : public detail::work_source {
 public:
  explicit arguments(void (*handler)(std::uint64_t)) : handler_(handler) {}

  [[nodiscard]] bool add(std::uint64_t argument) {
    const std::lock_guard lock(mutex_);
    if (end_ - begin_ == waiting_.size()) return false;
    waiting_[end_++ % waiting_.size()] = argument;
    if (!filled_.load(std::memory_order_relaxed)) filled_.store(true, std::memory_order_relaxed);
    return true;
  }
  void* take() override {
    thread_local batch own;
    const std::lock_guard lock(mutex_);
    own.count = std::min(own.some.size(), end_ - begin_);
    for (std::size_t i = 0; i < own.count; ++i) own.some[i] = waiting_[begin_++ % waiting_.size()];
    if (begin_ == end_) filled_.store(false, std::memory_order_relaxed);
    return own.count > 0 ? &own : nullptr;
  }
  [[nodiscard]] void* run(void* piece) noexcept override {
    const batch& taken = *static_cast<batch*>(piece);
    for (std::size_t i = 0; i < taken.count; ++i) handler_(taken.some[i]);
    return nullptr;
  }
  void worker_ends() noexcept override {}
  bool has_work() noexcept override {
    const std::lock_guard lock(mutex_);
    return begin_ != end_;
  }
  bool seems_to_have_work() noexcept override { return filled_.load(std::memory_order_relaxed); }

 private:
  struct batch {
    std::array<std::uint64_t, 32> some{};
    std::size_t count = 0;
  };
  void (*const handler_)(std::uint64_t);
  detail::short_mutex mutex_{};  // guards the next three
  std::array<std::uint64_t, 10'000> waiting_{};
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::atomic<bool> filled_{false};
};

class contender {
 public:
  static constexpr bool thread_per_call = false;
  explicit contender(const bench::pool_setup& setup)
      : source_(setup.handler),
        lane_(time_, source_, {.workers_max = setup.workers, .spin_budget = detail::spinner::budget_max},
              [] { return std::shared_ptr<void>{}; }) {}
  contender(const contender&) = delete;
  contender& operator=(const contender&) = delete;
  ~contender() {
    lane_.stop();
    lane_.wait_gone(std::chrono::steady_clock::time_point::max());
  }
  void post(std::uint64_t argument) {
    while (!source_.add(argument)) std::this_thread::yield();
    bench::require(lane_.notify(), "no worker");
  }

 private:
  const dormouse::clock time_{};
  arguments source_;
  detail::lane lane_;
};

}  // namespace

int main(int argc, char** argv) {
  return bench::run_trials(
      argc, argv,
      {{"post-throughput", "1 producer", [](double effort) { bench::post_throughput<contender>(1, effort); }},
       {"post-throughput", "2 producers", [](double effort) { bench::post_throughput<contender>(2, effort); }}});
}
