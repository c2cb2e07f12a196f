// SPDX-License-Identifier: MIT
// Functions with a keep-alive policy, used by many threads while their instances come and go.

#include "support/catch.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;

namespace {

// Any plan, a new one each time.
class restless final : public keep_alive_policy {
 public:
  explicit restless(std::atomic<int>& inside) : inside_(inside) {}
  void used_after(std::chrono::nanoseconds /*idle*/) noexcept override { alone(); }
  keep_alive_plan plan() noexcept override {
    alone();
    const auto some = [this] { return std::chrono::microseconds(random_() % 200); };
    keep_alive_plan made{.keep = some()};
    if (random_() % 2 == 0) made.prewarm_after = made.keep + some();
    made.prewarm_keep = some();
    return made;
  }

 private:
  // Calls come one at a time.
  void alone() noexcept {
    if (busy_.exchange(true)) ++inside_;
    busy_ = false;
  }
  std::atomic<int>& inside_;
  std::atomic<bool> busy_{false};
  std::minstd_rand random_{1};
};

}  // namespace

TEST_CASE("instances that come and go by a policy are entered by one at a time, and all are gone in the end",
          "[keep_alive][stress]") {
#if defined(DORMOUSE_ADDRESS_SANITIZER) || defined(DORMOUSE_THREAD_SANITIZER)
  constexpr int rounds = 1'000;
#else
  constexpr int rounds = 10'000;
#endif
  std::atomic<int> existing{0};
  std::atomic<int> twice{0};
  std::atomic<int> at_once{0};
  std::atomic<int> served{0};
  struct instance {
    instance(std::atomic<int>& count, std::atomic<int>& wrong) : existing(count), twice(wrong) { ++existing; }
    ~instance() { --existing; }
    void operator()(std::atomic<int>& served) {
      if (inside.exchange(true)) ++twice;
      ++served;
      inside = false;
    }
    std::atomic<int>& existing;
    std::atomic<int>& twice;
    std::atomic<bool> inside{false};
  };
  {
    runtime host{{.thread_idle_timeout = 1ms}};
    auto work = host.define<void(int)>(
        "work", per_instance([&] {
          return [&served, state = std::make_unique<instance>(existing, twice)](int) { (*state)(served); };
        }),
        {.instances_max = 3, .idle_timeout = 1ms, .keep = keep_alive::custom([&] {
                                                    return std::make_unique<restless>(at_once);
                                                  })});
    std::vector<std::thread> users;
    for (unsigned u = 0; u < 4; ++u) {
      users.emplace_back([&, u] {
        std::minstd_rand random(u + 1);
        for (int i = 0; i < rounds; ++i) {
          if (u % 2 == 0) {
            static_cast<void>(work(i));
          } else if (!work.post(i)) {
            ++at_once;  // cannot be: the queue is long enough
          }
          const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(random() % 100);
          while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
        }
      });
    }
    for (auto& each : users) each.join();
    CHECK(eventually(20s, [&] { return served == 4 * rounds; }));
    CHECK(eventually(20s, [&] { return host.stats().instances == 0 && host.stats().threads == 0; }));
    CHECK(existing == 0);
    const auto sums = work.stats();
    CHECK(sums.prewarmed > 0);
    CHECK(sums.prewarmed_unused <= sums.prewarmed);
  }
  CHECK(twice == 0);
  CHECK(at_once == 0);
  CHECK(existing == 0);
}
