// SPDX-License-Identifier: MIT
// Functions with a keep-alive policy, used by many threads while their instances come and go.

#include "support/catch.hpp"
#include "support/scripted_keep_alive.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>
#include <dormouse/testing/manual_clock.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <random>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;
using dormouse::testing::manual_clock;
using support::script;
using support::scripted;

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
    made.prewarm_keep =
        random_() % 2 == 0 ? some() : std::chrono::milliseconds(50);  // so that a slow machine is in time
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
    // On a busy machine the users may have left no pause that was long enough.
    CHECK(eventually(20s, [&] {
      if (work.stats().prewarmed > 0) return true;
      static_cast<void>(work(0));
      return false;
    }));
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

TEST_CASE("an instance that took longer to make ahead than it was to be kept is not left behind",
          "[keep_alive][prewarm]") {
  manual_clock time;
  std::atomic<int> made{0};
  std::atomic<bool> hold{true};
  script told;
  told.plan = {.keep = 0s, .prewarm_after = 1min, .prewarm_keep = 1s};
  runtime host{{.time = &time}};
  auto work = host.define("work", per_instance([&] {
                            if (++made == 2) {
                              while (hold) std::this_thread::yield();
                            }
                            return [state = 0](int value) mutable { return value + state++; };
                          }),
                          {.keep = keep_alive::custom([&] { return std::make_unique<scripted>(told); })});
  const bool served = work(1).has_value();
  const bool gone = eventually(10s, [&] { return host.stats().instances == 0; });
  time.advance(1min);
  const bool begun = eventually(10s, [&] { return made == 2; });
  time.advance(2s);
  const bool fired = eventually(10s, [&] { return host.stats().threads <= 1; });  // no timer, so no timekeeper
  hold = false;
  CHECK(served);
  CHECK(gone);
  CHECK(begun);
  CHECK(fired);
  CHECK(eventually(5s, [&] { return work.stats().prewarmed_unused == 1; }));
  CHECK(eventually(5s, [&] { return host.stats().instances == 0; }));
}

TEST_CASE("a timer that fires while another takes its place does not end a pre-warming", "[keep_alive][prewarm]") {
  // The first plan's timer is taken to be fired while the second plan is being made, under the function's lock.
  struct late final : keep_alive_policy {
    explicit late(std::function<void()>& at_second) : at_second_(at_second) {}
    void used_after(std::chrono::nanoseconds /*idle*/) noexcept override {}
    keep_alive_plan plan() noexcept override {
      if (++plans_ == 1) return {.keep = 10min};
      at_second_();
      return {.keep = 0s, .prewarm_after = 5min, .prewarm_keep = 10min};
    }
    std::function<void()>& at_second_;
    int plans_ = 0;
  };
  manual_clock time;
  int made = 0;
  std::function<void()> at_second;
  std::thread driver;
  runtime host{{.time = &time, .drive = drive_mode::host}};
  auto work = host.define("work", per_instance([&] { return [state = ++made](int value) { return value + state; }; }),
                          {.keep = keep_alive::custom([&] { return std::make_unique<late>(at_second); })});
  CHECK(work(1));
  at_second = [&] {
    time.advance(2s);
    driver = std::thread([&] { host.poll(); });
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (host.next_deadline() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  };
  time.advance(10min - 1s);
  CHECK(work(1));
  driver.join();
  host.poll();
  CHECK(host.stats().instances == 0);
  time.advance(5min - 2s);
  CHECK(host.poll() == 2);  // one timer, and the making
  CHECK(host.stats().instances == 1);
  CHECK(made == 2);
}

TEST_CASE("after undefine nothing of a policy is armed, whatever is still in use", "[keep_alive]") {
  manual_clock time;
  std::atomic<int> inside{0};
  std::atomic<int> leave{0};
  runtime host{{.time = &time, .drive = drive_mode::host}};
  auto work = host.define<void(int)>("work", per_instance([&] {
                                       return [&, state = 0](int which) mutable {
                                         ++state;
                                         ++inside;
                                         while (leave < which) std::this_thread::yield();
                                       };
                                     }),
                                     {.timeout = 1h, .keep = keep_alive::fixed(30min)});
  std::thread first([&] { static_cast<void>(work(1)); });
  std::thread second([&] { static_cast<void>(work(2)); });
  const bool both = eventually(10s, [&] { return inside == 2; });
  const auto undefined = host.undefine(work, 0s);
  leave = 1;
  first.join();
  const auto armed = host.next_deadline();
  leave = 2;
  second.join();
  CHECK(both);
  CHECK(undefined);
  CHECK(!armed);
}

TEST_CASE("an instance made ahead too late, beside one in use, goes by idle_timeout", "[keep_alive][prewarm]") {
  manual_clock time;
  std::atomic<int> made{0};
  std::atomic<bool> hold{true};
  std::atomic<bool> inside{false};
  std::atomic<bool> leave{false};
  script told;
  told.plan = {.keep = 0s, .prewarm_after = 1min, .prewarm_keep = 1s};
  runtime host{{.time = &time}};
  auto work = host.define<void(bool)>(
      "work", per_instance([&] {
        if (++made == 2) {
          while (hold) std::this_thread::yield();
        }
        return [&, state = 0](bool stays) mutable {
          ++state;
          inside = stays;
          while (stays && !leave) std::this_thread::yield();
        };
      }),
      {.timeout = 1h, .init_timeout = 1h, .idle_timeout = 1min, .keep = keep_alive::custom([&] {
                                                                  return std::make_unique<scripted>(told);
                                                                })});
  const bool served = work(false).has_value();
  const bool gone = eventually(10s, [&] { return host.stats().instances == 0; });
  time.advance(1min);
  const bool begun = eventually(10s, [&] { return made == 2; });
  std::thread caller([&] { static_cast<void>(work(true)); });
  const bool entered = eventually(10s, [&] { return inside.load(); });
  time.advance(2s);
  const bool fired = eventually(10s, [&] { return host.stats().threads <= 1; });
  hold = false;
  const bool kept = eventually(10s, [&] { return work.stats().prewarmed == 1 && host.stats().threads == 2; });
  const auto before = host.stats().instances;
  time.advance(61s);
  const bool ended = eventually(5s, [&] { return host.stats().instances == 1; });
  leave = true;
  caller.join();
  CHECK(served);
  CHECK(gone);
  CHECK(begun);
  CHECK(entered);
  CHECK(fired);
  CHECK(kept);
  CHECK(before == 2);
  CHECK(ended);
  CHECK(work.stats().prewarmed_unused == 1);
}
