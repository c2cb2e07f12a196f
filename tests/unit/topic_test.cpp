// SPDX-License-Identifier: MIT
// What is the interface's own: checks before the adapter, answers put together, containment.

#include "support/catch.hpp"

#include <dormouse/services/service_transaction.hpp>
#include <dormouse/services/topic.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/service_harness.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace dormouse;
using namespace std::chrono_literals;
using dormouse::testing::refused;

namespace {

// What a topic does when it is reached: counts, throws or fails as it is told.
struct behaviour {
  int reached = 0;
  std::function<void()> act{};  // may throw
  std::optional<failure> answer{};
  std::vector<event> published{};
  std::size_t forgets = 0;  // answers that it leaves out

  template <class T>
  result<T> arrive(T otherwise) {
    ++reached;
    if (act) act();
    if (answer) return *answer;
    return otherwise;
  }
};

class probe final : public topic {
 public:
  probe(const dormouse::clock& time, behaviour& how) : topic(time), how_(how) {}
  topic_capabilities capabilities() const noexcept override { return {}; }
  durability_level durability() const noexcept override { return durability_level::memory; }

 private:
  using answers = std::vector<result<published_event>>;
  result<answers> do_publish(std::vector<event>&& messages, const queue_send_options&) override {
    how_.published = messages;
    answers all;
    for (std::size_t i = how_.forgets; i < messages.size(); ++i) all.emplace_back(published_event{messages[i].id, i});
    return how_.arrive(std::move(all));
  }
  result<std::unique_ptr<queue>> do_subscribe(const subscription_settings&, const call_options&) override {
    ++how_.reached;
    if (how_.act) how_.act();
    if (how_.answer) return *how_.answer;
    return std::unique_ptr<queue>();
  }
  result<bool> do_unsubscribe(std::string_view, const call_options&) override { return how_.arrive(true); }
  result<std::vector<subscription_info>> do_subscriptions(const call_options&) override {
    return how_.arrive(std::vector<subscription_info>());
  }

  behaviour& how_;
};

class no_transaction final : public service_transaction {
 public:
  result<void> commit() override { return {}; }
  void roll_back() noexcept override {}
  [[nodiscard]] const void* engine() const noexcept override { return this; }
};

const std::vector<event> two(2);

}  // namespace

