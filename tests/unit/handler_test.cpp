// SPDX-License-Identifier: MIT
// Every form a handler may have, and what each is given and keeps.

#include "support/catch.hpp"

#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::eventually;

namespace {
int add_one(int n) { return n + 1; }
int add_two(int n) noexcept { return n + 2; }
unsigned depth_of(context& ctx) { return ctx.depth(); }

struct aggregate {
  int factor;
  int operator()(int n) const { return factor * n; }
};
struct immovable {
  explicit immovable(int start) : count(start) {}
  immovable(const immovable&) = delete;
  immovable& operator=(const immovable&) = delete;
  int operator()() { return ++count; }
  int count;
};
struct overloaded {
  int operator()(int n) const { return n; }
  std::string operator()(const std::string& text) const { return text + "!"; }
};
struct with_context_or_without {
  int operator()(int n) const { return n; }
  int operator()(int n, context& ctx) const { return n + 100 * static_cast<int>(ctx.depth()); }
};

// Counts how often it was copied and moved on its way.
struct traveller {
  traveller() = default;
  traveller(const traveller& other) : copies(other.copies + 1), moves(other.moves) {}
  traveller(traveller&& other) noexcept : copies(other.copies), moves(other.moves + 1) {}
  traveller& operator=(const traveller&) = delete;
  int copies = 0;
  int moves = 0;
};

// A handler that keeps the only worker of a runtime busy until it is let go.
class blocked_worker {
 public:
  explicit blocked_worker(runtime& host) {
    REQUIRE(host.define("blocked_worker",
                        [this] {
                          entered_ = true;
                          while (!free_) std::this_thread::yield();
                        })
                .post());
    REQUIRE(eventually(5s, [this] { return entered_.load(); }));
  }
  blocked_worker(const blocked_worker&) = delete;
  blocked_worker& operator=(const blocked_worker&) = delete;
  ~blocked_worker() { let_go(); }
  void let_go() { free_ = true; }

 private:
  std::atomic<bool> entered_{false};
  std::atomic<bool> free_{false};
};
}  // namespace

// ---- forms ----------------------------------------------------------------------------------------------------------

TEST_CASE("functions, lambdas and objects are handlers", "[handler]") {
  runtime host;
  CHECK(*host.define("pointer", &add_one)(1) == 2);
  CHECK(*host.define("function", add_one)(1) == 2);
  CHECK(*host.define("noexcept", &add_two)(1) == 3);
  CHECK(*host.define("pointer_with_context", &depth_of)() == 1);
  CHECK(*host.define("captureless", [](int n) { return n + 1; })(1) == 2);
  CHECK(*host.define("object", aggregate{3})(2) == 6);
  CHECK(*host.define("std_function", std::function<int(int)>(&add_one))(1) == 2);
  CHECK(host.define("nothing", [] {})());
  CHECK(host.stats().functions == 8);
}

TEST_CASE("every form is also called by name, through the codecs", "[handler]") {
  runtime host;
  host.define("pointer", &add_one);
  host.define("stateful", [by = 2](int n) { return n + by; });
  host.define("instance", per_instance([] { return aggregate{.factor = 10}; }));
  host.define("single", [by = std::make_unique<int>(4)](int n) { return n + *by; });
  host.define("nothing", [] {});
  const auto call = [&host](const char* name) { return host.invoke(name, {.type = "t", .data = "5"}).value(); };
  CHECK(call("pointer").text() == "6");
  CHECK(call("stateful").text() == "7");
  CHECK(call("instance").text() == "50");
  CHECK(call("single").text() == "9");
  CHECK(call("nothing").data.empty());
  CHECK(call("nothing").content_type.empty());
  CHECK(call("pointer").content_type == "text/plain; charset=utf-8");
}

TEST_CASE("every form is also run by a worker", "[handler]") {
  runtime host;
  CHECK(*host.define("pointer", &add_one).submit(5)->get() == 6);
  CHECK(*host.define("stateful", [by = 2](int n) { return n + by; }).submit(5)->get() == 7);
  CHECK(*host.define("instance", per_instance([] { return aggregate{.factor = 10}; })).submit(5)->get() == 50);
  CHECK(*host.define("single", [by = std::make_unique<int>(4)](int n) { return n + *by; }).submit(5)->get() == 9);
  CHECK(host.define("nothing", [] {}).submit()->get());
}

