// SPDX-License-Identifier: MIT
// Handlers on threads of the host: host-driven, or on a pool that refuses, drops, keeps or delays what it was given.

#include "support/catch.hpp"
#include "support/thread_checks.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/runtime/executor.hpp>
#include <dormouse/testing/eventually.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;

namespace {

// The pool that everybody has written once.
class plain_pool {
 public:
  explicit plain_pool(std::size_t threads) {
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  }
  ~plain_pool() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    for (auto& each : threads_) each.join();
  }
  void add(std::function<void()> job) {
    {
      const std::lock_guard lock(mutex_);
      jobs_.push_back(std::move(job));
    }
    changed_.notify_one();
  }

 private:
  void work() {
    for (;;) {
      std::function<void()> job;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
        if (jobs_.empty()) return;
        job = std::move(jobs_.front());
        jobs_.pop_front();
      }
      job();
    }
  }
  std::mutex mutex_{};
  std::condition_variable changed_{};
  std::deque<std::function<void()>> jobs_{};
  bool ending_ = false;
  std::vector<std::thread> threads_{};
};

std::shared_ptr<executor> on(plain_pool& pool, std::size_t concurrency) {
  return executor_from([&pool](task work) { pool.add(std::move(work)); }, concurrency);
}

// Keeps what it is given, under a lock that it also holds while it drops everything.
class keeping_executor final : public executor {
 public:
  bool post(task work) override {
    const std::lock_guard lock(mutex_);
    kept_.push_back(std::move(work));
    ++posts_;
    return true;
  }
  [[nodiscard]] std::size_t concurrency() const noexcept override { return 1; }
  void drop_all() {
    const std::lock_guard lock(mutex_);
    kept_.clear();
  }
  [[nodiscard]] std::vector<task> take_all() {
    const std::lock_guard lock(mutex_);
    return std::exchange(kept_, {});
  }
  [[nodiscard]] int posts() const { return posts_; }

 private:
  std::mutex mutex_{};
  std::vector<task> kept_{};
  std::atomic<int> posts_{0};
};

void spin_for(std::chrono::nanoseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {}
}

}  // namespace

// ---- host-driven ----------------------------------------------------------------------------------------------------

