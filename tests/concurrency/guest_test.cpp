// SPDX-License-Identifier: MIT
// What a host may see and decide: the threads of the library, and a page about a runtime that is stuck.

#include "support/catch.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>
#include <dormouse/testing/manual_clock.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;
using dormouse::testing::manual_clock;

namespace {

std::string dumped(const runtime& host) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), &std::fclose);
  host.dump(file.get());
  std::rewind(file.get());
  std::string text;
  std::array<char, 4096> part{};
  while (const std::size_t got = std::fread(part.data(), 1, part.size(), file.get())) text.append(part.data(), got);
  return text;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("every thread of the library is made by the spawn hook, and joined", "[spawn]") {
  std::mutex mutex;
  std::multiset<std::string> names;
  std::atomic<int> alive{0};
  {
    runtime host({.spawn = [&](const char* name, std::function<void()> body) {
      const std::lock_guard lock(mutex);
      names.insert(name);
      return std::thread([&, kept = std::move(body)] {
        ++alive;
        kept();
        --alive;
      });
    }});
    auto compute = host.define("compute", [n = 0]() mutable { return ++n; }, {.idle_timeout = 1ms});
    auto wait = host.define("wait", [] {}, {.kind = function_kind::blocking});
    CHECK(compute.submit()->get());
    CHECK(wait.submit()->get());
    REQUIRE(eventually(5s, [&] {
      const std::lock_guard lock(mutex);
      return names.count("dormouse") >= 1 && names.count("dormouse-block") == 1 && names.count("dormouse-time") >= 1;
    }));
  }
  CHECK(alive == 0);
}

TEST_CASE("a spawn hook that refuses is a thread that cannot be had", "[spawn]") {
  bool refuse = true;
  runtime host({.spawn = [&](const char*, std::function<void()> body) {
    if (refuse) throw std::runtime_error("no");
    return std::thread(std::move(body));
  }});
  auto work = host.define("work", [] { return 1; });
  const auto refused = work.submit();
  REQUIRE(!refused);
  CHECK(refused.error().reason == failure_reason::no_threads);
  CHECK(host.stats().queued == 0);
  CHECK(host.stats().thread_failures == 1);
  CHECK(work());
  refuse = false;
  CHECK(work.submit()->get());
  runtime other({.spawn = [](const char*, std::function<void()>) { return std::thread(); }});
  CHECK(other.define("work", [] {}).post().error().reason == failure_reason::no_threads);
}

TEST_CASE("dump shows queues, instances and stuck handlers with their ages", "[dump]") {
  manual_clock time;
  std::atomic<bool> hold{true};
  std::atomic<int> inside{0};
  runtime host({.time = &time});
  auto stuck = host.define("stuck",
                           [&] {
                             ++inside;
                             while (hold) std::this_thread::yield();
                           },
                           {.timeout = 2s, .instances_max = 1});
  host.define("silent", [] {});
  auto failing = host.define("failing", [] { throw 1; });
  CHECK(has(dumped(host), "open, functions 3, instances 0, accepted 0"));
  REQUIRE(stuck.post());
  REQUIRE(eventually(5s, [&] { return inside == 1; }));
  REQUIRE(stuck.post());
  REQUIRE(failing.post());
  REQUIRE(eventually(5s, [&] { return failing.stats().function_failures == 1 && host.stats().queued == 3; }));
  REQUIRE(host.pause(failing));
  time.advance(500ms);
  REQUIRE(eventually(5s, [&] { return has(dumped(host), "stuck: accepted 2, queued 1, running 1, waiting 0"); }));
  const auto early = dumped(host);
  CHECK(has(early, "handler runs for 0.500 s: event"));
  CHECK(has(early, "has waited for 0.500 s"));
  CHECK(!has(early, "PAST"));
  // A lock may just be held; then the page says that.
  CHECK(eventually(5s, [&] { return has(dumped(host), "failing (paused): accepted 1, queued 0"); }));
  CHECK(!has(early, "silent"));
  time.advance(2s);
  CHECK(has(dumped(host), "handler runs for 2.500 s, PAST ITS DEADLINE"));
  hold = false;
  // The clock outlives the runtime, but not a handler that close() has not waited for.
  REQUIRE(eventually(5s, [&] { return inside == 2 && !has(dumped(host), "handler runs"); }));
}

TEST_CASE("dump waits for no lock, not even one that a handler's constructor or another dump holds", "[dump]") {
  std::atomic<bool> stop{false};
  runtime host;
  auto work = host.define("work", [n = 0]() mutable { return ++n; }, {.idle_timeout = 0ns});
  std::thread caller([&] {
    while (!stop) {
      [[maybe_unused]] const auto called = work();
      [[maybe_unused]] const auto posted = work.post();
    }
  });
  std::size_t bytes = 0;
  for (int i = 0; i < 200; ++i) bytes += dumped(host).size();
  stop = true;
  caller.join();
  CHECK(bytes > 200 * 100);
}

TEST_CASE("profile::lambda repeats after one and two minutes", "[retry]") {
  manual_clock time;
  std::atomic<unsigned> runs{0};
  runtime host({.time = &time, .status_count_max = 1});
  auto policy = profile::lambda;
  policy.jitter_percent = 0;
  auto work = host.define("work",
                          [&] {
                            ++runs;
                            throw 1;
                          },
                          {.retry = policy});
  const auto id = work.post().value().id;
  const auto waits_after = [&](unsigned attempts) {
    return eventually(5s, [&] {
      const auto now = host.status(id);
      return now->state == invocation_state::waiting && now->attempts == attempts;
    });
  };
  REQUIRE(waits_after(1));
  time.advance(59s);
  CHECK(runs == 1);
  time.advance(1s);
  REQUIRE(waits_after(2));
  time.advance(119s);
  CHECK(runs == 2);
  time.advance(1s);
  REQUIRE(eventually(5s, [&] { return host.status(id)->state == invocation_state::dead; }));
  CHECK(runs == 3);
}
