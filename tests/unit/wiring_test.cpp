// SPDX-License-Identifier: MIT
// Bad input: refused with the limit or the place named, and nothing else changed.

#include "support/catch.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;

namespace {
// What the wiring says when it refuses; empty when it does not.
std::string refusal(const std::function<void()>& wire) {
  try {
    wire();
  } catch (const std::invalid_argument& why) {
    return why.what();
  }
  return {};
}
bool contains(const std::string& text, const std::string& word) { return text.find(word) != std::string::npos; }

struct no_codec {
  int x;
};
struct in_place_only {
  int operator()(int n) { return n; }  // not const
};
struct shareable {
  int operator()(int n) const { return n; }
};

constexpr std::size_t absurd = std::numeric_limits<std::size_t>::max();
constexpr auto longest = std::chrono::nanoseconds::max();
constexpr auto shortest = std::chrono::nanoseconds::min();
}  // namespace

// ---- names ----------------------------------------------------------------------------------------------------------

TEST_CASE("a malformed name is refused with the rule, and changes nothing", "[wiring]") {
  runtime host;
  auto kept = host.define("kept", [] { return 1; });
  const std::vector<std::string> bad{"",
                                     std::string(65, 'x'),
                                     std::string(1'000'000, 'x'),
                                     " ",
                                     "a b",
                                     "a.b",
                                     "a/b",
                                     "a\n",
                                     std::string("a\0b", 3),
                                     "caf\xc3\xa9",
                                     ":",
                                     "a:",
                                     ":a",
                                     "a::b",
                                     "a:b:c",
                                     "a:" + std::string(65, 'x'),
                                     std::string(65, 'x') + ":a"};
  for (const std::string& name : bad) {
    INFO(name.substr(0, 80));
    const std::string why = refusal([&] { host.define(name, [] { return 2; }); });
    CHECK(contains(why, "1..64 of [A-Za-z0-9_-]"));
    CHECK(why.size() < 300);
    CHECK(host.invoke(name, {.type = "t"}).error().code == errc::not_found);
  }
  CHECK(host.stats().functions == 1);
  CHECK(*kept() == 1);
}

TEST_CASE("a well-formed name is taken, with and without a qualifier", "[wiring]") {
  runtime host;
  const std::vector<std::string> good{
      "a", "A-z_09", "-", std::string(64, 'x'), "a:1", "a:b-2_c", std::string(64, 'x') + ":" + std::string(64, 'y')};
  int number = 0;
  for (const std::string& name : good) {
    INFO(name);
    CHECK(refusal([&] { host.define(name, [n = ++number] { return n; }); }).empty());
  }
  CHECK(host.stats().functions == good.size());
  number = 0;
  for (const std::string& name : good) {
    CHECK(host.invoke(name, {.type = "t"})->text() == std::to_string(++number));  // each is itself
  }
}

TEST_CASE("a name is given once, and the first to have it keeps it", "[wiring]") {
  runtime host;
  auto first = host.define("twice", [] { return 1; });
  auto qualified = host.define("twice:beta", [] { return 2; });
  for (const char* name : {"twice", "twice:beta"}) {
    const std::string why = refusal([&] { host.define(name, [] { return 3; }); });
    CHECK(contains(why, name));
    CHECK(contains(why, "already defined"));
  }
  CHECK(host.stats().functions == 2);
  CHECK(*first() == 1);
  CHECK(*qualified() == 2);
  CHECK(host.invoke("twice", {.type = "t"})->text() == "1");
}

TEST_CASE("a refused handler is given back at once", "[wiring]") {
  runtime host;
  host.define("taken", [] {});
  const auto shared = std::make_shared<int>(0);
  CHECK_FALSE(refusal([&] { host.define("taken", [shared] { return *shared; }); }).empty());
  CHECK_FALSE(refusal([&] { host.define("bad name", [shared] { return *shared; }); }).empty());
  CHECK_FALSE(refusal([&] { host.define("f", [shared] { return *shared; }, {.timeout = 0s}); }).empty());
  CHECK(shared.use_count() == 1);
}

// ---- options --------------------------------------------------------------------------------------------------------