TEST_CASE("context& comes last and is no part of the typed call", "[handler]") {
  runtime host;
  auto only = host.define("only_context", [](context& ctx) { return ctx.depth(); });
  auto both = host.define("both", [](int n, context& ctx) { return n + static_cast<int>(ctx.depth()); });
  STATIC_REQUIRE(std::is_same_v<decltype(only), handle<unsigned()>>);
  STATIC_REQUIRE(std::is_same_v<decltype(both), handle<int(int)>>);
  CHECK(*only() == 1);
  CHECK(*both(1) == 2);
  CHECK(*both.submit(1)->get() == 2);
  CHECK(host.invoke("both", {.type = "t", .data = "1"})->text() == "2");
}

TEST_CASE("a generic or overloaded handler is defined by the call that is meant", "[handler]") {
  runtime host;
  auto generic = host.define<int(int)>("generic", [](auto n) { return n; });
  auto bare = host.define<int()>("bare", [](auto&... none) { return static_cast<int>(sizeof...(none)); });
  auto numbers = host.define<int(int)>("numbers", overloaded{});
  auto texts = host.define<std::string(const std::string&)>("texts", overloaded{});
  auto with_context = host.define<int(int)>("with_context", [](auto n, context& ctx) { return n + int(ctx.depth()); });
  STATIC_REQUIRE(std::is_same_v<decltype(texts), handle<std::string(const std::string&)>>);
  CHECK(*generic(4) == 4);
  CHECK(*bare() == 1);  // it can take the context, so it gets it
  CHECK(*numbers(4) == 4);
  CHECK(*texts("x") == "x!");
  CHECK(*with_context(4) == 5);
  CHECK(host.invoke("texts", {.type = "t", .data = "by name"})->text() == "by name!");
  CHECK(*host.define<int(int)>("prefers_context", with_context_or_without{})(4) == 104);
}

TEST_CASE("define<R(Arg)> gives the typed call the types it names", "[handler]") {
  runtime host;
  auto wide = host.define<long(const std::string&)>("wide", [](std::string_view text) { return long(text.size()); });
  STATIC_REQUIRE(std::is_same_v<decltype(wide("x")), result<long>>);
  CHECK(*wide("four") == 4);
  auto instance = host.define<int(int)>("instance", per_instance([] { return [](auto n) { return n * 2; }; }));
  CHECK(*instance(4) == 8);
}

// ---- what comes back ------------------------------------------------------------------------------------------------

TEST_CASE("R, result<R>, void and result<void> are wrapped once", "[handler]") {
  runtime host;
  auto value = host.define("value", [] { return 1; });
  auto wrapped = host.define("wrapped", []() -> result<int> { return 2; });
  auto nothing = host.define("nothing", [] {});
  auto wrapped_nothing = host.define("wrapped_nothing", []() -> result<void> { return {}; });
  auto constant = host.define("constant", []() -> const std::string { return "c"; });
  STATIC_REQUIRE(std::is_same_v<decltype(value()), result<int>>);
  STATIC_REQUIRE(std::is_same_v<decltype(wrapped()), result<int>>);
  STATIC_REQUIRE(std::is_same_v<decltype(nothing()), result<void>>);
  STATIC_REQUIRE(std::is_same_v<decltype(wrapped_nothing()), result<void>>);
  STATIC_REQUIRE(std::is_same_v<decltype(constant()), result<std::string>>);
  STATIC_REQUIRE(std::is_same_v<decltype(wrapped.submit()), result<pending<int>>>);
  CHECK(*value() == 1);
  CHECK(*wrapped() == 2);
  CHECK(nothing());
  CHECK(wrapped_nothing());
  CHECK(*constant() == "c");
  CHECK(host.invoke("wrapped", {.type = "t"})->text() == "2");
}

