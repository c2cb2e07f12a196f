// SPDX-License-Identifier: MIT
// What on_change and on_object have in common, step by step: the log, the port and the end of each event are the
// test's.

#include "support/catch.hpp"

#include <dormouse/detail/change_feed.hpp>
#include <dormouse/testing/manual_clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::detail::change_feed;
using dormouse::detail::change_feed_options;
using dormouse::detail::change_source;
using dormouse::detail::fed_change;
using dormouse::testing::manual_clock;
using numbers = std::vector<std::uint64_t>;

namespace {

// The test's own port: what was posted stays in flight until the test lets go of it.
class held_port final : public trigger_port {
 public:
  struct flight {
    std::uint64_t number = 0;
    std::shared_ptr<void> until_over{};
  };
  result<void> post(event message, std::shared_ptr<void> until_over) override {
    ++offers;
    if (refusal) return *refusal;
    if (room == 0) return failure{.code = errc::throttled, .effect = effect_kind::not_applied};
    --room;
    flying.push_back({std::stoull(message.id), std::move(until_over)});
    given.push_back(flying.back().number);
    return {};
  }
  result<void> submit(event, std::shared_ptr<reply_receiver>) override { return {}; }
  void take_back() noexcept override {}
  result<void> wake_at(dormouse::clock::time_point when) override {
    due = when;
    return {};
  }
  bool wake_soon() noexcept override {
    if (no_thread) return false;
    soon = true;
    return true;
  }
  result<void> wake_on(int) override { return {}; }
  void forget(int) noexcept override {}
  const dormouse::clock& time() const noexcept override { return now; }
  void end(std::uint64_t number) {
    const auto found =
        std::find_if(flying.begin(), flying.end(), [&](const flight& each) { return each.number == number; });
    REQUIRE(found != flying.end());
    const auto over = std::move(*found);
    flying.erase(found);
    ++room;
  }

  manual_clock now{};
  std::size_t room = 1'000'000;
  std::optional<failure> refusal{};
  int offers = 0;
  bool no_thread = false;
  bool soon = false;
  std::optional<dormouse::clock::time_point> due{};
  std::deque<flight> flying{};
  numbers given{};
};

// What the test has done to a log, which outlives the feeds that read it.
struct kept_log {
  std::vector<std::pair<std::string, bool>> changes{};  // key, wanted; the first has number 1
  std::uint64_t dropped = 0;
  std::map<std::string, std::uint64_t, std::less<>> positions{};
  trigger_port* watcher = nullptr;
  int reads = 0;
  int writes = 0;
  std::optional<failure> broken{};
  std::function<void()> before_last{};
  std::function<void()> after_last{};
  std::function<std::optional<std::chrono::system_clock::time_point>()> expiry{};

  void change(std::string key, bool wanted = true) {
    changes.emplace_back(std::move(key), wanted);
    if (watcher != nullptr) watcher->wake_soon();
  }
};

class scripted_source final : public change_source {
 public:
  explicit scripted_source(kept_log& log) : log_(log) {}
  result<void> watch(trigger_port& port) override {
    log_.watcher = &port;
    return {};
  }
  void unwatch() noexcept override { log_.watcher = nullptr; }
  result<std::uint64_t> last_change() override {
    if (log_.before_last) std::exchange(log_.before_last, nullptr)();
    const std::uint64_t last = log_.changes.size();
    if (log_.after_last) std::exchange(log_.after_last, nullptr)();
    return last;
  }
  result<page> read(std::uint64_t after, std::size_t count, std::vector<fed_change>& wanted) override {
    ++log_.reads;
    if (log_.broken) return *log_.broken;
    if (after < log_.dropped) return failure{.code = errc::expired, .effect = effect_kind::not_applied};
    const std::uint64_t last = std::min<std::uint64_t>(after + count, log_.changes.size());
    for (std::uint64_t number = after + 1; number <= last; ++number) {
      const auto& [key, is_wanted] = log_.changes[number - 1];
      if (!is_wanted) continue;
      wanted.push_back({.sequence = number, .key = key, .message = {.type = "change", .id = std::to_string(number)}});
    }
    return page{.last = last, .more = last == after + count};
  }
  result<std::optional<std::uint64_t>> position(std::string_view reader) override {
    const auto known = log_.positions.find(reader);
    if (known == log_.positions.end()) return std::optional<std::uint64_t>{};
    return std::optional<std::uint64_t>{known->second};
  }
  result<void> remember(std::string_view reader, std::uint64_t position) override {
    ++log_.writes;
    if (log_.broken) return *log_.broken;
    log_.positions[std::string(reader)] = position;
    return {};
  }
  bool expires() const noexcept override { return log_.expiry != nullptr; }
  result<std::optional<std::chrono::system_clock::time_point>> expire() override { return log_.expiry(); }

