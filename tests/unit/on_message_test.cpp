// SPDX-License-Identifier: MIT
// Messages of a queue as events, on one thread and a clock that is moved.

#include "support/catch.hpp"
#include "support/probe_queue.hpp"

#include <dormouse/adapters/memory_queue.hpp>
#include <dormouse/runtime.hpp>
#include <dormouse/services/message_event.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/triggers/on_message.hpp>

#include <algorithm>
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

// A queue, and a host without threads whose only function notes the messages it is given.
struct scene {
  manual_clock time{};
  memory_queue behind;
  support::probe_queue work{behind, time};
  std::vector<event> seen{};
  std::vector<dormouse::clock::time_point> times{};
  std::function<result<void>(const event&)> then{};
  runtime host{{.time = &time, .drive = drive_mode::host}};
  handle<void(const event&)> note;
  const dormouse::clock::time_point began = time.now();

  explicit scene(const function_options& options = {}, const queue_settings& settings = {})
      : behind(memory_queue_options{.settings = settings, .time = &time}),
        note(host.define<void(const event&)>(
            "note",
            [this](const event& what) -> result<void> {
              seen.push_back(what);
              times.push_back(time.now());
              return then ? then(what) : result<void>{};
            },
            options)) {}

  binding attach(on_message_options options = {}) {
    return host.attach(on_message(work, std::move(options)), note).value();
  }
  std::string send(std::string data, std::string group = {}, std::chrono::milliseconds delay = 0ms) {
    return behind.send({.data = std::move(data), .group = std::move(group), .delay = delay}).value().id;
  }
  // To each deadline in turn.
  void pass(std::chrono::nanoseconds by) {
    const auto end = time.now() + by;
    host.poll();
    for (auto next = host.next_deadline(); next && *next <= end; next = host.next_deadline()) {
      if (*next > time.now()) time.advance(*next - time.now());
      host.poll();
    }
    if (time.now() < end) time.advance(end - time.now());
    host.poll();
  }
  strings data() const {
    strings found;
    for (const auto& each : seen) found.emplace_back(each.data.text());
    return found;
  }
  strings deliveries() const {
    strings found;
    for (const auto& each : seen) found.push_back(*find_extension(each, "deliveries"));
    return found;
  }
  std::vector<std::chrono::milliseconds> gaps() const {
    std::vector<std::chrono::milliseconds> found;
    for (std::size_t i = 1; i < times.size(); ++i) {
      found.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(times[i] - times[i - 1]));
    }
    return found;
  }
  queue_counts counts() { return behind.counts().value(); }
  bool is_empty() {
    const auto now = counts();
    return now.visible + now.waiting + now.in_flight == 0;
  }
  std::vector<dead_message> dead() { return behind.dead_letters().value().letters; }
};

failure no_engine() { return {.code = errc::unavailable, .effect = effect_kind::not_applied, .detail = "no engine"}; }

class starting_with final : public event_filter {
 public:
  explicit starting_with(std::string prefix) : prefix_(std::move(prefix)) {}
  bool matches(const event& message) const noexcept override { return message.data.text().starts_with(prefix_); }
  std::string_view text() const noexcept override { return {}; }

 private:
  const std::string prefix_;
};

std::string refusal(const std::function<void()>& wire) {
  try {
    wire();
  } catch (const std::invalid_argument& why) {
    return why.what();
  }
  return {};
}

}  // namespace

// ---- a message is an event ------------------------------------------------------------------------------------------

TEST_CASE("a message becomes the event that message_event() makes, and success acknowledges it", "[on_message]") {
  scene now;
  now.send("before");
  now.attach();
  now.pass(0s);
  CHECK(now.data() == strings{"before"});
  const auto sent =
      event_message({.type = "order.paid", .source = "shop", .id = "7", .time = now.time.wall(), .data = "x"});
  REQUIRE(now.behind.send(sent));
  now.pass(0s);
  REQUIRE(now.seen.size() == 2);
  CHECK(now.seen[1].type == "order.paid");
  CHECK(now.seen[1].id == "7");
  CHECK(now.deliveries() == strings{"1", "1"});
  CHECK(now.is_empty());
  CHECK(now.counts().dead == 0);
}

