// SPDX-License-Identifier: MIT
// A lane by itself, on either protocol: every piece is run once, and then every worker goes.

#include "support/catch.hpp"

#include <dormouse/detail/lane.hpp>
#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;

namespace {
class pieces final : public detail::work_source {
 public:
  void publish(std::atomic<int>& piece) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(&piece);
  }
  void* take() override {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) return nullptr;
    void* const first = waiting_.front();
    waiting_.pop_front();
    return first;
  }
  void* run(void* piece) noexcept override {
    *static_cast<std::atomic<int>*>(piece) += 1;
    return nullptr;
  }
  void worker_ends() noexcept override {}
  bool has_work() noexcept override {
    const std::lock_guard lock(mutex_);
    return !waiting_.empty();
  }

 private:
  std::mutex mutex_{};
  std::deque<std::atomic<int>*> waiting_{};
};

// What the runtime's core is to its lanes: all that a worker stands on.
struct host {
  dormouse::clock time{};
  pieces work{};
  std::unique_ptr<detail::lane> lane{};
};
}  // namespace

TEST_CASE("a lane runs every piece once and comes to zero, with membarrier and where the kernel refuses it", "[lane]") {
  const auto protocol = GENERATE(detail::parking_protocol::symmetric, detail::parking_protocol::asymmetric);
  const auto idle = GENERATE(0us, 50us, 500us);
  const auto spin = GENERATE(0us, 20us);
  constexpr std::size_t producers = 2;
  constexpr std::size_t each = 2'000;
  auto on = std::make_shared<host>();
  on->lane = std::make_unique<detail::lane>(
      on->time, on->work,
      detail::lane_options{.workers_max = 2, .idle_timeout = idle, .spin_budget = spin, .protocol = protocol},
      [kept = std::weak_ptr(on)] { return std::shared_ptr<void>(kept.lock()); });
  std::vector<std::atomic<int>> ran(producers * each);
  std::atomic<int> faults{0};
  std::vector<std::thread> threads;
  for (std::size_t p = 0; p < producers; ++p) {
    threads.emplace_back([&, p] {
      for (std::size_t i = p * each; i < (p + 1) * each; ++i) {
        on->work.publish(ran[i]);
        if (!on->lane->notify()) ++faults;
        if (i % 4 == 0 && !eventually(10s, [&] { return ran[i] != 0; })) ++faults;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(eventually(10s, [&] { return on->lane->threads() == 0; }));
  CHECK(faults == 0);
  CHECK(on->lane->threads_started() > 0);
  for (const auto& piece : ran) faults += piece == 1 ? 0 : 1;
  CHECK(faults == 0);
  on->lane->stop();
  on->lane->wait_gone(std::chrono::steady_clock::now() + 10s);
}