 private:
  kept_log& log_;
};

struct stage {
  explicit stage(change_feed_options options = {}) : options_(std::move(options)) {}
  ~stage() {
    if (feed) feed->stop();
  }
  result<void> start() {
    feed.emplace(std::make_unique<scripted_source>(log), options_);
    auto started = feed->start(port);
    if (!started) feed.reset();
    return started;
  }
  void stop() {
    feed->stop();
    feed.reset();
    port.soon = false;
    port.due.reset();
  }
  // The process is gone: nothing of it is told to the log.
  void crash() {
    log.watcher = nullptr;
    auto kept = log.positions;
    feed->stop();
    log.positions = std::move(kept);
    feed.reset();
    port.flying.clear();
    port.soon = false;
    port.due.reset();
  }
  // Every wake() there is a reason for now. How many.
  int settle() {
    int wakes = 0;
    for (; port.soon || (port.due && *port.due <= port.now.now()); ++wakes) {
      REQUIRE(wakes < 10'000);
      port.soon = false;
      if (port.due && *port.due <= port.now.now()) port.due.reset();
      try {
        feed->wake();
      } catch (const std::exception&) {
        ++troubles;
      }
    }
    return wakes;
  }
  void pass(std::chrono::nanoseconds by) {
    port.now.advance(by);
    settle();
  }
  numbers taken() { return std::exchange(port.given, {}); }

  const change_feed_options options_;
  kept_log log{};
  held_port port{};
  std::optional<change_feed> feed{};
  int troubles = 0;
};

}  // namespace

TEST_CASE("changes after attach become events in their order, and nothing wakes at rest", "[change_feed]") {
  stage now;
  now.log.change("before");
  REQUIRE(now.start());
  CHECK(now.settle() == 0);
  now.log.change("a");
  now.log.change("b");
  CHECK(now.settle() == 1);
  CHECK(now.taken() == numbers{2, 3});
  now.port.end(2);
  now.port.end(3);
  now.pass(1h);
  CHECK(!now.port.soon);
  CHECK(!now.port.due);
  CHECK(now.troubles == 0);
}

TEST_CASE("the next change of a key waits for the end of the former one's event, others do not", "[change_feed]") {
  stage now;
  REQUIRE(now.start());
  for (const char* key : {"a", "a", "b", "a", "b"}) now.log.change(key);
  now.settle();
  CHECK(now.taken() == numbers{1, 3});
  now.port.end(1);
  now.settle();
  CHECK(now.taken() == numbers{2});
  now.log.change("a");
  now.settle();
  CHECK(now.taken().empty());
  now.port.end(3);
  now.port.end(2);
  now.settle();
  CHECK(now.taken() == numbers{5, 4});
  now.port.end(4);
  now.settle();
  CHECK(now.taken() == numbers{6});
}

TEST_CASE("an event that ends before its post has returned lets the next one go", "[change_feed]") {
  class swift_port final : public trigger_port {
   public:
    result<void> post(event message, std::shared_ptr<void>) override {
      given.push_back(std::stoull(message.id));
      return {};
    }
    result<void> submit(event, std::shared_ptr<reply_receiver>) override { return {}; }
    void take_back() noexcept override {}
    result<void> wake_at(dormouse::clock::time_point) override { return {}; }
    bool wake_soon() noexcept override { return soon = true; }
    result<void> wake_on(int) override { return {}; }
    void forget(int) noexcept override {}
    const dormouse::clock& time() const noexcept override { return now; }
    manual_clock now{};
    bool soon = false;
    numbers given{};
  };
  kept_log log;
  swift_port port;
  change_feed feed(std::make_unique<scripted_source>(log), {});
  REQUIRE(feed.start(port));
  for (int i = 0; i < 5; ++i) log.change("a");
  while (std::exchange(port.soon, false)) feed.wake();
  CHECK(port.given == numbers{1, 2, 3, 4, 5});
  feed.stop();
}

TEST_CASE("a change between the first look and the first wake is told, because watching comes first", "[change_feed]") {
  stage now;
  SECTION("before the look") {
    now.log.before_last = [&] { now.log.change("a"); };
    REQUIRE(now.start());
    now.settle();
    CHECK(now.taken().empty());  // it is one of those before
    now.log.change("b");
    now.settle();
    CHECK(now.taken() == numbers{2});
  }
  SECTION("after it") {
    now.log.after_last = [&] { now.log.change("a"); };
    REQUIRE(now.start());
    now.settle();
    CHECK(now.taken() == numbers{1});
  }
}

TEST_CASE("what the function's queue refuses is kept and offered again, and reading stops at a bound",
          "[change_feed]") {
  stage now({.in_flight_max = 4, .retry_after = 50ms});
  REQUIRE(now.start());
  now.port.room = 2;
  for (int i = 0; i < 10; ++i) now.log.change(std::to_string(i));
  now.settle();
  CHECK(now.taken() == numbers{1, 2});
  now.pass(49ms);
  CHECK(now.taken().empty());
  now.port.room = 1;
  now.pass(1ms);
  CHECK(now.taken() == numbers{3});
  const int reads = now.log.reads;
  now.log.change("more");
  now.settle();
  CHECK(now.log.reads == reads);  // four are held
  now.port.end(1);                // at once, not after 50 ms
  now.settle();
  CHECK(now.taken() == numbers{4});
  while (!now.port.flying.empty()) {
    now.port.end(now.port.flying.front().number);
    now.settle();
    CHECK(now.port.flying.size() <= 4);
  }
  CHECK(now.taken() == numbers{5, 6, 7, 8, 9, 10, 11});
  now.pass(1h);
  CHECK(!now.port.due);
}

TEST_CASE("a log of which little is wanted is read to its end, in turns", "[change_feed]") {
  stage now({.in_flight_max = 10});
  REQUIRE(now.start());
  for (int i = 0; i < 3'000; ++i) now.log.change("x", i == 2'900);
  CHECK(now.settle() > 1);
  CHECK(now.taken() == numbers{2'901});
}

TEST_CASE("a reader goes on behind the first change whose event is not over", "[change_feed][reader]") {
  stage now({.reader = "audit", .remember_after = 1'000ms});
  now.log.change("before");
  REQUIRE(now.start());
  CHECK(now.log.positions["audit"] == 1);
  SECTION("after a stop") {
    for (const char* key : {"a", "b", "c", "d"}) now.log.change(key);
    now.settle();
    now.port.end(2);
    now.port.end(4);
    now.stop();
    CHECK(now.log.positions["audit"] == 2);
    CHECK(now.taken() == numbers{2, 3, 4, 5});
    now.log.change("e");
    REQUIRE(now.start());
    now.settle();
    CHECK(now.taken() == numbers{3, 4, 5, 6});
  }
  SECTION("after a crash, with changes made before there was any event") {
    now.crash();
    now.log.change("a");
    REQUIRE(now.start());
    now.settle();
    CHECK(now.taken() == numbers{2});
  }
  SECTION("after a crash within the time that a position may be behind") {
    for (const char* key : {"a", "b"}) now.log.change(key);
    now.settle();
    now.port.end(2);
    now.pass(999ms);
    now.crash();
    now.taken();
    REQUIRE(now.start());
    now.settle();
    CHECK(now.taken() == numbers{2, 3});
  }
}

TEST_CASE("a position is written once for many events, and then nothing wakes any more", "[change_feed][reader]") {
  stage now({.reader = "audit", .remember_after = 1'000ms});
  REQUIRE(now.start());
  const int before = now.log.writes;
  for (int i = 0; i < 100; ++i) {
    now.log.change(std::to_string(i));
    now.settle();
    now.port.end(static_cast<std::uint64_t>(i) + 1);
    now.pass(5ms);
  }
  CHECK(now.log.writes == before);
  now.pass(1s);
  CHECK(now.log.writes == before + 1);
  CHECK(now.log.positions["audit"] == 100);
  now.log.change("x", false);  // none that is wanted: the position moves, too
  now.settle();
  now.pass(1s);
  CHECK(now.log.positions["audit"] == 101);
  now.pass(1h);
  CHECK(now.log.writes == before + 2);
  CHECK(!now.port.due);
  CHECK(!now.port.soon);
}

TEST_CASE("a position is written after a thousand events, however fast they are", "[change_feed][reader]") {
  stage now({.reader = "audit", .remember_after = 1h});
  REQUIRE(now.start());
  for (int i = 0; i < 2'500; ++i) now.log.change(std::to_string(i));
  now.settle();
  while (!now.port.flying.empty()) {
    now.port.end(now.port.flying.front().number);
    now.settle();
  }
  CHECK(now.log.positions["audit"] >= 1'000);
  CHECK(now.log.writes < 5);
}

TEST_CASE("a position that cannot be remembered is written later, and that is no secret", "[change_feed][reader]") {
  stage now({.reader = "audit", .remember_after = 100ms});
  REQUIRE(now.start());
  now.log.change("a");
  now.settle();
  now.port.end(1);
  now.settle();
  now.log.broken = failure{.code = errc::unavailable};
  now.pass(100ms);
  CHECK(now.troubles == 1);
  now.log.broken.reset();
  now.pass(100ms);
  CHECK(now.log.positions["audit"] == 1);
  CHECK(now.troubles == 1);
}

TEST_CASE("the oldest change that is kept is found wherever the log begins", "[change_feed]") {
  for (const std::uint64_t dropped : {0U, 1U, 2U, 498U, 499U, 500U}) {
    stage now({.from_oldest = true});
    for (int i = 0; i < 500; ++i) now.log.change(std::to_string(i));
    now.log.dropped = dropped;
    REQUIRE(now.start());
    now.settle();
    const auto given = now.taken();
    CHECK(given.size() == 500 - dropped);
    if (!given.empty()) CHECK(given.front() == dropped + 1);
    CHECK(now.log.reads < 20);
  }
}

TEST_CASE("a gap in the log is told, counted, and not the end", "[change_feed][gap]") {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> gaps;
  stage now({.reader = "audit", .in_flight_max = 2, .on_gap = [&](std::uint64_t after, std::uint64_t resumed) {
               gaps.emplace_back(after, resumed);
               throw 1;
             }});
  REQUIRE(now.start());
  for (int i = 0; i < 10; ++i) now.log.change(std::to_string(i));
  now.settle();
  CHECK(now.taken() == numbers{1, 2});
  now.log.dropped = 7;
  now.port.end(1);
  now.settle();
  CHECK(gaps == decltype(gaps){{2, 7}});
  CHECK(now.troubles == 1);
  CHECK(now.taken() == numbers{8});
  CHECK(now.log.positions["audit"] < 2);  // its event is not over
  now.port.end(2);
  now.settle();
  CHECK(now.taken() == numbers{9});
  now.pass(1s);
  CHECK(now.log.positions["audit"] == 7);
}

TEST_CASE("a reader whose changes are gone when it comes back has a gap as well", "[change_feed][gap]") {
  int gaps = 0;
  stage now({.reader = "audit", .on_gap = [&](std::uint64_t, std::uint64_t) { ++gaps; }});
  REQUIRE(now.start());
  now.stop();
  for (int i = 0; i < 10; ++i) now.log.change(std::to_string(i));
  now.log.dropped = 8;
  REQUIRE(now.start());
  now.settle();
  CHECK(gaps == 1);
  CHECK(now.taken() == numbers{9, 10});
}

TEST_CASE("a reader that is ahead of its log is another log's", "[change_feed][reader]") {
  stage now({.reader = "audit"});
  now.log.positions["audit"] = 5;
  const auto started = now.start();
  REQUIRE(!started);
  CHECK(started.error().code == errc::invalid_argument);
  CHECK(started.error().detail == "reader audit is at change 5, but the last one is 0: is this another store?");
  CHECK(now.log.watcher == nullptr);
}

TEST_CASE("a log that cannot be read is read later", "[change_feed]") {
  stage now({.retry_after = 50ms});
  REQUIRE(now.start());
  now.log.broken = failure{.code = errc::unavailable};
  now.log.change("a");
  now.settle();
  CHECK(now.troubles == 1);
  now.pass(50ms);
  CHECK(now.troubles == 2);
  now.log.broken.reset();
  now.pass(50ms);
  CHECK(now.taken() == numbers{1});
  now.port.end(1);
  now.pass(1h);
  CHECK(now.troubles == 2);
  CHECK(!now.port.due);
}

TEST_CASE("when the function is gone a trigger stops watching, and its reader keeps its place", "[change_feed]") {
  stage now({.reader = "audit"});
  REQUIRE(now.start());
  now.port.refusal = failure{.code = errc::not_found};
  now.log.change("a");
  now.settle();
  CHECK(now.log.watcher == nullptr);
  CHECK(!now.port.due);
  now.log.change("b");
  now.stop();
  now.port.refusal.reset();
  REQUIRE(now.start());
  now.settle();
  CHECK(now.taken() == numbers{1, 2});
}

TEST_CASE("a change that could not be told for want of a thread is seen with the next", "[change_feed]") {
  stage now;
  REQUIRE(now.start());
  now.port.no_thread = true;
  now.log.change("a");
  CHECK(now.settle() == 0);
  now.port.no_thread = false;
  now.log.change("b");
  now.settle();
  CHECK(now.taken() == numbers{1, 2});
}

TEST_CASE("an event that ended while no thread could be had is noticed at the next end", "[change_feed]") {
  stage now;
  REQUIRE(now.start());
  for (const char* key : {"a", "a", "b"}) now.log.change(key);
  now.settle();
  now.port.no_thread = true;
  now.port.end(1);
  now.port.no_thread = false;
  now.port.end(3);
  now.settle();
  CHECK(now.taken() == numbers{1, 3, 2});
}

TEST_CASE("expired items are asked for in time, and again when something was read", "[change_feed][expiry]") {
  stage now;
  std::vector<std::chrono::system_clock::time_point> expiries;
  int looks = 0;
  now.log.expiry = [&]() -> std::optional<std::chrono::system_clock::time_point> {
    ++looks;
    for (; !expiries.empty() && expiries.front() <= now.port.now.wall(); expiries.erase(expiries.begin())) {
      now.log.change("gone");
    }
    if (expiries.empty()) return std::nullopt;
    return expiries.front();
  };
  expiries = {now.port.now.wall() + 1h};
  REQUIRE(now.start());
  now.settle();
  CHECK(looks == 1);
  now.pass(59min);
  CHECK(looks == 1);
  CHECK(now.taken().empty());
  now.pass(1min);
  CHECK(now.taken() == numbers{1});
  now.port.end(1);
  expiries = {now.port.now.wall() + 10min};
  now.log.change("fresh");
  now.settle();
  CHECK(now.taken() == numbers{2});
  now.pass(10min);
  CHECK(now.taken() == numbers{3});
  looks = 0;
  now.pass(24h);
  CHECK(looks == 0);
  CHECK(!now.port.due);
}

TEST_CASE("a trigger may be stopped while its events are not over", "[change_feed]") {
  stage now({.reader = "audit"});
  REQUIRE(now.start());
  for (const char* key : {"a", "a", "b"}) now.log.change(key);
  now.settle();
  now.stop();
  now.port.flying.clear();
  CHECK(!now.port.soon);
  CHECK(now.log.positions["audit"] == 0);
}