TEST_CASE("a failure that a handler returns arrives as its cause, however it was called", "[handler]") {
  runtime host;
  const auto refuse = failure{.code = errc::conflict, .effect = effect_kind::not_applied, .detail = "taken"};
  auto with_value = host.define("with_value", [refuse]() -> result<int> { return refuse; });
  auto without = host.define("without", [refuse]() -> result<void> { return refuse; });
  const auto check = [](const failure& why) {
    CHECK(why.code == errc::function_failed);
    CHECK(why.cause == errc::conflict);
    CHECK(why.effect == effect_kind::not_applied);
    CHECK(why.detail == "taken");
  };
  check(with_value().error());
  check(without().error());
  check(with_value.submit()->get().error());
  check(host.invoke("with_value", {.type = "t"}).error());
  check(host.invoke("without", {.type = "t"}).error());
}

TEST_CASE("a reply that can only be moved is moved", "[handler]") {
  runtime host;
  auto make = host.define("make", [](int n) { return std::make_unique<int>(n); });
  CHECK(**make(3) == 3);
  CHECK(**make.submit(4)->get() == 4);
}

// ---- what a handler keeps -------------------------------------------------------------------------------------------

TEST_CASE("a copyable lambda is a prototype: each cold start copies it", "[handler]") {
  runtime host;
  const auto shared = std::make_shared<int>(0);
  auto count = host.define("count", [shared, n = 10]() mutable { return ++n; });
  CHECK(shared.use_count() == 2);  // the prototype
  CHECK(*count() == 11);
  CHECK(shared.use_count() == 3);  // and one instance
  CHECK(*count() == 12);
  CHECK(shared.use_count() == 3);
  CHECK(count.stats().cold_starts == 1);
  host.close(0s);
  CHECK(shared.use_count() <= 2);
}

TEST_CASE("two instances of a mutable lambda do not share what it holds by value", "[handler]") {
  runtime host;
  std::vector<int> seen;
  host.define("nested", [&seen, n = 0](context& ctx) mutable {
    ++n;
    if (ctx.depth() < 3) REQUIRE(ctx.invoke("nested", {.type = "t"}));
    seen.push_back(n);
  });
  REQUIRE(host.invoke("nested", {.type = "t"}));
  CHECK(seen == std::vector<int>{1, 1, 1});  // three instances, each entered once
  CHECK(host.stats().instances == 3);
}

TEST_CASE("state held by value goes with an idle instance", "[handler]") {
  runtime host;
  auto count = host.define("count", [n = 10]() mutable { return ++n; }, {.idle_timeout = 0ns});
  CHECK(*count() == 11);
  CHECK(*count() == 11);
  CHECK(count.stats().cold_starts == 2);
  CHECK(host.stats().instances == 0);
}

TEST_CASE("the caller's own lambda is never the one that runs", "[handler]") {
  runtime host;
  auto mine = [n = 0]() mutable { return ++n; };
  auto theirs = host.define("theirs", mine);
  CHECK(*theirs() == 1);
  CHECK(*theirs() == 2);
  CHECK(mine() == 1);
}

TEST_CASE("a move-only callable is its own single instance, never reaped", "[handler]") {
  runtime host;
  const auto shared = std::make_shared<int>(0);
  auto count = host.define("count", [shared, n = std::make_unique<int>(0)]() mutable { return ++*n; },
                           {.instances_max = 8, .idle_timeout = 0ns});
  CHECK(*count() == 1);
  CHECK(*count() == 2);
  CHECK(*count.submit()->get() == 3);
  CHECK(shared.use_count() == 2);
  CHECK(count.stats().cold_starts == 0);
  CHECK(host.stats().instances == 0);  // nothing was constructed
}

TEST_CASE("a move-only callable is not entered twice at once", "[handler]") {
  runtime host;
  host.define("self", [n = std::make_unique<int>(0)](context& ctx) {
    ++*n;
    const auto inner = ctx.invoke("self", {.type = "t"});
    return inner ? std::string("entered") : std::string(to_string(inner.error().code));
  });
  CHECK(host.invoke("self", {.type = "t"})->text() == "recursion_limit");
}

