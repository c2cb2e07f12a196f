// SPDX-License-Identifier: MIT
// A runtime without a thread: the host polls it, waits for its descriptor, or drives it by waiting for something.

#include "support/catch.hpp"
#include "support/counting_memory.hpp"
#include "support/temporary_folder.hpp"
#include "support/thread_checks.hpp"
#include "support/threads.hpp"
#include "support/whole_statistics.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/runtime/executor.hpp>
#include <dormouse/testing/eventually.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/triggers/on_file.hpp>

#include <poll.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;
using dormouse::testing::manual_clock;

namespace {

runtime_options driven(const dormouse::clock* time = nullptr) { return {.time = time, .drive = drive_mode::host}; }

bool readable(int descriptor, std::chrono::milliseconds within = 0ms) {
  pollfd one{.fd = descriptor, .events = POLLIN, .revents = 0};
  return ::poll(&one, 1, static_cast<int>(within.count())) == 1;
}

}  // namespace

TEST_CASE("a whole host-driven scenario runs without a thread", "[host_driven]") {
  const std::size_t threads = support::threads_of_process();
  std::size_t most = 0;
  support::temporary_folder inbox;
  manual_clock time;
  int sum = 0;
  int ticks = 0;
  int files = 0;
  int failures = 0;
  runtime host{driven(&time)};
  const auto step = [&](std::chrono::nanoseconds by) {
    time.advance(by);
    host.poll();
    most = std::max(most, support::threads_of_process());
  };
  struct counted {
    int calls = 0;
    int operator()(int each) { return each + ++calls; }
  };
  auto work =
      host.define("work", per_instance([] { return counted{}; }), {.idle_timeout = 60s, .instances_provisioned = 1});
  auto slow = host.define("slow", [&](int each) { sum += each; }, {.kind = function_kind::blocking});
  auto flaky = host.define("flaky",
                           [&](int) -> result<void> {
                             if (++failures < 3)
                               return failure{.code = errc::unavailable, .effect = effect_kind::not_applied};
                             return {};
                           },
                           {.retry = {.jitter_percent = 0}});
  auto doomed = host.define("doomed", [](int) { throw 42; }, {.retry = {.attempts_max = 1}});
  auto tick = host.define("tick", [&] { ++ticks; });
  auto file = host.define("file", [&](const file_event&) { ++files; });
  const binding ticking = host.attach(every(1s), tick).value();
  host.attach(on_file(inbox.path()), file).value();
  step(0s);
  CHECK(host.stats().instances == 1);  // provisioned

  auto later = work.submit(1);
  for (int i = 1; i <= 100; ++i) CHECK(slow.post(i));
  CHECK(flaky.post(1));
  CHECK(doomed.post(1));
  step(0s);
  CHECK(later.value().get().value() == 2);
  CHECK(sum == 5050);
  CHECK(failures == 1);
  CHECK(host.dead_letters().size() == 1);
  for (int i = 0; i < 20; ++i) step(1s);
  CHECK(failures == 3);
  CHECK(ticks == 20);

  support::write_file(inbox / "one.txt");
  CHECK(eventually(5s, [&] {
    step(1s);
    return files == 1;
  }));
  CHECK(host.replace(slow, [&](int each) { sum -= each; }));
  CHECK(slow.post(50));
  step(0s);
  CHECK(sum == 5000);
  auto over = host.undefine(doomed, 1s);
  CHECK(over.value() == 0);
  CHECK(host.detach(ticking));
  step(120s);
  CHECK(host.stats().instances == 1);
  CHECK(host.close(1s).empty());
  CHECK(host.stats().instances == 0);
  CHECK(host.stats().threads_started == 0);
  CHECK(most == threads);
}

TEST_CASE("next_deadline is now while something is ready, then the first timer, then nothing", "[host_driven]") {
  manual_clock time;
  runtime host{driven(&time)};
  CHECK(!host.next_deadline());
  auto work = host.define("work", [](int) -> result<void> { return failure{.code = errc::unavailable}; },
                          {.retry = {.attempts_max = 2, .delay_first = 1s, .jitter_percent = 0}});
  CHECK(work.post(1));
  CHECK(host.next_deadline() == time.now());
  CHECK(host.poll() > 0);
  CHECK(host.next_deadline() == time.now() + 1s);
  time.advance(1s);
  CHECK(host.poll() > 0);
  CHECK(host.stats().dead_letters == 1);
  CHECK(!host.next_deadline());
  CHECK(host.poll() == 0);
}