TEST_CASE("a message whose handler fails is visible again after a delay that doubles", "[on_message]") {
  scene now({.retry = {.attempts_max = 5, .delay_first = 1ms}}, {.deliveries_max = 6});
  now.then = [](const event&) -> result<void> { return failure{.code = errc::conflict, .detail = "lost"}; };
  now.attach({.retry_delay = 1s, .retry_delay_max = 5s});
  now.send("poison");
  now.pass(1h);
  CHECK(now.deliveries() == strings{"1", "2", "3", "4", "5", "6"});
  CHECK((now.gaps() == std::vector<std::chrono::milliseconds>{1s, 2s, 4s, 5s, 5s}));
  REQUIRE(now.dead().size() == 1);
  CHECK(now.dead()[0].reason == dead_letter_reason::deliveries);
  CHECK(now.dead()[0].error.find("function_failed by conflict") == 0);
  CHECK(now.dead()[0].error.find("lost") != std::string::npos);
  CHECK(now.host.dead_letters().empty());
  CHECK(now.host.stats().queued == 0);
}

TEST_CASE("a handler that throws gives the message back, and a long error is cut", "[on_message]") {
  scene now({}, {.deliveries_max = 1});
  now.then = [](const event&) -> result<void> { throw std::runtime_error(std::string(5'000, 'x')); };
  now.attach();
  now.send("poison");
  now.pass(1h);
  CHECK(now.seen.size() == 1);
  REQUIRE(now.dead().size() == 1);
  CHECK(now.dead()[0].error.find("function_failed") == 0);
  CHECK(now.dead()[0].error.size() <= queue::error_bytes_max);
  CHECK(now.dead()[0].error.size() > 100);
}

TEST_CASE("a failure's own retry_after counts when it is longer", "[on_message]") {
  scene now({}, {.deliveries_max = 3});
  now.then = [&](const event&) -> result<void> {
    return failure{.code = errc::unavailable, .retry_after = now.seen.size() == 1 ? 30s : 500ms};
  };
  now.attach({.retry_delay = 1s});
  now.send("a");
  now.pass(1h);
  CHECK((now.gaps() == std::vector<std::chrono::milliseconds>{30s, 2s}));
}

TEST_CASE("a poison message ends among the dead letters while others are served", "[on_message]") {
  scene now({}, {.deliveries_max = 3});
  now.then = [](const event& what) -> result<void> {
    if (what.data.text() == "poison") throw std::runtime_error("no");
    return {};
  };
  now.attach({.in_flight_max = 1});
  now.send("poison");
  for (int i = 0; i < 20; ++i) now.send(std::to_string(i));
  now.pass(0s);
  CHECK(now.seen.size() == 21);  // nobody waits for it
  now.pass(1h);
  CHECK(now.seen.size() == 23);
  REQUIRE(now.dead().size() == 1);
  CHECK(now.dead()[0].data.text() == "poison");
  CHECK(now.is_empty());
}

TEST_CASE("messages of one group run one after the other, a failing one before those behind it", "[on_message]") {
  scene now({}, {.deliveries_max = 2});
  now.then = [](const event& what) -> result<void> {
    if (what.data.text() == "a2") return failure{.code = errc::unavailable};
    return {};
  };
  now.attach();
  for (const char* each : {"a1", "a2", "a3", "b1", "b2"}) now.send(each, std::string(1, each[0]));
  now.pass(1h);
  strings of_a;
  strings of_b;
  for (const auto& each : now.data()) (each[0] == 'a' ? of_a : of_b).push_back(each);
  CHECK(of_a == strings{"a1", "a2", "a2", "a3"});
  CHECK(of_b == strings{"b1", "b2"});
  CHECK(now.dead().size() == 1);
}

// ---- the filter -----------------------------------------------------------------------------------------------------

TEST_CASE("what the filter does not match is told, acknowledged and gone", "[on_message][filter]") {
  const bool throws = GENERATE(false, true);
  scene now;
  strings filtered;
  now.attach({.filter = std::make_shared<starting_with>("a"), .on_filtered = [&](const queue_delivery& each) {
                filtered.emplace_back(each.data.text());
                CHECK(now.counts().in_flight != 0);  // not gone yet
                if (throws) throw std::runtime_error("no");
              }});
  for (const char* each : {"a1", "b1", "a2", "b2"}) now.send(each);
  now.pass(0s);
  CHECK(now.data() == strings{"a1", "a2"});
  CHECK(filtered == strings{"b1", "b2"});
  CHECK(now.is_empty());
  CHECK(now.counts().dead == 0);
}

TEST_CASE("a filter is asked for each message of a batch", "[on_message][filter][batch]") {
  scene now;
  std::vector<std::size_t> sizes;
  auto all = now.host.define("all", [&](const message_batch& batch) { sizes.push_back(batch.size()); });
  now.host.attach(on_message_batch(now.work, {.each = {.filter = std::make_shared<starting_with>("a")}}), all).value();
  for (const char* each : {"a1", "b1", "a2", "b2", "a3"}) now.send(each);
  now.pass(0s);
  CHECK(sizes == std::vector<std::size_t>{3});
  CHECK(now.is_empty());
}

// ---- bounds and throttles -------------------------------------------------------------------------------------------

TEST_CASE("no more than in_flight_max messages are received and not settled", "[on_message]") {
  scene now;
  std::size_t most = 0;
  now.then = [&](const event&) -> result<void> {
    most = std::max(most, now.counts().in_flight);
    return {};
  };
  now.attach({.in_flight_max = 3});
  for (int i = 0; i < 20; ++i) now.send(std::to_string(i));
  now.pass(0s);
  CHECK(now.seen.size() == 20);
  CHECK(most == 3);
}

TEST_CASE("while the function is paused messages are kept, extended, and nothing more is received", "[on_message]") {
  scene now({}, {.visibility = 10s, .deliveries_max = 1});
  now.host.pause(now.note).value();
  now.attach({.in_flight_max = 10, .retry_after = 1s});
  for (int i = 0; i < 2; ++i) now.send(std::to_string(i));
  now.pass(1s);
  for (int i = 2; i < 5; ++i) now.send(std::to_string(i));  // there would be room for them
  now.pass(10min);
  CHECK(now.seen.empty());
  CHECK(now.counts().in_flight == 2);
  CHECK(now.counts().visible == 3);
  now.host.resume(now.note).value();
  now.pass(1s);
  CHECK(now.data() == strings{"0", "1", "2", "3", "4"});
  CHECK(now.deliveries() == strings(5, "1"));
  CHECK(now.is_empty());
  CHECK(now.counts().dead == 0);
}

TEST_CASE("what a full queue refuses is kept and offered again, which costs no delivery", "[on_message]") {
  scene now({.queue_depth_max = 1}, {.deliveries_max = 1});
  now.attach({.in_flight_max = 5});
  for (int i = 0; i < 12; ++i) now.send(std::to_string(i));
  now.pass(0s);  // the end of one offers the next: no timer is needed
  CHECK(now.seen.size() == 12);
  CHECK(now.deliveries() == strings(12, "1"));
  CHECK(now.is_empty());
  CHECK(now.counts().dead == 0);
}

TEST_CASE("what was accepted before a pause waits for its end, extended", "[on_message]") {
  scene now({.instances_max = 1}, {.visibility = 10s, .deliveries_max = 1});
  now.then = [&](const event& what) -> result<void> {
    if (what.data.text() == "first") now.host.pause(now.note).value();
    return {};
  };
  now.send("first");
  now.send("second");
  now.attach();
  now.pass(0s);
  CHECK(now.data() == strings{"first"});
  const int settles = now.work.settles;
  now.pass(100s);
  CHECK(now.work.settles - settles >= 15);  // each half of 10 s
  CHECK(now.work.settles - settles <= 25);
  CHECK(now.counts().in_flight == 1);
  now.host.resume(now.note).value();
  now.pass(0s);
  CHECK(now.data() == strings{"first", "second"});
  CHECK(now.is_empty());
  CHECK(now.counts().dead == 0);
}

TEST_CASE("extensions of many messages come in one call", "[on_message]") {
  scene now({}, {.visibility = 10s});
  now.host.pause(now.note).value();
  for (int i = 0; i < 50; ++i) now.send(std::to_string(i));
  now.attach({.in_flight_max = 50, .retry_after = 1h});
  now.pass(0s);
  REQUIRE(now.counts().in_flight == 50);
  now.pass(10s);
  CHECK(now.work.settles == 2);
  CHECK(now.counts().in_flight == 50);
}

TEST_CASE("a message that others have got is not given to the function any more", "[on_message]") {
  scene now({}, {.visibility = 10s});
  now.host.pause(now.note).value();
  now.send("lost");
  now.attach();
  now.pass(0s);
  now.work.at_settle = [](const auto&) { return no_engine(); };
  now.pass(11s);
  const auto theirs = now.behind.receive();
  REQUIRE(theirs->size() == 1);
  now.work.at_settle = nullptr;
  now.pass(1s);
  now.host.resume(now.note).value();
  now.pass(1s);
  CHECK(now.seen.empty());
  CHECK(now.behind.ack((*theirs)[0].receipt));
  CHECK(now.is_empty());
}

// ---- at rest --------------------------------------------------------------------------------------------------------

TEST_CASE("at rest nothing is asked of the queue, and nothing is due", "[on_message][rest]") {
  scene now;
  now.attach();
  now.pass(0s);
  CHECK_FALSE(now.host.next_deadline().has_value());
  for (int i = 0; i < 3; ++i) {
    now.send("a");
    now.pass(0s);
    // Nothing of the trigger's: what is left is of the instance.
    const int calls = now.work.calls();
    now.pass(24h);
    CHECK(now.work.calls() == calls);
    CHECK_FALSE(now.host.next_deadline().has_value());
  }
  CHECK(now.seen.size() == 3);
}

TEST_CASE("a message that is hidden by time is waited for with one timer", "[on_message][rest]") {
  scene now;
  now.attach();
  now.pass(0s);
  now.send("late", {}, 10min);
  now.pass(0s);
  REQUIRE(now.host.next_deadline().has_value());
  CHECK(*now.host.next_deadline() == now.time.now() + 10min);
  const int receives = now.work.receives;
  now.pass(10min - 1ms);
  CHECK(now.work.receives == receives);
  CHECK(now.seen.empty());
  now.pass(1ms);
  CHECK(now.data() == strings{"late"});
}

TEST_CASE("a message that another receiver does not settle comes when its visibility has passed", "[on_message]") {
  scene now({}, {.visibility = 10s});
  now.send("a");
  REQUIRE(now.behind.receive()->size() == 1);
  now.attach();
  now.pass(9s);
  CHECK(now.seen.empty());
  now.pass(1s);
  CHECK(now.deliveries() == strings{"2"});
}

// ---- a queue that fails ---------------------------------------------------------------------------------------------

TEST_CASE("an acknowledgement that the queue cannot take is tried again, and the handler is not",
          "[on_message][faults]") {
  const bool as_a_whole = GENERATE(true, false);
  scene now;
  int failures = 3;
  if (as_a_whole) {
    now.work.at_settle = [&](const auto&) { return failures-- > 0 ? std::optional(no_engine()) : std::nullopt; };
  } else {
    now.work.at_each = [&](const auto&) { return failures-- > 0 ? std::optional(no_engine()) : std::nullopt; };
  }
  now.attach({.retry_after = 100ms});
  now.send("a");
  now.pass(299ms);
  CHECK(now.counts().in_flight == 1);
  now.pass(1ms);
  CHECK(now.is_empty());
  now.pass(1h);
  CHECK(now.seen.size() == 1);
  CHECK(now.host.stats().observer_failures == (as_a_whole ? 3 : 0));
}

TEST_CASE("a settlement is not tried again once its receipt is stale", "[on_message][faults]") {
  scene now({}, {.visibility = 10s, .deliveries_max = 1});
  now.work.at_settle = [](const auto&) { return no_engine(); };
  now.attach({.retry_after = 1s});
  now.send("a");
  now.pass(1h);
  CHECK(now.seen.size() == 1);
  CHECK(now.work.settles <= 12);
  CHECK(now.dead().size() == 1);
}

TEST_CASE("a queue that cannot be received from is asked again after retry_after", "[on_message][faults]") {
  scene now;
  int failures = 5;
  now.work.at_receive = [&] { return failures-- > 0 ? std::optional(no_engine()) : std::nullopt; };
  now.attach({.retry_after = 2s});
  now.send("a");
  now.pass(9s);
  CHECK(now.work.receives == 5);
  now.pass(1s);
  CHECK(now.data() == strings{"a"});
  CHECK(now.host.stats().observer_failures == 5);
}

TEST_CASE("a trigger that is attached under faults of every kind comes to rest", "[on_message][faults]") {
  scene now({}, {.visibility = 10s, .deliveries_max = 100});
  int calls = 0;
  now.work.at_receive = [&] { return ++calls % 3 == 0 ? std::optional(no_engine()) : std::nullopt; };
  now.work.at_settle = [&](const auto&) { return ++calls % 4 == 0 ? std::optional(no_engine()) : std::nullopt; };
  now.work.at_each = [&](const auto&) { return ++calls % 5 == 0 ? std::optional(no_engine()) : std::nullopt; };
  now.attach({.in_flight_max = 7});
  for (int i = 0; i < 200; ++i) now.send(std::to_string(i), i % 2 == 0 ? "even" : "");
  now.pass(1h);
  CHECK(now.is_empty());
  CHECK(now.seen.size() == 200);
  CHECK_FALSE(now.host.next_deadline().has_value());
}

TEST_CASE("attach() fails as the queue's watch() does", "[on_message][faults]") {
  scene now;
  now.work.at_watch = no_engine();
  const auto attached = now.host.attach(on_message(now.work), now.note);
  REQUIRE_FALSE(attached);
  CHECK(attached.error() == no_engine());
  CHECK(now.work.watchers == 0);
}

// ---- the end --------------------------------------------------------------------------------------------------------

TEST_CASE("detaching gives back what no handler has, at once", "[on_message][end]") {
  scene now({.instances_max = 1}, {.visibility = 1h});
  const bool accepted = GENERATE(true, false);
  if (!accepted) now.host.pause(now.note).value();
  now.then = [&](const event&) -> result<void> {
    now.host.pause(now.note).value();
    return {};
  };
  const auto bound = now.attach({.in_flight_max = 4});
  for (int i = 0; i < 8; ++i) now.send(std::to_string(i));
  now.pass(0s);
  CHECK(now.counts().in_flight >= 3);
  CHECK(now.host.detach(bound));
  CHECK(now.counts().in_flight == 0);
  CHECK(now.counts().visible == (accepted ? 7U : 8U));
  CHECK(now.work.watchers == 0);
  CHECK(now.host.stats().queued == 0);
  now.host.resume(now.note).value();
  now.pass(1h);
  CHECK(now.seen.size() == (accepted ? 1U : 0U));
}

TEST_CASE("what runs while its trigger is detached is settled by its end", "[on_message][end]") {
  const bool fails = GENERATE(true, false);
  scene now({}, {.visibility = 10s});
  binding bound{};
  now.then = [&](const event&) -> result<void> {
    now.time.advance(6s);
    CHECK(now.host.detach(bound));
    CHECK(now.counts().in_flight == 1);
    now.time.advance(9s);
    CHECK(now.counts().in_flight == 1);
    if (fails) return failure{.code = errc::conflict};
    return {};
  };
  bound = now.attach({.retry_delay = 1s, .in_flight_max = 1});
  now.send("a");
  now.send("b");
  now.pass(0s);
  CHECK(now.seen.size() == 1);
  CHECK(now.counts().in_flight == 0);
  CHECK(now.counts().visible == 1);
  CHECK(now.counts().waiting == (fails ? 1U : 0U));
}

TEST_CASE("close() gives back what no handler has", "[on_message][end]") {
  scene now({}, {.visibility = 1h});
  now.then = [&](const event&) -> result<void> {
    now.host.pause(now.note).value();
    return {};
  };
  now.attach();
  for (int i = 0; i < 8; ++i) now.send(std::to_string(i));
  now.pass(0s);
  CHECK(now.host.close(1s).empty());
  CHECK(now.seen.size() == 1);
  CHECK(now.counts().in_flight == 0);
  CHECK(now.counts().visible == 7);
  CHECK(now.counts().dead == 0);
}

TEST_CASE("when the function is undefined its messages are given back, and no more are received", "[on_message][end]") {
  scene now({.instances_max = 1}, {.visibility = 1h});
  now.then = [&](const event&) -> result<void> {
    now.host.undefine(now.note).value();
    return {};
  };
  now.attach({.in_flight_max = 4});
  for (int i = 0; i < 8; ++i) now.send(std::to_string(i));
  now.pass(0s);
  const int receives = now.work.receives;
  CHECK(receives == 1);  // another would have been a delivery for nothing
  CHECK(now.counts().in_flight == 0);
  CHECK(now.counts().visible == 7);
  now.send("late");
  now.pass(1h);
  CHECK(now.work.receives == receives);
  CHECK(now.work.watchers == 0);
}

// ---- batches --------------------------------------------------------------------------------------------------------

namespace {

struct batch_scene : scene {
  std::vector<strings> batches{};
  std::function<batch_outcome(const message_batch&)> then{};
  handle<batch_outcome(const message_batch&)> all =
      host.define<batch_outcome(const message_batch&)>("all", [this](const message_batch& batch) {
        auto& fresh = batches.emplace_back();
        for (const auto& each : batch) fresh.emplace_back(each.text());
        return then ? then(batch) : batch_outcome{};
      });
  using scene::scene;
  binding attach_batch(on_message_batch_options options) {
    return host.attach(on_message_batch(work, std::move(options)), all).value();
  }
  void send_many(int count) {
    for (int i = 0; i < count; ++i) send(std::to_string(i));
  }
  std::vector<std::size_t> sizes() const {
    std::vector<std::size_t> found;
    for (const auto& each : batches) found.push_back(each.size());
    return found;
  }
};
using sizes = std::vector<std::size_t>;

}  // namespace

TEST_CASE("a batch holds up to batch_max messages, and without a window it waits for no more", "[on_message][batch]") {
  batch_scene now;
  now.send_many(25);
  now.attach_batch({.batch_max = 10});
  now.pass(0s);
  CHECK(now.sizes() == sizes{10, 10, 5});
  CHECK(now.batches[2] == strings{"20", "21", "22", "23", "24"});
  CHECK(now.is_empty());
}

TEST_CASE("a batch waits for more until its window is over, from the first message on", "[on_message][batch]") {
  batch_scene now;
  now.attach_batch({.batch_max = 10, .batch_window = 5s});
  now.send_many(2);
  now.pass(3s);
  now.send_many(1);
  now.pass(2s - 1ms);
  CHECK(now.batches.empty());
  now.pass(1ms);
  CHECK(now.sizes() == sizes{3});
  now.send_many(12);
  now.pass(0s);
  CHECK(now.sizes() == sizes{3, 10});  // that is enough
  now.pass(5s);
  CHECK(now.sizes() == sizes{3, 10, 2});
  CHECK(now.is_empty());
}

TEST_CASE("a batch has no more bytes than fit, and the window is not waited for then", "[on_message][batch]") {
  batch_scene now;
  const std::string large(queue::message_bytes_max, 'x');
  const auto fit = message_batch::bytes_max / queue::message_bytes_max;
  now.attach_batch({.each = {.in_flight_max = 1}, .batch_max = 100, .batch_window = 5s});
  for (std::size_t i = 0; i < 2 * fit + 1; ++i) now.send(large);
  now.pass(0s);
  CHECK(now.sizes() == sizes{fit, fit});
  now.pass(5s);
  CHECK(now.sizes() == sizes{fit, fit, 1});
  CHECK(now.is_empty());
}

TEST_CASE("what is gathered for longer than the visibility is extended", "[on_message][batch]") {
  batch_scene now({}, {.visibility = 1s, .deliveries_max = 1});
  now.attach_batch({.batch_max = 10, .batch_window = 1min});
  now.send_many(3);
  now.pass(1min);
  CHECK(now.sizes() == sizes{3});
  CHECK(now.is_empty());
  CHECK(now.counts().dead == 0);
}

TEST_CASE("a batch has one message of a group, the next one follows", "[on_message][batch]") {
  batch_scene now;
  for (const char* each : {"a1", "a2", "b1", "a3"}) now.send(each, std::string(1, each[0]));
  now.attach_batch({.each = {.in_flight_max = 1}, .batch_max = 10});
  now.pass(0s);
  CHECK((now.batches == std::vector<strings>{{"a1", "b1"}, {"a2"}, {"a3"}}));
}

TEST_CASE("those that the outcome names are given back or dead letters, the others are acknowledged",
          "[on_message][batch]") {
  batch_scene now;
  now.then = [&](const message_batch& batch) {
    batch_outcome outcome;
    if (now.batches.size() > 1) return outcome;
    outcome.fail(batch[1], "not yet", 30s);
    outcome.reject(batch[3], "never");
    return outcome;
  };
  now.send_many(5);
  now.attach_batch({.each = {.retry_delay = 1s}, .batch_max = 5});
  now.pass(0s);
  CHECK(now.sizes() == sizes{5});
  CHECK(now.counts().waiting == 1);
  CHECK(now.counts().in_flight == 0);
  REQUIRE(now.dead().size() == 1);
  CHECK(now.dead()[0].data.text() == "3");
  CHECK(now.dead()[0].reason == dead_letter_reason::rejected);
  CHECK(now.dead()[0].error == "never");
  now.pass(30s - 1ms);
  CHECK(now.batches.size() == 1);
  now.pass(1ms);
  CHECK(now.batches[1] == strings{"1"});
  CHECK(now.is_empty());
}

TEST_CASE("a batch whose handler fails or throws is given back as a whole", "[on_message][batch]") {
  scene now({}, {.deliveries_max = 2});
  const bool throws = GENERATE(true, false);
  std::vector<std::size_t> seen;
  auto all = now.host.define("all", [&](const message_batch& batch) -> result<batch_outcome> {
    seen.push_back(batch.size());
    if (throws) throw std::runtime_error("no");
    return failure{.code = errc::conflict};
  });
  for (int i = 0; i < 3; ++i) now.send("a");
  now.host.attach(on_message_batch(now.work), all).value();
  now.pass(1h);
  CHECK(seen == sizes{3, 3});
  CHECK(now.dead().size() == 3);
}

TEST_CASE("whatever else a batch's handler returns means that all are done", "[on_message][batch]") {
  scene now;
  int calls = 0;
  now.host.define("nothing", [&](const message_batch&) { ++calls; });
  now.host.define("number", [&](const message_batch&) { return ++calls; });
  now.host.define("text", [&](const message_batch&) { return ++calls, std::string("no outcome"); });
  for (const char* name : {"nothing", "number", "text"}) {
    const auto bound = now.host.attach(on_message_batch(now.work), name).value();
    for (int i = 0; i < 3; ++i) now.send("a");
    now.pass(0s);
    CHECK(now.is_empty());
    now.host.detach(bound);
  }
  CHECK(calls == 3);
  CHECK(now.counts().dead == 0);
}

TEST_CASE("an outcome that names a message of another batch gives all back", "[on_message][batch]") {
  batch_scene now;
  std::optional<message_batch> former;
  now.then = [&](const message_batch& batch) {
    batch_outcome outcome;
    if (former && now.batches.size() == 2) outcome.fail((*former)[4]);
    former = batch;
    return outcome;
  };
  now.attach_batch({.batch_max = 5});
  now.send_many(5);
  now.pass(0s);
  now.send_many(2);
  now.pass(0s);
  CHECK(now.sizes() == sizes{5, 2});
  CHECK(now.counts().waiting == 2);
  now.pass(1s);
  CHECK(now.sizes() == sizes{5, 2, 2});
  CHECK(now.is_empty());
}

TEST_CASE("in_flight_max bounds batches, not messages", "[on_message][batch]") {
  batch_scene now;
  now.send_many(100);
  std::size_t most = 0;
  now.then = [&](const message_batch&) {
    most = std::max(most, now.counts().in_flight);
    return batch_outcome{};
  };
  now.attach_batch({.each = {.in_flight_max = 2}, .batch_max = 7});
  now.pass(0s);
  CHECK(most == 14);
  CHECK(now.is_empty());
}

// ---- options and codecs ---------------------------------------------------------------------------------------------

TEST_CASE("options outside their bounds are refused by name", "[on_message]") {
  manual_clock time;
  memory_queue work({.time = &time});
  const auto of_one = [&](on_message_options options) {
    return refusal([&] { auto made = on_message(work, options); });
  };
  const auto of_batch = [&](on_message_batch_options options) {
    return refusal([&] { auto made = on_message_batch(work, options); });
  };
  CHECK(of_one({.retry_delay = -1ms}) == "dormouse: on_message_options::retry_delay: give 0 .. 12 h");
  CHECK(of_one({.retry_delay = 12h + 1ms}).find("::retry_delay:") != std::string::npos);
  CHECK(of_one({.retry_delay_max = 12h + 1ms}).find("::retry_delay_max:") != std::string::npos);
  CHECK(of_one({.in_flight_max = 0}) == "dormouse: on_message_options::in_flight_max: give 1 .. 10,000");
  CHECK(of_one({.in_flight_max = 10'001}).find("::in_flight_max:") != std::string::npos);
  CHECK(of_one({.retry_after = 0ms}) == "dormouse: on_message_options::retry_after: give 1 ms .. 1 h");
  CHECK(of_one({.retry_after = 1h + 1ms}).find("::retry_after:") != std::string::npos);
  CHECK(of_batch({.each = {.in_flight_max = 0}}).find("on_message_options::in_flight_max") != std::string::npos);
  CHECK(of_batch({.batch_max = 0}) == "dormouse: on_message_batch_options::batch_max: give 1 .. 1,000");
  CHECK(of_batch({.batch_max = 1'001}).find("::batch_max:") != std::string::npos);
  CHECK(of_batch({.batch_window = -1ms}) == "dormouse: on_message_batch_options::batch_window: give 0 .. 5 min");
  CHECK(of_batch({.batch_window = 5min + 1ms}).find("::batch_window:") != std::string::npos);
  CHECK(of_one({.retry_delay = 0ms, .retry_delay_max = 12h, .in_flight_max = 10'000, .retry_after = 1h}).empty());
  CHECK(of_batch({.batch_max = 1'000, .batch_window = 5min}).empty());
}

TEST_CASE("a batch and its outcome are the same after encoding and decoding, and other bytes are refused",
          "[on_message][codec]") {
  queue_delivery first{
      .id = "1", .sequence = 7, .data = std::string("a\0b", 3), .group = "g", .receipt = "r", .deliveries = 3};
  first.attributes = {{"one", "1"}, {"two", std::string("\xff\0", 2)}};
  first.sent_at = calendar_time(5s);
  first.first_received_at = calendar_time(6s);
  const message_batch batch({first, {.id = "2"}});
  const auto bytes = codec<message_batch>::encode(batch).value();
  const auto decoded = codec<message_batch>::decode({.data = bytes});
  REQUIRE(decoded);
  REQUIRE(decoded->size() == 2);
  const queue_delivery& again = (*decoded)[0].delivery();
  CHECK(again.id == "1");
  CHECK(again.sequence == 7);
  CHECK(again.data == first.data);
  CHECK(again.attributes == first.attributes);
  CHECK(again.group == "g");
  CHECK(again.receipt == "r");
  CHECK(again.deliveries == 3);
  CHECK(again.sent_at == first.sent_at);
  CHECK(again.first_received_at == first.first_received_at);
  batch_outcome outcome;
  outcome.fail((*decoded)[1], "why", 3s);
  outcome.reject((*decoded)[0]);
  const auto told = codec<batch_outcome>::encode(outcome).value();
  const auto heard = codec<batch_outcome>::decode({.data = told});
  REQUIRE(heard);
  REQUIRE(heard->failed().size() == 2);
  CHECK(heard->failed()[0].position == 1);
  CHECK(heard->failed()[0].error == "why");
  CHECK(heard->failed()[0].retry_after == 3s);
  CHECK_FALSE(heard->failed()[0].rejected);
  CHECK(heard->failed()[1].rejected);
  for (const auto& whole : {bytes, told}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const event cut{.data = whole.text().substr(0, size)};
      CHECK_FALSE(codec<message_batch>::decode(cut));
      CHECK_FALSE(codec<batch_outcome>::decode(cut));
    }
    CHECK_FALSE(codec<message_batch>::decode({.data = std::string(whole.text()) + "x"}));
    CHECK_FALSE(codec<batch_outcome>::decode({.data = std::string(whole.text()) + "x"}));
  }
}