TEST_CASE("a handler without state has nothing to construct: never cold, no instance", "[handler]") {
  runtime host;
  auto lambda = host.define("lambda", [](context& ctx) { return ctx.cold(); });
  CHECK_FALSE(*lambda());
  CHECK(*host.define("pointer", &add_one)(1) == 2);
  CHECK(lambda.stats().cold_starts == 0);
  CHECK(host.stats().instances == 0);
}

TEST_CASE("per_instance makes what can be neither copied nor moved, once a cold start", "[handler]") {
  runtime host;
  int made = 0;
  auto count = host.define("count", per_instance([&made] {
                             ++made;
                             return immovable(5);
                           }));
  CHECK(made == 0);  // define makes none
  CHECK(*count() == 6);
  CHECK(*count() == 7);
  CHECK(made == 1);
  CHECK(host.stats().instances == 1);
}

TEST_CASE("per_instance makes aggregates, lambdas and function pointers", "[handler]") {
  runtime host;
  CHECK(*host.define("aggregate", per_instance([] { return aggregate{.factor = 4}; }))(2) == 8);
  CHECK(*host.define("pointer", per_instance([] { return &add_one; }))(2) == 3);
  auto lambda = host.define("lambda", per_instance([] { return [n = 0](int by) mutable { return n += by; }; }));
  CHECK(*lambda(2) == 2);
  CHECK(*lambda(3) == 5);
  auto captureless = host.define("captureless", per_instance([] { return [](context& ctx) { return ctx.cold(); }; }));
  CHECK(*captureless());
  CHECK_FALSE(*captureless());
}

// ---- what a handler is given ----------------------------------------------------------------------------------------

TEST_CASE("a typed call makes no copy on its way", "[handler]") {
  runtime host;
  auto by_reference = host.define("by_reference", [](const traveller& t) { return t.copies * 10 + t.moves; });
  auto by_move = host.define("by_move", [](traveller&& t) { return t.copies * 10 + t.moves; });
  auto by_value = host.define("by_value", [](traveller t) { return t.copies; });
  const traveller mine;
  CHECK(*by_reference(mine) == 0);
  CHECK(*by_move(traveller{}) == 0);
  CHECK(*by_value(traveller{}) == 0);
  CHECK(*by_value(mine) == 1);  // the caller keeps its own
}

TEST_CASE("const T& is the caller's own object", "[handler]") {
  runtime host;
  const std::string text("x");
  auto same = host.define("same", [&text](const std::string& given) { return &given == &text; });
  CHECK(*same(text));
}

TEST_CASE("what is submitted is kept and then given to the handler", "[handler]") {
  runtime host;
  auto by_value = host.define("by_value", [](traveller t) { return t.copies; });
  auto by_reference = host.define("by_reference", [](const traveller& t) { return t.copies; });
  auto by_move = host.define("by_move", [](traveller&& t) { return t.copies; });
  CHECK(*by_value.submit(traveller{})->get() == 0);
  CHECK(*by_reference.submit(traveller{})->get() == 0);
  CHECK(*by_move.submit(traveller{})->get() == 0);
  const traveller mine;
  CHECK(*by_reference.submit(mine)->get() == 1);
}

TEST_CASE("a parameter that can only be moved is called and submitted", "[handler]") {
  runtime host;
  auto owner = host.define("owner", [](std::unique_ptr<int> n) { return *n; });
  auto moved = host.define("moved", [](std::unique_ptr<int>&& n) { return *std::move(n); });
  auto looked_at = host.define("looked_at", [](const std::unique_ptr<int>& n) { return *n; });
  CHECK(*owner(std::make_unique<int>(3)) == 3);
  CHECK(*moved(std::make_unique<int>(4)) == 4);
  CHECK(*owner.submit(std::make_unique<int>(5))->get() == 5);
  CHECK(*moved.submit(std::make_unique<int>(6))->get() == 6);
  CHECK(*looked_at.submit(std::make_unique<int>(7))->get() == 7);
}