TEST_CASE("the descriptor can be read when there is something to do, and only then", "[host_driven]") {
  runtime host{driven()};
  int ran = 0;
  auto work = host.define("work", [&](int) { ++ran; }, {.idle_timeout = 1h});
  const int descriptor = host.descriptor().value();
  CHECK(host.descriptor().value() == descriptor);
  CHECK(!readable(descriptor));
  CHECK(work.post(1));
  CHECK(readable(descriptor));
  host.poll();
  CHECK(ran == 1);
  CHECK(!readable(descriptor));
  std::thread other([&] { static_cast<void>(work.post(2)); });
  CHECK(readable(descriptor, 10s));
  other.join();
  host.poll();
  CHECK(ran == 2);
  CHECK(!readable(descriptor));
#if DORMOUSE_PLATFORM_LINUX
  auto bound = host.attach(every(2ms), work.name());  // refused by the handler: what counts is that it comes
  CHECK(readable(descriptor, 10s));
  host.poll();
  CHECK(host.detach(bound.value()));
  host.poll();
  CHECK(!readable(descriptor, 5ms));
#endif
}

TEST_CASE("work that does not fit into the budget is there for the next poll", "[host_driven]") {
  runtime host{driven()};
  int ran = 0;
  auto work = host.define("work", [&](int) {
    ++ran;
    const auto until = std::chrono::steady_clock::now() + 200us;
    while (std::chrono::steady_clock::now() < until) {}
  });
  for (int i = 0; i < 50; ++i) CHECK(work.post(i));
  const int descriptor = host.descriptor().value();
  host.poll(1ms);
  CHECK(ran >= 1);
  CHECK(ran < 50);
  CHECK(readable(descriptor));
  const auto next = host.next_deadline();
  CHECK(next <= host.time().now());
  int polls = 1;
  for (; host.stats().queued != 0 && polls < 1'000; ++polls) host.poll(1ms);
  CHECK(ran == 50);
  CHECK(polls >= 5);
  CHECK(host.poll(0ns) == 0);

  auto other = host.define("other", [&](int) { ++ran; });
  CHECK(work.post(1));
  CHECK(other.post(1));
  host.poll(0ns);  // one of the two
  CHECK(ran == 51);
  CHECK(readable(descriptor));
  host.poll();
  CHECK(ran == 52);
}

TEST_CASE("a thread that waits for a result drives the runtime it has made", "[host_driven]") {
  manual_clock time;
  runtime first{driven(&time)};
  runtime second{driven()};
  auto inner = second.define("inner", [](int i) { return i * 2; });
  auto work = first.define("work", [&](int i) { return inner.submit(i).value().get().value() + 1; });
  auto one = work.submit(20).value();
  auto other = inner.submit(1).value();
  CHECK(one.get().value() == 41);  // and in its handler the second is driven
  CHECK(other.get().value() == 2);
  auto waits = first.define("waits", [](int i) { return i; });
  CHECK(first.pause(waits));
  auto never = waits.submit(1).value();
  CHECK(!never.wait_until(time.now()));
  auto soon = inner.submit(5).value();
  CHECK(soon.wait_until(second.time().now() + 20s));
  CHECK(!never.ready());
}

TEST_CASE("a handler that waits for what another runs lets it run", "[host_driven]") {
  runtime host{driven()};
  std::string lineage;
  auto second = host.define("second", [&](int i, context& ctx) {
    lineage = ctx.lineage();
    return i + 1;
  });
  std::optional<pending<int>> waiting;
  bool was_ready = true;
  auto first = host.define("first", [&](int) {
    was_ready = waiting->ready();
    return waiting->wait_until(host.time().now() + 20s) ? waiting->get().value() : 0;
  });
  CHECK(host.pause(second));
  waiting = second.submit(1).value();
  host.poll();
  auto whole = first.submit(0).value();
  CHECK(host.resume(second));
  CHECK(whole.get().value() == 2);
  CHECK(!was_ready);
  CHECK(lineage == "second");  // it has not been called by the one that waits
}

TEST_CASE("one thread drives at a time, and none from inside a handler", "[host_driven]") {
  runtime host{driven()};
  std::atomic<bool> inside{false};
  std::atomic<bool> leave{false};
  std::size_t nested = 1;
  auto work = host.define("work", [&](int) {
    nested = host.poll();
    inside = true;
    while (!leave) std::this_thread::yield();
  });
  CHECK(work.post(1));
  CHECK(work.post(2));
  std::thread other([&] { host.poll(0ns); });
  REQUIRE(eventually(10s, [&] { return inside.load(); }));
  CHECK(host.poll() == 0);
  leave = true;
  other.join();
  CHECK(nested == 0);
  host.poll();
  CHECK(host.stats().queued == 0);
}

TEST_CASE("no event is lost between four producers and a loop that waits for the descriptor", "[host_driven]") {
#if defined(DORMOUSE_ADDRESS_SANITIZER) || defined(DORMOUSE_THREAD_SANITIZER)
  constexpr int each_posts = 5'000;
#else
  constexpr int each_posts = 50'000;
#endif
  support::thread_checks check;
  std::atomic<int> ran{0};
  runtime host{driven()};
  auto work = host.define("work", [&](int) { ++ran; }, {.queue_depth_max = 1'000'000});
  std::vector<std::thread> producers;
  for (int p = 0; p < 4; ++p) {
    producers.emplace_back([&] {
      for (int i = 0; i < each_posts; ++i) {
        check(work.post(i).has_value());
        if (i % 64 == 0) std::this_thread::yield();
      }
    });
  }
  // Asleep without a time limit: an event that is posted and not told would be one that nobody comes for.
  const int descriptor = host.descriptor().value();
  int stalls = 0;
  while (ran < 4 * each_posts && stalls == 0) {
    host.poll();
    if (ran < 4 * each_posts && !readable(descriptor, 20s)) ++stalls;
  }
  for (auto& each : producers) each.join();
  CHECK(stalls == 0);
  CHECK(ran == 4 * each_posts);
  CHECK(host.stats().threads_started == 0);
}

TEST_CASE("close drives what was accepted, run() drives until stop()", "[host_driven]") {
  int ran = 0;
  {
    runtime host{driven()};
    auto work = host.define("work", [&](int) { ++ran; });
    auto last = host.define("last", [&] { host.stop(); });
    for (int i = 0; i < 10; ++i) CHECK(work.post(i));
    host.attach(every(1ms), last).value();
    CHECK(host.run().value().empty());
    CHECK(ran == 10);
  }
  runtime host{driven()};
  auto work = host.define("work", [&](int) { ++ran; });
  for (int i = 0; i < 10; ++i) CHECK(work.post(i));
  std::thread other([&] { static_cast<void>(host.close(20s)); });
  other.join();
  CHECK(ran == 20);
  CHECK(!work.post(1));
  CHECK(host.close(0s).empty());
}

TEST_CASE("a signal ends a host-driven run()", "[host_driven]") {
  runtime host{driven()};
  auto work = host.define("work", [](int) { ::raise(SIGUSR1); });
  CHECK(work.post(1));
  CHECK(host.run({.stop_on = {SIGUSR1}}).value().empty());
}

TEST_CASE("what is not ended when a host-driven runtime closes gets shutting_down", "[host_driven]") {
  std::optional<pending<int>> left;
  {
    runtime host{driven()};
    auto work = host.define("work", [](int i) { return i; });
    left = work.submit(1).value();
  }
  CHECK(left->ready());
  CHECK(left->get().error().code == errc::shutting_down);
}

TEST_CASE("the same seed gives the same order, another seed another", "[host_driven][simulation]") {
  const auto order = [](std::uint64_t seed) {
    manual_clock time;
    runtime host{{.time = &time, .drive = drive_mode::host, .shuffle = true, .seed = seed}};
    std::string trace;
    std::vector<handle<void(int)>> all;
    for (char name = 'a'; name < 'h'; ++name) {
      all.push_back(host.define(std::string(1, name), [&trace, name](int) { trace += name; }));
    }
    for (int i = 0; i < 8; ++i) {
      for (auto& each : all) CHECK(each.post(i));
    }
    host.poll();
    CHECK(trace.size() == 56);
    return trace;
  };
  CHECK(order(1) == order(1));
  CHECK(order(1) != order(2));
}

TEST_CASE("memory of events of a host-driven runtime is given back once nothing is ready", "[host_driven]") {
  support::counting_memory memory;
  runtime host{{.drive = drive_mode::host, .memory = &memory}};
  auto work = host.define("work", [](int) {});
  support::make_statistics_whole(host, work, 0);
  CHECK(work.post(0));
  host.poll();
  const std::size_t at_rest = memory.bytes();
  for (int i = 0; i < 100; ++i) CHECK(work.post(i));
  CHECK(memory.bytes() > at_rest);
  host.poll();
  CHECK(memory.bytes() == at_rest);
}

TEST_CASE("what needs a thread is refused in words", "[host_driven]") {
  runtime host{driven()};
  host.define("work", [](std::string_view) {});
  auto refused = host.invoke("work", {}, {.release_at_deadline = true});
  CHECK(refused.error().code == errc::unsupported);
  CHECK_THROWS_AS((runtime{{.drive = drive_mode::host, .executor = std::make_shared<host_driven_executor>()}}),
                  std::invalid_argument);
  CHECK_THROWS_AS((runtime{{.shuffle = true}}), std::invalid_argument);
  runtime threads;
  CHECK_THROWS_AS(threads.poll(), std::invalid_argument);
  CHECK_THROWS_AS(threads.next_deadline(), std::invalid_argument);
  CHECK_THROWS_AS(threads.descriptor(), std::invalid_argument);
}