TEST_CASE("a host-driven executor runs events in order on the thread that drives it, and nowhere else", "[executor]") {
  const auto loop = std::make_shared<host_driven_executor>();
  runtime host({.executor = loop});
  std::vector<int> order;
  bool elsewhere = false;
  const auto this_thread = std::this_thread::get_id();
  auto append = host.define("append", [&](int n) {
    elsewhere = elsewhere || std::this_thread::get_id() != this_thread;
    order.push_back(n);
  });
  for (int i = 0; i < 1'000; ++i) REQUIRE(append.post(i));
  CHECK(order.empty());
  CHECK(host.stats().threads_started == 0);
  CHECK(loop->ready() == 1);
  CHECK(loop->run_ready(1'000'000) >= 1'000 / 32);
  REQUIRE(order.size() == 1'000);
  CHECK(std::is_sorted(order.begin(), order.end()));
  CHECK_FALSE(elsewhere);
  CHECK(loop->run_ready(1) == 0);
}

TEST_CASE("a task is one quantum: run_ready and run_for give the loop back in time", "[executor][fairness]") {
  const auto loop = std::make_shared<host_driven_executor>();
  runtime host({.executor = loop});
  int served = 0;
  SECTION("by number") {
    auto work = host.define("work", [&] { ++served; });
    for (int i = 0; i < 320; ++i) REQUIRE(work.post());
    for (int before = 0; served < 320; before = served) {
      REQUIRE(loop->run_ready(1) == 1);
      CHECK(served > before);
      CHECK(served <= before + 32);
    }
  }
  SECTION("by time") {
    auto work = host.define("work", [&] {
      ++served;
      spin_for(1ms);
    });
    for (int i = 0; i < 50; ++i) REQUIRE(work.post());
    CHECK(loop->run_for(0ns) == 1);
    CHECK(served == 1);
    loop->run_for(3ms);
    CHECK(served <= 5);
    while (loop->run_for(1s) != 0) {}
    CHECK(served == 50);
  }
  SECTION("functions take turns") {
    int other_after = -1;
    auto greedy = host.define("greedy", [&] { ++served; });
    auto modest = host.define("modest", [&] { other_after = served; });
    for (int i = 0; i < 1'000; ++i) REQUIRE(greedy.post());
    REQUIRE(modest.post());
    loop->run_ready(1'000);
    CHECK(other_after >= 0);
    CHECK(other_after <= 2 * 32);
    CHECK(served == 1'000);
  }
}

TEST_CASE("a loop that does one turn for each on_work misses no event of four producers", "[executor][zero]") {
  support::thread_checks held;
  std::mutex mutex;
  std::condition_variable changed;
  int wakes = 0;
  const auto loop = std::make_shared<host_driven_executor>(host_driven_options{.on_work = [&] {
    const std::lock_guard lock(mutex);
    ++wakes;
    changed.notify_one();
  }});
  runtime host({.executor = loop});
  constexpr int each_posts = 5'000;
  int served = 0;
  auto work = host.define("work", [&] { ++served; }, {.queue_depth_max = 1'000'000});
  std::vector<std::thread> producers;
  for (int p = 0; p < 4; ++p) {
    producers.emplace_back([&] {
      for (int i = 0; i < each_posts; ++i) held(work.post().has_value());
    });
  }
  while (served < 4 * each_posts) {
    {
      std::unique_lock lock(mutex);
      REQUIRE(changed.wait_for(lock, 20s, [&] { return wakes > 0; }));  // a bound for a failing test, not a delay
      wakes = 0;
    }
    loop->run_ready(1);
  }
  for (auto& each : producers) each.join();
  CHECK(served == 4 * each_posts);
  CHECK(host.stats().queued == 0);
}

TEST_CASE("on_work is called for what comes to an empty queue, and for what a call leaves behind", "[executor]") {
  int wakes = 0;
  const auto loop = std::make_shared<host_driven_executor>(host_driven_options{.on_work = [&] { ++wakes; }});
  runtime first({.executor = loop});
  runtime second({.executor = loop});
  int served = 0;
  auto one = first.define("one", [&] { ++served; });
  auto two = second.define("two", [&] { ++served; });
  REQUIRE(one.post());
  CHECK(wakes == 1);
  REQUIRE(two.post());
  CHECK(loop->ready() == 2);
  CHECK(wakes == 1);
  CHECK(loop->run_ready(1) == 1);
  CHECK(wakes == 2);
  CHECK(loop->run_ready(1) == 1);
  CHECK(wakes == 2);
  CHECK(served == 2);
}

TEST_CASE("a loop that cannot be woken refuses, and is asked again by the next event", "[executor]") {
  bool broken = true;
  const auto loop = std::make_shared<host_driven_executor>(host_driven_options{.on_work = [&] {
    if (broken) throw std::runtime_error("no loop");
  }});
  runtime host({.executor = loop});
  int served = 0;
  auto work = host.define("work", [&] { ++served; });
  for (int i = 0; i < 3; ++i) {
    const auto refused = work.post();
    REQUIRE(!refused);
    CHECK(refused.error().reason == failure_reason::no_threads);
    CHECK(loop->ready() == 0);
  }
  broken = false;
  REQUIRE(work.post());
  loop->run_ready(10);
  CHECK(served == 1);
}

TEST_CASE("a handler may run its host's loop: what that runs is no call of the handler", "[executor][lineage]") {
  const auto loop = std::make_shared<host_driven_executor>(host_driven_options{.concurrency = 2});
  runtime host({.executor = loop});
  unsigned depth = 0;
  auto inner = host.define("inner", [&](context& ctx) { depth = ctx.depth(); });
  auto outer = host.define("outer", [&] { loop->run_ready(10); });
  REQUIRE(outer.post());
  REQUIRE(inner.post());
  loop->run_ready(1);
  CHECK(depth == 1);
}

// ---- a pool that refuses, drops, or is late -------------------------------------------------------------------------

TEST_CASE("a task that the host's pool refuses refuses its event, and nothing else", "[executor][bounds]") {
  std::function<bool(task)> behaviour = [](const task&) { return false; };
  const auto pool = executor_from([&](task work) { return behaviour(std::move(work)); }, 2);
  runtime host({.executor = pool});
  std::atomic<int> served{0};
  auto work = host.define("work", [&] { ++served; });
  task kept;
  SECTION("by saying so") {}
  SECTION("by an exception") {
    behaviour = [](const task&) -> bool { throw std::runtime_error("full"); };
  }
  SECTION("by destroying the task at once") {
    behaviour = [](const task&) { return true; };
  }
  SECTION("by running it inside post") {
    behaviour = [](const task& given) { return given(), true; };
  }
  SECTION("by an exception, but keeps the task") {
    behaviour = [&](const task& given) -> bool { kept = given, throw 1; };
  }
  const auto refused = work.post();
  REQUIRE(!refused);
  CHECK(refused.error().code == errc::unavailable);
  CHECK(refused.error().reason == failure_reason::no_threads);
  CHECK(refused.error().effect == effect_kind::not_applied);
  CHECK(work.submit().error().reason == failure_reason::no_threads);
  CHECK(host.stats().queued == 0);
  CHECK(host.stats().thread_failures == 2);
  CHECK(host.stats().threads == 0);  // nothing is left to be asked again for
  kept();
  CHECK(served == 0);
  std::vector<task> taken;
  behaviour = [&](task good) { return taken.push_back(std::move(good)), true; };
  REQUIRE(work.post());
  REQUIRE(taken.size() == 1);
  taken.front()();
  CHECK(served == 1);
}

TEST_CASE("an event that relied on a task which was then refused is offered again", "[executor][zero]") {
  plain_pool pool(1);
  std::function<void()> meanwhile;
  const auto refuses_first = executor_from(
      [&](task work) {
        if (meanwhile) return std::exchange(meanwhile, nullptr)(), false;
        pool.add(std::move(work));
        return true;
      },
      1);
  runtime host({.executor = refuses_first});
  std::atomic<int> served{0};
  auto work = host.define("work", [&](int n) { served += n; });
  bool second = false;
  meanwhile = [&] { second = work.post(10).has_value(); };
  // The first is refused, unless the task that was posted for the second has run it meanwhile.
  const int first = work.post(1) ? 1 : 0;
  REQUIRE(second);
  REQUIRE(eventually(10s, [&] { return served == 10 + first; }));
  REQUIRE(eventually(10s, [&] { return host.stats().queued == 0; }));
}

TEST_CASE("a dropped task loses no event, be it dropped under the pool's own lock", "[executor][zero]") {
  const auto pool = std::make_shared<keeping_executor>();
  runtime host({.executor = pool});
  std::atomic<int> served{0};
  auto work = host.define("work", [&] { ++served; });
  for (int i = 0; i < 10; ++i) REQUIRE(work.post());
  CHECK(pool->posts() == 1);
  for (int drops = 1; drops <= 3; ++drops) {  // again and again, and nobody posts an event
    pool->drop_all();
    REQUIRE(eventually(10s, [&] { return pool->posts() == 1 + drops; }));
  }
  CHECK(served == 0);
  for (auto tasks = pool->take_all(); !tasks.empty(); tasks = pool->take_all()) tasks.front()();
  CHECK(served == 10);
}

TEST_CASE("when the pool takes no successor, the task goes on itself", "[executor][zero]") {
  task first;
  const auto once = executor_from(
      [&](task given) {
        if (first) return false;
        first = std::move(given);
        return true;
      },
      1);
  runtime host({.executor = once});
  int served = 0;
  auto work = host.define("work", [&] { ++served; });
  for (int i = 0; i < 1'000; ++i) REQUIRE(work.post());
  first();
  CHECK(served == 1'000);
}

TEST_CASE("copies of a task run it once", "[executor]") {
  const auto pool = std::make_shared<keeping_executor>();
  runtime host({.executor = pool});
  int served = 0;
  auto work = host.define("work", [&] { ++served; });
  for (int i = 0; i < 100; ++i) REQUIRE(work.post());
  const auto tasks = pool->take_all();
  REQUIRE(tasks.size() == 1);
  tasks.front()();
  CHECK(served <= 32);
  const int once = served;
  const task copy = tasks.front();
  copy();
  CHECK(served == once);
  CHECK(pool->posts() == 2);  // the successor, for the rest
}

TEST_CASE("a task that is run or dropped after the end of its runtime does nothing", "[executor][lifecycle]") {
  const auto pool = std::make_shared<keeping_executor>();
  std::atomic<int> served{0};
  std::optional<pending<void>> later;
  {
    runtime host({.executor = pool});
    auto work = host.define("work", [&] { ++served; });
    auto got = work.submit();
    REQUIRE(got);
    later.emplace(std::move(*got));
    CHECK(pool.use_count() == 2);
  }
  CHECK(pool.use_count() == 1);
  CHECK(later->get().error().code == errc::shutting_down);
  SECTION("run") {
    for (const task& each : pool->take_all()) each();
  }
  SECTION("dropped") { pool->drop_all(); }
  CHECK(served == 0);
}

TEST_CASE("a handler that is stuck on the host's thread outlives its runtime", "[executor][lifecycle]") {
  std::atomic<bool> release{false};
  std::atomic<bool> entered{false};
  std::atomic<int> destroyed{0};
  struct counted {
    std::atomic<int>& destroyed;
    std::atomic<bool>& entered;
    std::atomic<bool>& release;
    ~counted() { ++destroyed; }
    void operator()() const {
      entered = true;
      while (!release) std::this_thread::yield();
    }
  };
  plain_pool pool(1);
  auto host = std::make_unique<runtime>(runtime_options{.executor = on(pool, 1)});
  auto hold = host->define("hold", per_instance([&] { return counted{destroyed, entered, release}; }));
  REQUIRE(hold.post());
  REQUIRE(eventually(5s, [&] { return entered.load(); }));
  REQUIRE(hold.post());
  const auto left = host->close(1ms);
  REQUIRE(left.size() == 2);
  CHECK(left[0].state == unfinished_state::queued);
  CHECK(left[1].state == unfinished_state::running);
  host.reset();
  CHECK(destroyed == 0);
  release = true;
  REQUIRE(eventually(5s, [&] { return destroyed == 1; }));
}

// ---- on a pool ------------------------------------------------------------------------------------------------------

TEST_CASE("four producers on a host's pool: no event is lost, none runs twice", "[executor][stress]") {
  support::thread_checks held;
  constexpr std::size_t each_posts = 20'000;
  const std::size_t threads = GENERATE(std::size_t{1}, std::size_t{3});
  std::vector<std::atomic<int>> ran(4 * each_posts);
  std::atomic<std::size_t> served{0};
  plain_pool pool(threads);
  runtime host({.executor = on(pool, threads)});
  auto work = host.define("work",
                          [&](std::size_t i) {
                            ++ran[i];
                            ++served;
                          },
                          {.queue_depth_max = 1'000'000});
  std::vector<std::thread> producers;
  for (std::size_t p = 0; p < 4; ++p) {
    producers.emplace_back([&, p] {
      for (std::size_t i = 0; i < each_posts; ++i) {
        held(work.post(p * each_posts + i).has_value());
        // Now and then the queue runs dry: that edge is what may lose an event.
        if (i % 64 == 0) held(eventually(20s, [&] { return host.stats().queued == 0; }));
      }
    });
  }
  for (auto& each : producers) each.join();
  REQUIRE(eventually(20s, [&] { return served == 4 * each_posts; }));
  CHECK(std::all_of(ran.begin(), ran.end(), [](const auto& each) { return each == 1; }));
  CHECK(host.close(20s).empty());
}

TEST_CASE("no more tasks work at once than the executor's concurrency", "[executor][bounds]") {
  plain_pool pool(4);
  runtime host({.executor = on(pool, 2)});
  std::atomic<int> now{0};
  std::atomic<int> most{0};
  std::atomic<int> served{0};
  auto work = host.define("work", [&] {
    const int here = ++now;
    for (int seen = most; here > seen && !most.compare_exchange_weak(seen, here);) {}
    // A second one is waited for, a third must not come while both are in here.
    static_cast<void>(eventually(served < 2 ? 5'000ms : 1ms, [&] { return now >= 2; }));
    spin_for(200us);
    --now;
    ++served;
  });
  for (int i = 0; i < 500; ++i) REQUIRE(work.post());
  REQUIRE(eventually(60s, [&] { return served == 500; }));
  CHECK(most == 2);
}

TEST_CASE("a pool's other jobs get their turn between two quanta", "[executor][fairness]") {
  plain_pool pool(1);
  runtime host({.executor = on(pool, 1)});
  std::atomic<bool> open{false};
  std::atomic<int> served{0};
  auto work = host.define("work",
                          [&] {
                            while (!open) std::this_thread::yield();
                            ++served;
                          },
                          {.queue_depth_max = 100'000});
  constexpr int events = 10'000;
  for (int i = 0; i < events; ++i) REQUIRE(work.post());
  int before = 0;  // only the pool's thread touches these two
  int most = 0;
  std::function<void()> own_job = [&] {
    const int now = served;
    most = std::max(most, now - before);
    before = now;
    if (now < events) pool.add(own_job);
  };
  pool.add(own_job);
  open = true;
  REQUIRE(eventually(20s, [&] { return served == events; }));
  CHECK(host.close(20s).empty());
  std::atomic<int> worst{-1};
  pool.add([&] { worst = most; });
  REQUIRE(eventually(20s, [&] { return worst >= 0; }));
  CHECK(worst <= 2 * 32);
}

TEST_CASE("on a pool of one thread a handler may call, and wait for what it submits", "[executor]") {
  plain_pool pool(1);
  runtime host({.executor = on(pool, 1)});
  auto inner = host.define("inner", [](int n) { return n + 1; });
  auto outer = host.define("outer", [&](int n) -> result<int> {
    auto later = inner.submit(n);  // the only thread is this one
    if (!later) return later.error();
    const auto called = inner(10);
    if (!called) return called.error();
    const auto got = later->get();
    return got ? result<int>(*got + *called) : got;
  });
  auto later = outer.submit(1);
  REQUIRE(later);
  CHECK(*later->get() == 13);
}

TEST_CASE("instances used on the host's threads are destroyed when idle, while the threads stay", "[executor][zero]") {
  plain_pool pool(2);
  runtime host({.executor = on(pool, 2)});
  std::atomic<int> served{0};
  auto work =
      host.define("work", [&served, state = 0]() mutable { served += 1 + (state++ * 0); }, {.idle_timeout = 20ms});
  for (int round = 1; round <= 3; ++round) {
    REQUIRE(work.post());
    REQUIRE(eventually(5s, [&] { return served == round; }));
    REQUIRE(eventually(5s, [&] { return host.stats().instances == 0 && host.stats().threads == 0; }));
  }
  CHECK(work.stats().cold_starts == 3);
}

TEST_CASE("a task for events that waited for an instance is posted with no lock held", "[executor]") {
  support::thread_checks held;
  plain_pool pool(1);
  std::function<void()> look;
  std::atomic<bool> may_look{false};
  const auto looking = executor_from(
      [&](task work) {
        if (may_look) look();
        pool.add(std::move(work));
      },
      1);
  runtime host({.executor = looking});
  std::atomic<bool> release{false};
  std::atomic<bool> entered{false};
  std::atomic<int> served{0};
  auto work = host.define("work",
                          [&](bool hold) {
                            entered = true;
                            while (hold && !release) std::this_thread::yield();
                            ++served;
                          },
                          {.instances_max = 1});
  look = [&] { static_cast<void>(work.stats()); };  // takes the function's lock
  std::thread caller([&] { held(work(true).has_value()); });
  REQUIRE(eventually(5s, [&] { return entered.load(); }));
  REQUIRE(work.post(false));
  // The pool's thread has found no instance, and its task has ended.
  std::atomic<bool> behind{false};
  pool.add([&] { behind = true; });
  REQUIRE(eventually(5s, [&] { return behind.load(); }));
  may_look = true;
  release = true;
  caller.join();
  REQUIRE(eventually(5s, [&] { return served == 2; }));
}

TEST_CASE("close runs what was accepted on the host's pool, and ends what it cannot wait for",
          "[executor][lifecycle]") {
  std::atomic<int> served{0};
  SECTION("a pool that works") {
    plain_pool pool(2);
    runtime host({.executor = on(pool, 2)});
    auto work = host.define("work", [&] { ++served; });
    for (int i = 0; i < 1'000; ++i) REQUIRE(work.post());
    CHECK(host.close(20s).empty());
    CHECK(served == 1'000);
    CHECK(host.stats().instances == 0);
    CHECK(work.post().error().code == errc::shutting_down);
  }
  SECTION("a loop that nobody drives") {
    const auto loop = std::make_shared<host_driven_executor>();
    runtime host({.executor = loop});
    auto work = host.define("work", [&] { ++served; });
    for (int i = 0; i < 10; ++i) REQUIRE(work.post());
    CHECK(host.close(1ms).size() == 10);
    CHECK(loop->run_ready(10) == 1);  // a stale task, which does nothing
    CHECK(served == 0);
  }
}

TEST_CASE("an executor must say how many tasks are of use", "[executor][wiring]") {
  for (const std::size_t concurrency : {std::size_t{0}, std::size_t{1'025}}) {
    const auto wrong = executor_from([](const task&) {}, concurrency);
    CHECK_THROWS_AS(runtime({.executor = wrong}), std::invalid_argument);
  }
}