TEST_CASE("const event& is the caller's own event, whole", "[handler]") {
  runtime host;
  const event message{.type = "t", .subject = "s", .data = "d", .extensions = {{"e", "v"}}};
  const event* seen = nullptr;
  auto whole = host.define("whole", [&seen](const event& given) {
    seen = &given;
    return given.subject;
  });
  CHECK(*whole(message) == "s");
  CHECK(seen == &message);
  CHECK(host.invoke("whole", message)->text() == "s");
  CHECK(seen == &message);
  CHECK(host.submit("whole", message)->get()->text() == "s");
  host.define("copied", [](event given) { return given.extensions.at(0).second; });
  CHECK(host.invoke("copied", message)->text() == "v");
}

TEST_CASE("a handler that takes nothing takes any event", "[handler]") {
  runtime host;
  host.define("deaf", [] { return 1; });
  CHECK(host.invoke("deaf", {.type = "t", .data = std::string(1'000, '\xff')})->text() == "1");
}

TEST_CASE("submit and post own what a view parameter looks at", "[handler]") {
  runtime host({.compute_workers_max = 1});
  blocked_worker busy(host);
  std::string posted;
  auto text = host.define("text", [&posted](std::string_view given) { return posted = given; });
  auto bytes = host.define("bytes", [](std::span<const std::byte> given) { return payload(given); });
  const std::string wanted(1'000, 'x');
  auto later = [&] {
    auto temporary = std::make_unique<std::string>(wanted);
    auto handed = text.submit(std::string_view(*temporary));
    std::fill(temporary->begin(), temporary->end(), '!');
    return handed;  // the text dies here, long before the handler runs
  }();
  auto later_bytes = [&] {
    const auto temporary = std::make_unique<std::string>(wanted);
    return bytes.submit(std::as_bytes(std::span<const char>(*temporary)));
  }();
  REQUIRE(text.post(std::string("a temporary that is longer than twenty-four bytes")));
  REQUIRE(later);
  REQUIRE(later_bytes);
  CHECK_FALSE(later->ready());
  busy.let_go();
  CHECK(*later->get() == wanted);
  CHECK(*later_bytes->get() == wanted);
  REQUIRE(eventually(5s, [&] { return host.stats().queued == 0; }));
  CHECK(posted == "a temporary that is longer than twenty-four bytes");
}

TEST_CASE("submit by name owns the event that a view looks at", "[handler]") {
  runtime host({.compute_workers_max = 1});
  blocked_worker busy(host);
  host.define("text", [](std::string_view given) { return std::string(given); });
  auto later = host.submit("text", {.type = "t", .data = std::string(1'000, 'x')});
  REQUIRE(later);
  busy.let_go();
  CHECK(later->get()->text() == std::string(1'000, 'x'));
}

TEST_CASE("a payload that a handler keeps outlives its event", "[handler]") {
  runtime host;
  payload kept;
  host.define("keep", [&kept](payload given) { kept = std::move(given); });
  REQUIRE(host.invoke("keep", {.type = "t", .data = std::string(1'000, 'x')}));
  CHECK(kept == std::string(1'000, 'x'));
}

TEST_CASE("current_event gives the event with its attributes filled, and an empty one for a typed call", "[handler]") {
  runtime host;
  std::string id;
  auto look = host.define("look", [&id](context& ctx) {
    const event& message = ctx.current_event();
    CHECK(validate(message));
    CHECK(message.time);
    id = message.id;
    return message.type;
  });
  CHECK(host.invoke("look", {.type = "t"})->text() == "t");
  CHECK_FALSE(id.empty());
  CHECK(host.invoke("look", {.type = "t", .source = "s", .id = "given"})->text() == "t");
  CHECK(id == "given");
  CHECK(*look() == "dormouse.call");
}

// design.md: attributes that are not given are filled when the event is stored; post and submit store it.
TEST_CASE("an event that waits in a queue has its attributes, by name and by handle", "[handler]") {
  runtime host;
  auto look = host.define("look", [](const event& message) { return !message.id.empty() && message.time.has_value(); });
  CHECK(host.submit("look", {.type = "t"})->get()->text() == "true");
  CHECK(*look.submit(event{.type = "t"})->get());
}
