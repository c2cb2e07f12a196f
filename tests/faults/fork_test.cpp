// SPDX-License-Identifier: MIT
// The host forks while other threads are inside the library: the child is refused in words whatever it asks, may make a
// runtime of its own, and ends; the parent notices nothing.

#include "support/catch.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;

namespace {

// Runs `body` in a child; its return value is how the child ends. -1 when it hangs, or ends in another way.
template <class Body>
int in_child(const Body& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  pid_t ended = 0;
  if (!eventually(60s, [&] { return (ended = ::waitpid(child, &status, WNOHANG)) != 0; })) {
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    return -1;
  }
  return ended == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool is_refused(const failure& why) {
  return why.code == errc::unavailable && why.reason == failure_reason::forked_child &&
         why.effect == effect_kind::not_applied;
}

struct scene {
  std::unique_ptr<runtime> host = std::make_unique<runtime>();
  handle<int(int)> work = host->define("work", [](int i) { return i + 1; });
  handle<int(int)> stateful = host->define("stateful", [calls = 0](int i) mutable { return i + ++calls; });
  handle<int(std::string_view)> text = host->define("text", [](std::string_view) { return 1; });
};

// Everything a child may try with what it has inherited; 0, or the number of the first answer that is wrong.
int child_of(scene& had, std::optional<pending<int>>& unfinished) {
  runtime& host = *had.host;
  if (auto got = had.work(1); got || !is_refused(got.error())) return 1;
  if (auto got = had.stateful(1); got || !is_refused(got.error())) return 2;
  if (auto got = had.work.post(1); got || !is_refused(got.error())) return 3;
  if (auto got = had.work.submit(1); got || !is_refused(got.error())) return 4;
  if (auto got = host.invoke("text", {.data = "a"}); got || !is_refused(got.error())) return 5;
  if (auto got = host.post("text", {.data = "a"}); got || !is_refused(got.error())) return 6;
  if (auto got = host.replace(had.work, [](int i) { return i; }); got || !is_refused(got.error())) return 7;
  if (auto got = host.undefine(had.work, 1s); got || !is_refused(got.error())) return 8;
  if (auto got = host.pause(had.work); got || !is_refused(got.error())) return 9;
  if (auto got = host.attach(every(1s), "work"); got || !is_refused(got.error())) return 10;
  if (auto got = host.run(); got || !is_refused(got.error())) return 11;
  if (auto got = host.cancel({}); got || !is_refused(got.error())) return 12;
  if (!host.dead_letters().empty() || host.redrive() != 0 || host.stats().threads != 0) return 13;
  try {
    host.define("more", [] {});
    return 14;
  } catch (const std::runtime_error&) {}
  if (unfinished) {
    if (unfinished->wait_until(host.time().now() + 1h)) return 15;
    if (auto got = unfinished->get(); got || !is_refused(got.error())) return 16;
  }
  host.stop();
  if (!host.close(1s).empty()) return 17;
  had.host.reset();
  return 0;
}

// The thread sanitizer ends a child that starts threads; in the address sanitizer's such a thread waits for ever for a
// lock of the allocator if a thread of the parent had it, being started, at the fork.
#if !defined(DORMOUSE_THREAD_SANITIZER) && !defined(DORMOUSE_ADDRESS_SANITIZER)
#define DORMOUSE_CHILD_MAY_START_THREADS
#endif

#if defined(DORMOUSE_CHILD_MAY_START_THREADS)
// A runtime of the child's own, threads and all.
int new_runtime() {
  runtime fresh{{.thread_idle_timeout = 0ns}};
  auto work = fresh.define("work", [](int i) { return i * 2; });
  if (work(4).value() != 8) return 20;
  auto later = work.submit(5);
  if (!later || later->get().value() != 10) return 21;
  return fresh.close(10s).empty() ? 0 : 22;
}
#endif

}  // namespace

TEST_CASE("a forked child is refused in words, and may make a runtime of its own", "[fork]") {
  scene had;
  std::atomic<bool> hold{true};
  auto stuck = had.host->define("stuck", [&](int i) {
    while (hold) std::this_thread::yield();
    return i;
  });
  CHECK(had.stateful(1).value() == 2);
  std::optional<pending<int>> unfinished = stuck.submit(7).value();
  CHECK(in_child([&] { return child_of(had, unfinished); }) == 0);
#if defined(DORMOUSE_CHILD_MAY_START_THREADS)
  CHECK(in_child([] { return new_runtime(); }) == 0);
#endif
  hold = false;
  CHECK(unfinished->get().value() == 7);
  CHECK(had.stateful(1).value() == 3);
}

TEST_CASE("a host that forks in the midst of four busy threads loses nothing, and no child hangs", "[fork]") {
  constexpr int children = 40;
  std::atomic<bool> ending{false};
  std::atomic<int> accepted{0};
  std::atomic<int> ran{0};
  std::atomic<int> wrong{0};
  scene had;
  auto count = had.host->define("count", [&](int) { ++ran; });
  std::vector<std::thread> busy;
  for (int i = 0; i < 4; ++i) {
    busy.emplace_back([&, i] {
      while (!ending) {
        if (count.post(1)) ++accepted;
        if (i % 2 == 0 && had.work(i).value() != i + 1) ++wrong;
        if (auto later = had.stateful.submit(1); later && !later->get()) ++wrong;
      }
    });
  }
  int failed = 0;
  for (int i = 0; i < children; ++i) {
    std::optional<pending<int>> none;
    if (in_child([&] { return child_of(had, none); }) != 0) ++failed;
  }
  ending = true;
  for (auto& each : busy) each.join();
  CHECK(failed == 0);
  CHECK(wrong == 0);
  CHECK(accepted > children);
  CHECK(eventually(30s, [&] { return ran == accepted; }));
}

TEST_CASE("a forked child destroys nothing of its parent's", "[fork]") {
  struct watched {
    explicit watched(bool& flag) : destroyed(&flag) {}
    watched(const watched& other) = default;
    watched& operator=(const watched&) = default;
    ~watched() { *destroyed = true; }
    bool* destroyed;
  };
  bool destroyed = false;
  auto host = std::make_unique<runtime>();
  host->define("work", [held = watched(destroyed)](int) { static_cast<void>(held); });
  destroyed = false;
  CHECK(in_child([&] {
          host.reset();
          return destroyed ? 1 : 0;
        }) == 0);
  host.reset();
  CHECK(destroyed);
}

// Not with the address sanitizer: what it does at exit(), in a child whose other threads are gone, hangs now and then.
#if !defined(DORMOUSE_ADDRESS_SANITIZER)
TEST_CASE("a forked child that returns from main ends", "[fork]") {
  scene had;
  auto blocking = had.host->define("blocking", [](int) {}, {.kind = function_kind::blocking});
  for (int i = 0; i < 100; ++i) CHECK(blocking.post(i));
  CHECK(had.stateful(1));  // this thread keeps an instance, which its end would give back
  const pid_t child = ::fork();
  if (child == 0) {
    had.host.reset();
#if !defined(DORMOUSE_THREAD_SANITIZER)
    std::thread([] {}).join();  // whose end gives leases back
#endif
    std::exit(0);
  }
  int status = 0;
  const bool ended = eventually(60s, [&] { return ::waitpid(child, &status, WNOHANG) == child; });
  if (!ended) ::kill(child, SIGKILL);
  CHECK(ended);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
#endif
