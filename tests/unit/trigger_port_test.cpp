// SPDX-License-Identifier: MIT
// What a trigger may do with trigger_port::submit(): events for one attempt each, whose end it is told.

#include "support/catch.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/testing/manual_clock.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::manual_clock;
using strings = std::vector<std::string>;

namespace {

// Lets the test use the port.
class open_trigger final : public trigger {
 public:
  open_trigger(trigger_port*& port, int& wakes, std::function<void()> at_stop)
      : port_(port), wakes_(wakes), at_stop_(std::move(at_stop)) {}
  result<void> start(trigger_port& port) override {
    port_ = &port;
    return {};
  }
  void wake() override { ++wakes_; }
  void stop() noexcept override {
    if (at_stop_) at_stop_();
  }

 private:
  trigger_port*& port_;
  int& wakes_;
  std::function<void()> at_stop_;
};

// A host without threads, a function that notes what it is given, and a trigger that is the test itself.
struct scene {
  manual_clock time{};
  strings run{};
  strings ends{};  // "name: reply" or "name: failure"
  std::function<result<std::string>(const event&)> then{};
  trigger_port* port = nullptr;
  int wakes = 0;
  std::function<void()> at_stop{};
  runtime host{{.time = &time, .drive = drive_mode::host}};
  handle<std::string(const event&)> work;
  binding bound{};

  class noting final : public reply_receiver {
   public:
    noting(scene& of, std::string name) : of_(of), name_(std::move(name)) {}
    void ended(result<reply>&& outcome) noexcept override {
      of_.ends.push_back(name_ + ": " + (outcome ? std::string(outcome->text()) : to_string(outcome.error())));
    }

   private:
    scene& of_;
    const std::string name_;
  };

  explicit scene(const function_options& options = {})
      : work(host.define<std::string(const event&)>(
            "work",
            [this](const event& given) -> result<std::string> {
              run.push_back(given.id);
              return then ? then(given) : "done";
            },
            options)) {
    bound = host.attach(std::make_unique<open_trigger>(port, wakes, [this] { at_stop ? at_stop() : void(); }), work)
                .value();
  }
  result<void> submit(const std::string& name, std::string data = {}) {
    return port->submit({.type = "test", .id = name, .data = std::move(data)}, std::make_shared<noting>(*this, name));
  }
};

}  // namespace

TEST_CASE("a submitted event runs once, and its receiver is told the reply", "[trigger_port]") {
  scene all;
  std::weak_ptr<reply_receiver> told;
  {
    const auto receiver = std::make_shared<scene::noting>(all, "a");
    told = receiver;
    REQUIRE(all.port->submit({.type = "test", .id = "a"}, receiver));
  }
  CHECK(all.ends.empty());
  all.host.poll();
  CHECK(all.run == strings{"a"});
  CHECK(all.ends == strings{"a: done"});
  CHECK(told.expired());
  CHECK(all.host.stats().queued == 0);
}

TEST_CASE("a submitted event that fails or throws is told so, is not repeated, and is no dead letter",
          "[trigger_port]") {
  const bool throws = GENERATE(true, false);
  scene all({.retry = {.attempts_max = 5, .delay_first = 1ms}});
  all.then = [&](const event&) -> result<std::string> {
    if (throws) throw std::runtime_error("broken");
    return failure{.code = errc::conflict, .detail = "broken"};
  };
  REQUIRE(all.submit("a"));
  for (int i = 0; i < 10; ++i) {
    all.host.poll();
    all.time.advance(10s);
  }
  CHECK(all.run == strings{"a"});
  REQUIRE(all.ends.size() == 1);
  CHECK(all.ends[0].find("a: function_failed") == 0);
  CHECK(all.ends[0].find("broken") != std::string::npos);
  CHECK(all.host.dead_letters().empty());
  CHECK_FALSE(all.host.next_deadline().has_value());
}

TEST_CASE("what the queue has no room for is refused at once, and nobody is told", "[trigger_port]") {
  scene all({.queue_depth_max = 2, .queue_bytes_max = 10});
  REQUIRE(all.submit("a", "12345678"));
  const auto bytes = all.submit("b", "123");
  REQUIRE_FALSE(bytes);
  CHECK(bytes.error().code == errc::throttled);
  CHECK(bytes.error().reason == failure_reason::queue_bytes);
  CHECK(bytes.error().effect == effect_kind::not_applied);
  REQUIRE(all.submit("c"));
  CHECK(all.submit("d").error().reason == failure_reason::queue_depth);
  all.host.poll();
  CHECK(all.ends == strings{"a: done", "c: done"});
  CHECK(all.submit("e"));  // the places are free again
}

TEST_CASE("a paused function refuses what is submitted, and what it had waits", "[trigger_port]") {
  scene all;
  REQUIRE(all.submit("before"));
  all.host.pause(all.work).value();
  const auto refused = all.submit("while");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::throttled);
  CHECK(refused.error().reason == failure_reason::paused);
  all.host.poll();
  CHECK(all.run.empty());
  CHECK(all.ends.empty());
  all.host.resume(all.work).value();
  all.host.poll();
  CHECK(all.ends == strings{"before: done"});
}

