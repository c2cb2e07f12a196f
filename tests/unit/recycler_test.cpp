// SPDX-License-Identifier: MIT
// The memory of events: none is got anew in the steady state, none is kept at zero, and it is from where the host says.

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/counting_memory.hpp"
#include "support/threads.hpp"
#include "support/whole_statistics.hpp"

#include <dormouse/detail/recycler.hpp>
#include <dormouse/runtime.hpp>
#include <dormouse/runtime/executor.hpp>
#include <dormouse/testing/eventually.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;

namespace {

// Posts `count` events, never more than `window` of them unfinished.
void post_all(const handle<void(int)>& work, const std::atomic<int>& ran, int count, int window) {
  const int before = ran;
  for (int i = 0; i < count; ++i) {
    while (i - (ran - before) >= window) std::this_thread::yield();
    if (!work.post(i)) FAIL("refused");
  }
  while (ran - before < count) std::this_thread::yield();
}

// So many calls at once, each on a worker and in an instance of its own.
struct rendezvous {
  const int count;
  std::atomic<int> inside{0};
  void meet() {
    ++inside;
    while (inside < count) std::this_thread::yield();
  }
};

}  // namespace

// ---- blocks ---------------------------------------------------------------------------------------------------------

TEST_CASE("a block has room and alignment for its item, of any size", "[recycler]") {
  support::counting_memory memory;
  {
    const detail::recycler_owner items(&detail::recycler::make(memory));
    std::vector<void*> taken;
    for (std::size_t bytes = 1; bytes < 3'000; bytes += 61) {
      for (std::size_t alignment = 1; alignment <= 4'096; alignment *= 2) {
        void* const item = items->take(bytes, alignment);
        REQUIRE(item != nullptr);
        if (reinterpret_cast<std::uintptr_t>(item) % alignment != 0) FAIL("misaligned: " << bytes << ' ' << alignment);
        std::memset(item, 0x5a, bytes);
        taken.push_back(item);
      }
    }
    CHECK(items->blocks() == taken.size());
    for (void* each : taken) detail::recycler::give(each);
    CHECK(items->blocks() == 0);
    CHECK(items->take(SIZE_MAX - 8, 8) == nullptr);
  }
  CHECK(memory.bytes() == 0);
}

TEST_CASE("what was given back is given out again, up to a bound, until it is trimmed", "[recycler]") {
  support::counting_memory memory;
  const detail::recycler_owner items(&detail::recycler::make(memory));
  const std::size_t at_rest = memory.bytes();
  const std::array<std::size_t, 3> sizes{400, 500, 700};
  std::vector<void*> taken;
  const auto take_and_give = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) taken.push_back(items->take(sizes[i % sizes.size()], 8));
    for (void* each : taken) detail::recycler::give(each);
    taken.clear();
  };
  items->keep();
  take_and_give(900);
  CHECK(items->blocks() == 900);
  const std::size_t warm = memory.allocations();
  take_and_give(900);
  CHECK(memory.allocations() == warm);

  take_and_give(100'000);
  CHECK(items->blocks() <= 3 * (64 + 2) * 16);  // of each size, behind this thread's door

  items->trim();
  CHECK(items->blocks() == 0);
  CHECK(memory.bytes() == at_rest);
  take_and_give(900);  // nobody lives to trim it again
  CHECK(items->blocks() == 0);
}

TEST_CASE("blocks that other threads have given back are used before new ones are made", "[recycler]") {
  support::counting_memory memory;
  const detail::recycler_owner items(&detail::recycler::make(memory));
  items->keep();
  std::vector<void*> taken;
  for (int i = 0; i < 30; ++i) taken.push_back(items->take(100, 8));
  for (std::size_t each : {0U, 10U, 20U}) {
    std::thread([&, each] {
      for (std::size_t i = each; i < each + 10; ++i) detail::recycler::give(taken[i]);
    }).join();
  }
  const std::size_t before = memory.allocations();
  for (void*& each : taken) each = items->take(100, 8);
  CHECK(memory.allocations() == before);
  for (void* each : taken) detail::recycler::give(each);
}

TEST_CASE("nothing is kept that is given back, or opened, beside the trim of the last worker", "[recycler][zero]") {
  support::counting_memory memory;
  const detail::recycler_owner items(&detail::recycler::make(memory));
  const std::size_t at_rest = memory.bytes();
  std::vector<void*> taken;
  const auto take = [&](int count) {
    for (int i = 0; i < count; ++i) taken.push_back(items->take(100, 8));
  };
  const auto give = [&] {
    for (void* each : std::exchange(taken, {})) detail::recycler::give(each);
  };
  items->keep();
  take(10);
  give();
  take(1);
  memory.interrupt_next(give);
  items->trim();
  CHECK(items->blocks() == 0);

  items->keep();
  take(50);
  memory.interrupt_next([&] { items->trim(); });  // as the first depot is made
  give();
  CHECK(items->blocks() == 0);
  CHECK(memory.bytes() == at_rest);
}