TEST_CASE("what no topic takes never reaches the adapter", "[topic]") {
  testing::manual_clock time;
  behaviour how;
  probe store(time, how);
  no_transaction foreign;
  CHECK(refused(store.publish({.extensions = {{"Bad", ""}}}), errc::invalid_argument, failure_reason::name));
  CHECK(refused(store.publish({.time = calendar_time::min()}), errc::invalid_argument));
  CHECK(refused(store.publish({.extensions = {{"a", ""}, {"a", ""}}}), errc::invalid_argument, failure_reason::name));
  event many;
  for (int i = 0; i < 60; ++i) many.extensions.emplace_back("a" + std::to_string(i), "");
  CHECK(refused(store.publish(many), errc::invalid_argument, failure_reason::name));
  CHECK(refused(store.publish({.data = std::string(queue::message_bytes_max, 'x')}), errc::too_large,
                failure_reason::value_bytes));
  CHECK(refused(store.publish({}, {.within = &foreign}), errc::unsupported));
  CHECK(refused(store.publish_batch({}), errc::invalid_argument, failure_reason::page_size));
  CHECK(refused(store.publish_batch(std::vector<event>(1'001)), errc::invalid_argument, failure_reason::page_size));
  CHECK(refused(store.publish_batch(two, {.within = &foreign}), errc::unsupported));
  CHECK(refused(store.publish({}, {.deadline = time.now()}), errc::deadline_exceeded, failure_reason::caller_deadline));
  CHECK(refused(store.subscribe({.name = ""}), errc::invalid_argument, failure_reason::name));
  CHECK(refused(store.unsubscribe("a b"), errc::invalid_argument, failure_reason::name));
  CHECK_THROWS_AS((void)store.subscribe({.name = "s", .queue = {.deliveries_max = 1'001}}), std::invalid_argument);
  const auto none = store.publish_batch({{.extensions = {{"", ""}}}, {.extensions = {{"id", ""}}}}).value();
  CHECK((none.size() == 2 && !none[0] && !none[1]));
  CHECK(how.reached == 0);
  REQUIRE(store.publish({}, {.deadline = time.now() + 1ms}));
  REQUIRE(store.publish_batch(std::vector<event>(1'000)));
  CHECK(how.reached == 2);
}

TEST_CASE("the adapter gets events with an id, a source and a time, and keeps those that were given", "[topic]") {
  testing::manual_clock time;
  behaviour how;
  probe store(time, how);
  const auto got = store.publish({.type = "t"}).value();
  REQUIRE(how.published.size() == 1);
  CHECK((how.published[0].id == got.id && !got.id.empty() && how.published[0].source == "dormouse"));
  CHECK(how.published[0].time == time.wall());
  CHECK(store.publish({.source = "s", .id = "7", .time = calendar_time{1s}}).value().id == "7");
  CHECK((how.published[0].source == "s" && how.published[0].time == calendar_time{1s}));
}

TEST_CASE("answers of the adapter and of the checks are in the order of the events", "[topic]") {
  testing::manual_clock time;
  behaviour how;
  probe store(time, how);
  const event bad{.id = "bad", .extensions = {{"Bad", ""}}};
  const auto got = store.publish_batch({bad, {.id = "1"}, bad, bad, {.id = "2"}, bad}).value();
  REQUIRE(got.size() == 6);
  for (const std::size_t at : {0U, 2U, 3U, 5U}) CHECK(refused(got[at], errc::invalid_argument, failure_reason::name));
  CHECK((got[1].value().id == "1" && got[1].value().subscriptions == 0));
  CHECK((got[4].value().id == "2" && got[4].value().subscriptions == 1));
}

TEST_CASE("nothing that a topic's adapter throws leaves the topic", "[topic]") {
  testing::manual_clock time;
  behaviour how;
  probe store(time, how);
  const auto check = [&](errc code) {
    const auto is = [&](const auto& got, effect_kind effect) {
      return !got && got.error().code == code && got.error().effect == effect;
    };
    CHECK(is(store.publish({}), effect_kind::unknown));
    CHECK(is(store.publish_batch(two), effect_kind::unknown));
    CHECK(is(store.subscribe({.name = "s"}), effect_kind::unknown));
    CHECK(is(store.unsubscribe("s"), effect_kind::unknown));
    CHECK(is(store.subscriptions(), effect_kind::not_applied));
  };
  how.act = [] { throw std::runtime_error("no"); };
  check(errc::internal);
  how.act = [] { throw std::bad_alloc(); };
  check(errc::out_of_memory);
  how.act = [] { throw 7; };
  check(errc::internal);
}

TEST_CASE("failures of a topic's adapter are handed on as they are", "[topic]") {
  testing::manual_clock time;
  behaviour how;
  probe store(time, how);
  how.answer = failure{.code = errc::unavailable, .effect = effect_kind::applied, .detail = "engine", .native_code = 5};
  CHECK(store.publish({}).error() == *how.answer);
  CHECK(store.publish({}).error().native_code == 5);
  CHECK(store.publish_batch(two).error() == *how.answer);
  CHECK(store.subscribe({.name = "s"}).error() == *how.answer);
  CHECK(store.unsubscribe("s").error() == *how.answer);
  CHECK(store.subscriptions().error() == *how.answer);
}

TEST_CASE("an adapter that does not answer for each event is at fault, and the effect unknown", "[topic]") {
  testing::manual_clock time;
  behaviour how{.forgets = 1};
  probe store(time, how);
  for (const auto& got : {store.publish_batch(two)}) {
    REQUIRE(!got);
    CHECK((got.error().code == errc::internal && got.error().effect == effect_kind::unknown));
  }
  CHECK(store.publish({}).error().code == errc::internal);
}