TEST_CASE("take_back() ends what no handler has, of this trigger alone", "[trigger_port]") {
  scene all({.instances_max = 1});
  trigger_port* other = nullptr;
  int wakes = 0;
  all.host.attach(std::make_unique<open_trigger>(other, wakes, nullptr), all.work).value();
  all.then = [&](const event& given) -> result<std::string> {
    if (given.id == "first") all.port->take_back();
    return "done";
  };
  REQUIRE(all.submit("first"));
  for (int i = 0; i < 100; ++i) REQUIRE(all.submit("mine"));
  REQUIRE(other->submit({.type = "test", .id = "theirs"}, std::make_shared<scene::noting>(all, "theirs")));
  all.work.post(event{.type = "test", .id = "posted"}).value();
  all.host.poll();
  CHECK(all.run == strings{"first", "theirs", "posted"});
  REQUIRE(all.ends.size() == 102);
  for (std::size_t i = 0; i < 100; ++i) CHECK(all.ends[i] == "mine: cancelled, not_applied: taken back");
  CHECK(all.ends[100] == "first: done");
  CHECK(all.ends[101] == "theirs: done");
  CHECK(all.host.stats().queued == 0);
}

TEST_CASE("close() tells each receiver of what no handler has seen", "[trigger_port]") {
  scene all;
  REQUIRE(all.submit("a"));
  REQUIRE(all.submit("b"));
  all.host.pause(all.work).value();
  all.host.close(0s);
  CHECK(all.run.empty());
  REQUIRE(all.ends.size() == 2);
  CHECK(all.ends[0].find("a: shutting_down, not_applied") == 0);
  CHECK(all.ends[1].find("b: shutting_down, not_applied") == 0);
}

TEST_CASE("once it is detached a trigger submits nothing, and what it submitted is run", "[trigger_port]") {
  scene all;
  std::optional<failure> late;
  all.at_stop = [&] { late = all.submit("late").error(); };
  REQUIRE(all.submit("a"));
  CHECK(all.host.detach(all.bound));
  REQUIRE(late);
  CHECK(late->code == errc::cancelled);
  all.host.poll();
  CHECK(all.ends == strings{"a: done"});
}

TEST_CASE("undefine() tells the receivers of what waited, and later submits are not found", "[trigger_port]") {
  scene all;
  REQUIRE(all.submit("a"));
  CHECK(all.host.undefine(all.work).value() == 0);
  REQUIRE(all.ends.size() == 1);
  CHECK(all.ends[0].find("a: not_found (undefined), not_applied") == 0);
  CHECK(all.submit("b").error().code == errc::not_found);
  CHECK(all.host.dead_letters().empty());
}

TEST_CASE("undefine() inside a submitted event's handler lets it end, and its receiver is told", "[trigger_port]") {
  scene all;
  all.then = [&](const event&) -> result<std::string> {
    all.host.undefine(all.work).value();
    return "done";
  };
  REQUIRE(all.submit("a"));
  REQUIRE(all.submit("b"));
  all.host.poll();
  CHECK(all.run == strings{"a"});
  CHECK(all.ends == strings{"b: not_found (undefined), not_applied: work", "a: done"});
}

TEST_CASE("what waits while a handler is replaced gets the new one", "[trigger_port]") {
  scene all;
  all.then = [&](const event&) -> result<std::string> {
    all.host.replace(all.work, [](const event&) -> std::string { return "new"; }).value();
    return "old";
  };
  REQUIRE(all.submit("a"));
  REQUIRE(all.submit("b"));
  all.host.poll();
  CHECK(all.ends == strings{"a: old", "b: new"});
}

TEST_CASE("a submitted event counts as running until its receiver has been told", "[trigger_port]") {
  struct looking final : reply_receiver {
    explicit looking(scene& in) : of(in) {}
    void ended(result<reply>&&) noexcept override { of.ends.push_back(std::to_string(of.host.stats().queued)); }
    scene& of;
  };
  scene all;
  REQUIRE(all.port->submit({.type = "test"}, std::make_shared<looking>(all)));
  const auto queued = all.host.stats().queued;
  all.host.poll();
  CHECK(all.ends == strings{std::to_string(queued)});
}

TEST_CASE("while inits are spaced a submitted event waits, and is told nothing", "[trigger_port]") {
  manual_clock time;
  runtime host({.time = &time, .drive = drive_mode::host});
  bool broken = true;
  int runs = 0;
  struct instance {
    int& count;
    int operator()(const event&) { return ++count; }
  };
  auto work = host.define<int(const event&)>("work", per_instance([&]() -> instance {
                                               if (broken) throw std::runtime_error("no");
                                               return {runs};
                                             }));
  trigger_port* port = nullptr;
  int wakes = 0;
  host.attach(std::make_unique<open_trigger>(port, wakes, nullptr), work).value();
  struct counting final : reply_receiver {
    explicit counting(strings& to) : codes(to) {}
    void ended(result<reply>&& outcome) noexcept override {
      codes.emplace_back(outcome ? "done" : to_string(outcome.error().code));
    }
    strings& codes;
  };
  strings codes;
  for (int i = 0; i < 4; ++i) REQUIRE(port->submit({.type = "test"}, std::make_shared<counting>(codes)));
  host.poll();
  CHECK(codes == strings{"init_failed", "init_failed", "init_failed"});
  broken = false;
  for (int i = 0; i < 100 && codes.size() < 4; ++i) {
    time.advance(1s);
    host.poll();
  }
  REQUIRE(codes.size() == 4);
  CHECK(codes[3] == "done");
}

TEST_CASE("wake_at(max) takes back what was asked for", "[trigger_port]") {
  scene all;
  all.port->wake_at(all.time.now() + 1s).value();
  CHECK(all.host.next_deadline().has_value());
  all.port->wake_at(dormouse::clock::time_point::max()).value();
  CHECK_FALSE(all.host.next_deadline().has_value());
  all.time.advance(2s);
  all.host.poll();
  CHECK(all.wakes == 0);
}