TEST_CASE("without memory for a depot blocks go back, none is lost", "[recycler]") {
  support::counting_memory memory;
  {
    const detail::recycler_owner items(&detail::recycler::make(memory));
    int fired = 0;
    for (long n = 0;; ++n) {
      items->keep();
      std::vector<void*> taken;
      for (int i = 0; i < 100; ++i) taken.push_back(items->take(100, 8));
      const int before = memory.failed();
      memory.fail_here(n);
      for (void* each : taken) detail::recycler::give(each);
      memory.fail_no_more();
      items->trim();
      REQUIRE(items->blocks() == 0);
      if (memory.failed() == before) break;
      ++fired;
    }
    CHECK(fired > 8);  // a depot has a block of memory for each door, and more
  }
  CHECK(memory.bytes() == 0);
}

// ---- a runtime ------------------------------------------------------------------------------------------------------

TEST_CASE("in the steady state post and submit allocate nothing, on no thread", "[recycler]") {
  if (!support::counts_allocations()) DORMOUSE_SKIP("allocations are not counted in sanitizer builds");
  const int workers = GENERATE(1, 2);
  runtime host{{.compute_workers_max = static_cast<std::size_t>(workers)}};
  std::atomic<int> ran{0};
  rendezvous first{workers};
  rendezvous second{workers};
  auto work = host.define("work", [&](int) {
    first.meet();
    ++ran;
  });
  auto twice = host.define("twice", [&](int x) {
    second.meet();
    return 2 * x;
  });
  const auto ask = [&](int count) {
    for (int i = 0; i < count; ++i) {
      auto later = twice.submit(i);
      if (!later || *later->get() != 2 * i) FAIL("no answer");
    }
  };
  for (int i = 0; i < workers; ++i) REQUIRE(twice.post(i));
  REQUIRE(eventually(10s, [&] { return host.stats().queued == 0; }));
  REQUIRE(host.pause(work));
  for (int i = 0; i < 1'000; ++i) REQUIRE(work.post(i));  // so many at once, so that there is memory for as many
  REQUIRE(host.resume(work));
  post_all(work, ran, 4'000, 200);
  ask(100);

  const std::size_t before = support::allocations_of_all_threads();
  post_all(work, ran, 20'000, 200);
  CHECK(support::allocations_of_all_threads() - before == 0);
  const std::size_t between = support::allocations_of_all_threads();
  ask(2'000);
  CHECK(support::allocations_of_all_threads() - between == 0);
}

TEST_CASE("events by name need memory of the runtime for as many as there are at once", "[recycler]") {
  support::counting_memory memory;
  runtime host{{.compute_workers_max = 1, .memory = &memory}};
  std::atomic<bool> held{true};
  host.define("work", [&](const event&) {
    while (held) std::this_thread::yield();
  });
  const auto post = [&](int count) {
    for (int i = 0; i < count; ++i) REQUIRE(host.post("work", {.type = "t"}));
  };
  post(500);
  CHECK(memory.allocations() >= 500);
  held = false;
  REQUIRE(eventually(10s, [&] { return host.stats().queued == 0; }));
  const std::size_t warm = memory.allocations();
  for (int round = 0; round < 50; ++round) {
    post(100);
    REQUIRE(eventually(10s, [&] { return host.stats().queued == 0; }));
  }
  // And once the function's histograms, if all durations had been of one bucket until then.
  CHECK(memory.allocations() <= warm + 1);
}

TEST_CASE("at zero every block has been given back, and what events leave behind is counters", "[recycler][zero]") {
  support::counting_memory memory;
  std::optional<pending<int>> kept;
  const std::size_t threads = support::threads_of_process();
  {
    runtime host{{.thread_idle_timeout = 1ms, .memory = &memory}};
    std::atomic<int> ran{0};
    std::atomic<bool> held{false};
    auto work = host.define("work",
                            [&](int) {
                              while (held) std::this_thread::yield();
                              ++ran;
                            },
                            {.idle_timeout = 1ms});
    auto one = host.define("one", [] { return 1; }, {.idle_timeout = 1ms});
    // Not what stats() says: a worker that is about to end is none, and gives the memory back then.
    const auto rests = [&] { return support::threads_of_process() == threads && host.stats().instances == 0; };
    support::make_statistics_whole(host, work, 0);
    support::make_statistics_whole(host, one);
    CHECK(one.submit()->get().value() == 1);
    post_all(work, ran, 1, 1);
    REQUIRE(eventually(10s, rests));
    const std::size_t at_rest = memory.bytes();
    for (int round = 0; round < 3; ++round) {
      kept.emplace(one.submit().value());
      held = true;  // so that there are as many at once
      ran = 0;
      for (int i = 0; i < 3'000; ++i) REQUIRE(work.post(i));
      CHECK(memory.bytes() > at_rest + 3'000 * 400);
      held = false;
      REQUIRE(eventually(10s, [&] { return ran == 3'000; }));
      REQUIRE(eventually(10s, rests));
      CHECK(memory.bytes() > at_rest);  // the reply that is kept
      CHECK(memory.bytes() < at_rest + 1'024);
      CHECK(kept->get().value() == 1);
      CHECK(memory.bytes() == at_rest);
    }
    kept.emplace(one.submit().value());
    REQUIRE(eventually(10s, [&] { return kept->ready(); }));
  }
  CHECK(memory.blocks() == 2);  // the item, and what tells it where it came from
  CHECK(kept->get().value() == 1);
  CHECK(memory.bytes() == 0);
}

TEST_CASE("on a host's pool nothing is kept once there are no events", "[recycler][zero]") {
  support::counting_memory memory;
  const auto loop = std::make_shared<host_driven_executor>();
  runtime host{{.executor = loop, .memory = &memory}};
  auto work = host.define("work", [](int) {}, {.idle_timeout = 0ns});
  const auto run = [&](int count) {
    for (int i = 0; i < count; ++i) REQUIRE(work.post(i));
    while (loop->run_ready(1'000) > 0) {}
    REQUIRE(host.stats().queued == 0);
  };
  support::make_statistics_whole(host, work, 0);
  run(1);
  const std::size_t at_rest = memory.bytes();
  run(1'000);
  CHECK(memory.bytes() == at_rest);
}

TEST_CASE("all that a runtime got from its memory it has given back when it is gone", "[recycler][memory]") {
  support::counting_memory memory;
  {
    runtime host{{.thread_idle_timeout = 0ns, .memory = &memory}};
    struct state {
      std::string text = "x";
      void operator()(int number) {
        if (number % 2 != 0) throw 1;
      }
    };
    std::vector<handle<void(int)>> all;
    for (int i = 0; i < 100; ++i) {
      all.push_back(host.define("function-" + std::to_string(i), per_instance([] { return state{}; }),
                                {.retry = {.attempts_max = 2, .delay_first = 0ns}}));
    }
    struct alignas(256) wide {
      std::array<char, 2'000> bytes{};
    };
    auto large =
        host.define("large", [](const wide& each) { return reinterpret_cast<std::uintptr_t>(&each) % 256 == 0; });
    CHECK(large.submit(wide{})->get().value());
    for (auto& each : all) {
      REQUIRE(each.post(1));
      REQUIRE(each.post(2));
      [[maybe_unused]] const auto called = each(2);
    }
    REQUIRE(eventually(10s, [&] { return host.stats().dead_letters == all.size(); }));
    REQUIRE(host.undefine(all.back()));
    REQUIRE(host.replace(all.front(), [](int) {}));
    CHECK(memory.bytes() > 100 * 64);
  }
  CHECK(memory.allocations() > 300);
  CHECK(memory.bytes() == 0);
}

TEST_CASE("when the runtime's memory fails a post fails as a whole", "[recycler][memory]") {
  support::counting_memory memory;
  int fired = 0;
  for (long n = 0;; ++n) {
    std::atomic<int> ran{0};
    const int before = memory.failed();
    {
      runtime host{{.memory = &memory}};
      auto work = host.define("work", [&ran](int) { ++ran; });
      memory.fail_here(n);
      const auto posted = work.post(1);
      memory.fail_no_more();
      if (memory.failed() != before) {
        REQUIRE(!posted);
        CHECK(posted.error().code == errc::out_of_memory);
        CHECK(posted.error().effect == effect_kind::not_applied);
      }
      CHECK(host.stats().queued <= (posted ? 1U : 0U));
      REQUIRE(work.post(2));
      const int expected = posted ? 2 : 1;
      CHECK(eventually(10s, [&] { return ran == expected && host.stats().queued == 0; }));
    }
    CHECK(memory.bytes() == 0);
    if (memory.failed() == before) break;
    ++fired;
  }
  CHECK(fired == 3);  // the event, the counters and the activity of its function
}

TEST_CASE("when the runtime's memory fails define throws, and can be called again", "[recycler][memory]") {
  support::counting_memory memory;
  int fired = 0;
  for (long n = 0;; ++n) {
    const int before = memory.failed();
    {
      runtime host{{.memory = &memory}};
      memory.fail_here(n);
      try {
        host.define("first", [](int) {});
      } catch (const std::bad_alloc&) {
        CHECK(host.stats().functions == 0);
      }
      memory.fail_no_more();
      for (int i = 0; i < 200; ++i)
        host.define("next-" + std::to_string(i), [](int x) { return x; }, {.instances_max = 2});
      if (memory.failed() != before) CHECK(host.define("first", [](int x) { return x; })(7).value() == 7);
    }
    CHECK(memory.bytes() == 0);
    if (memory.failed() == before) break;
    ++fired;
  }
  CHECK(fired >= 5);
}

TEST_CASE("a constructor whose memory fails leaves nothing", "[recycler][memory]") {
  support::counting_memory memory;
  memory.fail_here(0);
  CHECK_THROWS_AS(runtime({.memory = &memory}), std::bad_alloc);
  CHECK(memory.bytes() == 0);
}