TEST_CASE("an option out of bounds is refused by name, and changes nothing", "[wiring]") {
  struct bad_option {
    const char* name;
    function_options options;
  };
  const std::vector<bad_option> all{
      {"timeout", {.timeout = 0s}},
      {"timeout", {.timeout = -1s}},
      {"timeout", {.timeout = 999ns}},
      {"timeout", {.timeout = 24h + 1ns}},
      {"timeout", {.timeout = longest}},
      {"timeout", {.timeout = shortest}},
      {"init_timeout", {.init_timeout = 0s}},
      {"init_timeout", {.init_timeout = -1s}},
      {"init_timeout", {.init_timeout = 24h + 1ns}},
      {"instances_max", {.instances_max = 0}},
      {"instances_max", {.instances_max = 1'000'001}},
      {"instances_max", {.instances_max = absurd}},
      {"instance_concurrency", {.instance_concurrency = 0}},
      {"instance_concurrency", {.instance_concurrency = 65'537}},
      {"instance_concurrency", {.instance_concurrency = absurd}},
      {"idle_timeout", {.idle_timeout = -1ns}},
      {"idle_timeout", {.idle_timeout = 24h * 30 + 1ns}},
      {"idle_timeout", {.idle_timeout = longest}},
      {"busy", {.busy = when_busy{}}},
      {"busy", {.busy = static_cast<when_busy>(3)}},
      {"queue_depth_max", {.queue_depth_max = 0}},
      {"queue_depth_max", {.queue_depth_max = 100'000'001}},
      {"queue_bytes_max", {.queue_bytes_max = 0}},
      {"queue_bytes_max", {.queue_bytes_max = (std::size_t{1} << 40U) + 1}},
      {"queue_bytes_max", {.queue_bytes_max = absurd}},
  };
  runtime host;
  auto kept = host.define("kept", [] { return 1; });
  for (const bad_option& each : all) {
    const std::string why = refusal([&] {
      host.define(
          "f", [n = 0] { return n; }, each.options);
    });
    INFO(each.name << ": " << why);
    CHECK(contains(why, std::string("function_options::") + each.name + " "));
  }
  CHECK(host.stats().functions == 1);
  CHECK(*kept() == 1);
  CHECK(refusal([&] { host.define("f", [n = 0] { return n; }); }).empty());  // the name is still free
}

TEST_CASE("an option at its bound is taken", "[wiring]") {
  const auto options = GENERATE(values<function_options>({
      {.timeout = 1us},
      {.timeout = 24h},
      {.init_timeout = 24h},
      {.instances_max = 1},
      {.instances_max = 1'000'000},
      {.instance_concurrency = 65'536},
      {.idle_timeout = 0ns},
      {.idle_timeout = 24h * 30},
      {.queue_depth_max = 100'000'000},
      {.queue_bytes_max = std::size_t{1} << 40U},
      {.instances_max = 1'000'000, .instance_concurrency = 65'536},
  }));
  runtime host;
  CHECK(refusal([&] {
          host.define(
              "f", [n = 0] { return n; }, options);
        }).empty());
  CHECK(host.stats().functions == 1);
}

TEST_CASE("several callers at once in one instance need a const operator()", "[wiring]") {
  runtime host;
  const function_options many{.instance_concurrency = 2};
  const auto refused = [&](auto handler) {
    const std::string why = refusal([&] { host.define("f", std::move(handler), many); });
    return contains(why, "instance_concurrency") && contains(why, "const");
  };
  CHECK(refused([n = 0]() mutable { return ++n; }));
  CHECK(refused([n = 0](int by, context&) mutable { return n += by; }));
  CHECK(refused(in_place_only{}));
  CHECK(refused(per_instance([] { return in_place_only{}; })));
  CHECK(refused([n = std::make_unique<int>()]() mutable { return ++*n; }));
  CHECK(host.stats().functions == 0);
  CHECK_NOTHROW(host.define(
      "lambda", [n = 0] { return n; }, many));
  CHECK_NOTHROW(host.define(
      "context", [n = 0](context&) { return n; }, many));
  CHECK_NOTHROW(host.define(
      "both", [n = 0](std::string_view, context&) { return n; }, many));
  CHECK_NOTHROW(host.define(
      "moved", [n = 0](std::unique_ptr<int>&&) { return n; }, many));
  CHECK_NOTHROW(host.define("instance", per_instance([] { return shareable{}; }), many));
  CHECK_NOTHROW(host.define(
      "stateless", [](int n) { return n; }, many));
  CHECK_NOTHROW(host.define<int(int)>(
      "generic", [n = 0](auto by) { return n + by; }, many));
  CHECK(host.stats().functions == 7);
}

TEST_CASE("a runtime's options are checked, each by name", "[wiring]") {
  const auto make = [](const runtime_options& options) { return refusal([&] { const runtime host(options); }); };
  CHECK(contains(make({.depth_max = 0}), "runtime_options::depth_max is 0"));
  CHECK(contains(make({.depth_max = 1'001}), "runtime_options::depth_max is 1001"));
  CHECK(contains(make({.compute_workers_max = 1'025}), "runtime_options::compute_workers_max is 1025"));
  CHECK(contains(make({.compute_workers_max = absurd}), "runtime_options::compute_workers_max"));
  CHECK(contains(make({.thread_idle_timeout = -1ns}), "runtime_options::thread_idle_timeout"));
  CHECK(contains(make({.thread_idle_timeout = 1h + 1ns}), "runtime_options::thread_idle_timeout"));
  CHECK(contains(make({.thread_idle_timeout = longest}), "runtime_options::thread_idle_timeout"));
  CHECK(make({}).empty());
  CHECK(make({.depth_max = 1, .compute_workers_max = 1'024, .thread_idle_timeout = 1h}).empty());
  CHECK(make({.depth_max = 1'000, .compute_workers_max = 1, .thread_idle_timeout = 0ns}).empty());
}

// ---- calls by name --------------------------------------------------------------------------------------------------

TEST_CASE("a name that nobody has is not found, by any way of calling", "[wiring]") {
  runtime host;
  host.define("known", [] {});
  host.define("known:beta", [] {});
  for (const auto& name : {std::string(), std::string("unknown"), std::string("know"), std::string("known2"),
                           std::string("Known"), std::string("known:"), std::string("known:gamma"),
                           std::string("known\0", 6), std::string("known\x1b[2J\n"), std::string(100'000, 'x')}) {
    INFO(name.substr(0, 80));
    const auto check = [&](const failure& why) {
      CHECK(why.code == errc::not_found);
      CHECK(why.effect == effect_kind::not_applied);
      CHECK(contains(why.detail, name.substr(0, 5)));
      CHECK(why.detail.size() < 200);
      CHECK(std::none_of(why.detail.begin(), why.detail.end(), [](char c) { return c >= 0 && c < ' '; }));
    };
    check(host.invoke(name, {.type = "t"}).error());
    check(host.submit(name, {.type = "t"}).error());
    check(host.post(name, {.type = "t"}).error());
    check(host.attach(every(1s), name).error());
  }
  CHECK(host.stats().functions == 2);
  CHECK(host.stats().threads == 0);
  CHECK(host.stats().queued == 0);
}

TEST_CASE("a handler that calls a name that nobody has is told so, and goes on", "[wiring]") {
  runtime host;
  auto ask = host.define("ask", [](context& ctx) {
    return ctx.invoke("unknown", {.type = "t"}).error().code == errc::not_found &&
           ctx.post("unknown", {.type = "t"}).error().code == errc::not_found;
  });
  CHECK(*ask());
}

TEST_CASE("data of the wrong type is refused, by any way of calling, and the handler is not entered", "[wiring]") {
  std::mutex mutex;
  std::vector<std::optional<errc>> outcomes;
  runtime host({.observer = [&](const invocation_report& report) {
    const std::lock_guard lock(mutex);
    outcomes.push_back(report.outcome);
  }});
  int entered = 0;
  auto take = host.define("take", [&entered](int) { ++entered; });
  const auto check = [](const failure& why) {
    CHECK(why.code == errc::invalid_argument);
    CHECK(why.reason == failure_reason::payload_type);
    CHECK(why.effect == effect_kind::not_applied);
    CHECK(contains(why.detail, "whole number"));
    CHECK(contains(why.detail, "\"many\""));
  };
  check(host.invoke("take", {.type = "t", .data = "many"}).error());
  check(host.submit("take", {.type = "t", .data = "many"})->get().error());
  REQUIRE(host.post("take", {.type = "t", .data = "many"}));  // accepted: what it holds is seen when it is run
  const auto reported = [&] {
    const std::lock_guard lock(mutex);
    return outcomes.size();
  };
  REQUIRE(eventually(5s, [&] { return reported() == 3; }));
  CHECK(outcomes == std::vector<std::optional<errc>>(3, errc::invalid_argument));
  CHECK(entered == 0);
  CHECK(take.stats().invocations == 0);
  CHECK(take.stats().function_failures == 0);
  CHECK(host.invoke("take", {.type = "t", .data = "1"}));
  CHECK(entered == 1);
}

TEST_CASE("a parameter without a codec is refused by name, and fine when typed", "[wiring]") {
  runtime host;
  int entered = 0;
  auto take = host.define("take", [&entered](const no_codec& given) { return ++entered, given.x; });
  CHECK(*take(no_codec{3}) == 3);
  CHECK(*take.submit(no_codec{4})->get() == 4);
  const auto check = [](const failure& why) {
    CHECK(why.code == errc::unsupported);
    CHECK(why.reason == failure_reason::payload_type);
    CHECK(why.effect == effect_kind::not_applied);
    CHECK(contains(why.detail, "parameter"));
    CHECK(contains(why.detail, "codec"));
  };
  check(host.invoke("take", {.type = "t"}).error());
  check(host.submit("take", {.type = "t"})->get().error());
  CHECK(entered == 2);
}

// runtime.hpp: invoke fails with unsupported when a type of the handler has no codec. That is known before it runs.
TEST_CASE("a return type without a codec is refused by name before the handler runs, and fine when typed", "[wiring]") {
  runtime host;
  int entered = 0;
  auto make = host.define("make", [&entered](int x) { return ++entered, no_codec{x}; });
  CHECK(make(3)->x == 3);
  CHECK(make.submit(4)->get()->x == 4);
  const auto got = host.invoke("make", {.type = "t", .data = "5"});
  REQUIRE(!got);
  CHECK(got.error().code == errc::unsupported);
  CHECK(got.error().effect == effect_kind::not_applied);
  CHECK(entered == 2);
}

// Nobody asked for the bytes of the reply.
TEST_CASE("an event posted by name runs, even if what the handler returns has no codec", "[wiring]") {
  std::optional<errc> outcome = errc::internal;
  std::atomic<bool> ended{false};
  runtime host({.observer = [&](const invocation_report& report) {
    outcome = report.outcome;
    ended = true;
  }});
  host.define("make", [](int x) { return no_codec{x}; });
  REQUIRE(host.post("make", {.type = "t", .data = "5"}));
  REQUIRE(eventually(5s, [&] { return ended.load(); }));
  CHECK(outcome == std::nullopt);
}

// ---- triggers and run -----------------------------------------------------------------------------------------------

namespace {
// Asks for what triggers ask for, and then refuses to start.
class refuses_to_start final : public trigger {
 public:
  explicit refuses_to_start(std::vector<std::string>& calls) : calls_(calls) {}
  result<void> start(trigger_port& port) override {
    calls_.push_back("start");
    REQUIRE(port.wake_at(port.time().now() + 1h));
    return failure{.code = errc::not_found, .effect = effect_kind::not_applied, .detail = "no such place"};
  }
  void wake() override { calls_.push_back("wake"); }
  void stop() noexcept override { calls_.push_back("stop"); }

 private:
  std::vector<std::string>& calls_;
};
}  // namespace

TEST_CASE("no trigger at all is refused", "[wiring]") {
  runtime host;
  auto work = host.define("work", [] {});
  for (const auto& got : {host.attach(nullptr, work), host.attach(nullptr, "work")}) {
    REQUIRE(!got);
    CHECK(got.error().code == errc::invalid_argument);
    CHECK(contains(got.error().detail, "trigger"));
  }
  CHECK(host.attach(nullptr, "unknown").error().code == errc::not_found);
  CHECK(host.stats().threads == 0);
  CHECK(work());
}

TEST_CASE("a trigger that cannot start says why, and leaves nothing behind", "[wiring]") {
  std::vector<std::string> calls;
  {
    runtime host;
    auto work = host.define("work", [] {});
    const auto got = host.attach(std::make_unique<refuses_to_start>(calls), work);
    REQUIRE(!got);
    CHECK(got.error().code == errc::not_found);
    CHECK(got.error().detail == "no such place");
    CHECK(eventually(2s, [&] { return host.stats().threads == 0; }));  // nor its timer, an hour away
    CHECK(work());
  }
  CHECK(calls == std::vector<std::string>{"start"});
}

TEST_CASE("a binding that is not there, or no longer, is not detached", "[wiring]") {
  runtime host;
  auto work = host.define("work", [] {});
  CHECK_FALSE(host.detach({}));
  CHECK_FALSE(host.detach({.id = 77}));
  const auto bound = host.attach(every(1h), work);
  REQUIRE(bound);
  CHECK(host.detach(*bound));
  CHECK_FALSE(host.detach(*bound));
}

TEST_CASE("a schedule has a period of 1 us to 365 days", "[wiring]") {
  for (const std::chrono::nanoseconds bad :
       {std::chrono::nanoseconds(0), std::chrono::nanoseconds(-1s), std::chrono::nanoseconds(999),
        std::chrono::nanoseconds(24h * 365) + 1ns, longest, shortest}) {
    INFO(bad.count());
    const std::string why = refusal([&] { static_cast<void>(every(bad)); });
    CHECK(contains(why, "every("));
    CHECK(contains(why, "1 us .. 365 days"));
  }
  CHECK(every(1us) != nullptr);
  CHECK(every(24h * 365) != nullptr);
}

TEST_CASE("a signal that cannot be caught is refused, and the others are put back", "[wiring]") {
  runtime host;
  auto work = host.define("work", [] { return 1; });
  const auto disposition_of = [](int signal) {
    struct sigaction now {};
    REQUIRE(::sigaction(signal, nullptr, &now) == 0);
    return now.sa_handler;
  };
  const auto before = disposition_of(SIGUSR1);
  for (const int bad : {SIGKILL, SIGSTOP, 0, -1, 100'000}) {
    INFO(bad);
    const std::string why = refusal([&] { static_cast<void>(host.run({.stop_on = {SIGUSR1, bad}})); });
    CHECK(contains(why, "stop_on"));
    CHECK(disposition_of(SIGUSR1) == before);
  }
  CHECK(*work() == 1);
}

TEST_CASE("a drain of less than nothing or more than a day is refused", "[wiring]") {
  runtime host;
  auto work = host.define("work", [] { return 1; });
  for (const std::chrono::nanoseconds bad :
       {std::chrono::nanoseconds(-1), std::chrono::nanoseconds(24h) + 1ns, longest}) {
    CHECK(contains(refusal([&] { static_cast<void>(host.run({.drain_for = bad})); }), "run_options::drain_for"));
  }
  CHECK(*work() == 1);  // not closed
}

TEST_CASE("a closed runtime refuses everything, and says so", "[wiring]") {
  runtime host;
  auto work = host.define("work", [] { return 1; });
  host.close(0s);
  CHECK(work().error().code == errc::shutting_down);
  CHECK(work.submit().error().code == errc::shutting_down);
  CHECK(work.post().error().code == errc::shutting_down);
  CHECK(host.invoke("work", {.type = "t"}).error().code == errc::shutting_down);
  CHECK(host.submit("work", {.type = "t"}).error().code == errc::shutting_down);
  CHECK(host.post("work", {.type = "t"}).error().code == errc::shutting_down);
  CHECK(host.attach(every(1s), work).error().code == errc::shutting_down);
  CHECK(work().error().effect == effect_kind::not_applied);
  CHECK(host.stats().threads == 0);
}
