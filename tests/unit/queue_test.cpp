// SPDX-License-Identifier: MIT
// What is the interface's own: checks before the adapter, what a batch is answered, containment.

#include "support/catch.hpp"

#include <dormouse/services/queue.hpp>
#include <dormouse/services/service_transaction.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/service_harness.hpp>

#include <chrono>
#include <functional>
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

// What a queue does when it is reached: counts, throws or fails as it is told, and keeps what it was given.
struct behaviour {
  int reached = 0;
  std::function<void()> act{};  // may throw
  std::optional<failure> answer{};
  std::size_t answers_less = 0;
  queue_capabilities able{};
  std::vector<queue_message> sent{};
  std::vector<queue_settlement> settled{};

  template <class T>
  result<T> arrive(T otherwise) {
    ++reached;
    if (act) act();
    if (answer) return *answer;
    return otherwise;
  }
};

class probe final : public queue {
 public:
  probe(const dormouse::clock& time, behaviour& how) : queue(time), how_(how) {}
  queue_capabilities capabilities() const noexcept override { return how_.able; }
  durability_level durability() const noexcept override { return durability_level::memory; }
  queue_settings settings() const noexcept override { return {}; }

 private:
  result<std::vector<result<sent_message>>> do_send(std::vector<queue_message>&& messages,
                                                    const queue_send_options&) override {
    how_.sent = std::move(messages);
    std::vector<result<sent_message>> answers;
    for (std::size_t at = how_.answers_less; at < how_.sent.size(); ++at) {
      answers.push_back(sent_message{.id = std::string(how_.sent[at].data.text()), .sequence = at + 1});
    }
    return how_.arrive(std::move(answers));
  }
  result<std::vector<queue_delivery>> do_receive(const queue_receive_options&) override {
    return how_.arrive(std::vector<queue_delivery>{});
  }
  result<std::vector<result<void>>> do_settle(std::vector<queue_settlement>&& what,
                                              const queue_send_options&) override {
    how_.settled = std::move(what);
    return how_.arrive(std::vector<result<void>>(how_.settled.size() - how_.answers_less));
  }
  result<queue_counts> do_counts(const call_options&) override { return how_.arrive(queue_counts{}); }
  result<dead_letter_page> do_dead_letters(const dead_letter_list_options&) override {
    return how_.arrive(dead_letter_page{});
  }
  result<std::size_t> do_redrive(std::string_view, std::size_t count, const call_options&) override {
    return how_.arrive(count);
  }
  result<bool> do_erase_dead_letter(std::string_view, const call_options&) override { return how_.arrive(true); }
  result<std::size_t> do_purge(const call_options&) override { return how_.arrive(std::size_t{7}); }
  result<void> do_watch(change_watcher&) override {
    auto got = how_.arrive(true);
    return got ? result<void>{} : result<void>(got.error());
  }
  void do_unwatch(change_watcher&) noexcept override {}
  result<std::optional<clock::time_point>> do_next_visible(const call_options&) override {
    return how_.arrive(std::optional<clock::time_point>{});
  }
  behaviour& how_;
};

class probe_transaction final : public service_transaction {
 public:
  result<void> commit() override { return {}; }
  void roll_back() noexcept override {}
  [[nodiscard]] const void* engine() const noexcept override { return this; }
};

struct fixture {
  testing::manual_clock time{};
  behaviour how{};
  probe work{time, how};
};

template <class T>
bool failed(const result<T>& got, errc code, effect_kind effect) {
  return !got && got.error().code == code && got.error().effect == effect;
}

queue_message with_attributes(std::size_t count) {
  queue_message made;
  for (std::size_t at = 0; at < count; ++at) made.attributes.emplace("a" + std::to_string(at), "");
  return made;
}

const std::string long_name(queue::name_bytes_max + 1, 'n');
constexpr auto invalid = errc::invalid_argument;

}  // namespace

TEST_CASE("messages that no queue takes never reach the adapter", "[queue]") {
  fixture at;
  at.how.able = {.groups = true, .deduplication = true};
  constexpr auto name = failure_reason::name;
  for (const char* each : {"", "a b", "a/b", "\xc3\xa4"}) {
    CHECK(refused(at.work.send({.attributes = {{each, "v"}}}), invalid, name));
  }
  CHECK(refused(at.work.send({.attributes = {{long_name, "v"}}}), invalid, name));
  CHECK(refused(at.work.send(with_attributes(queue::attributes_max + 1)), invalid, name));
  CHECK(refused(at.work.send({.group = long_name}), invalid, name));
  CHECK(refused(at.work.send({.dedup_id = long_name}), invalid, name));
  CHECK(refused(at.work.send({.delay = -1ms}), invalid));
  CHECK(refused(at.work.send({.delay = 15min + 1ms}), invalid));
  const std::string most(queue::message_bytes_max, 'x');
  CHECK(refused(at.work.send({.data = most + "x"}), errc::too_large, failure_reason::value_bytes));
  CHECK(refused(at.work.send({.data = most.substr(2), .attributes = {{"a", "bc"}}}), errc::too_large,
                failure_reason::value_bytes));
  CHECK(at.how.reached == 0);
  CHECK(at.work.send({.data = most.substr(3), .attributes = {{"a", "bc"}}}));
  CHECK(at.work.send(with_attributes(queue::attributes_max)));
  CHECK(at.work.send({.attributes = {{"aZ0_.-", std::string("\0\xff", 2)}},
                      .group = long_name.substr(1),
                      .dedup_id = long_name.substr(1),
                      .delay = 15min}));
}

TEST_CASE("what a queue cannot do is refused as unsupported, before any effect", "[queue]") {
  fixture at;
  at.how.able.delay_max = 1s;
  probe_transaction all;
  CHECK(refused(at.work.send({.group = "g"}), errc::unsupported));
  CHECK(refused(at.work.send({.dedup_id = "d"}), errc::unsupported));
  CHECK(refused(at.work.send({.delay = 1001ms}), errc::unsupported));
  CHECK(refused(at.work.send({}, {.within = &all}), errc::unsupported));
  CHECK(refused(at.work.send_batch({{}}, {.within = &all}), errc::unsupported));
  CHECK(refused(at.work.ack("r", {.within = &all}), errc::unsupported));
  CHECK(refused(at.work.settle({{.receipt = "r"}}, {.within = &all}), errc::unsupported));
  CHECK(at.how.reached == 0);
  CHECK(at.work.send({.delay = 1s}));
  at.how.able.delay_max = 1h;
  CHECK(at.work.send({.delay = 1h}));
  at.how.able.shared_transactions = true;
  CHECK(at.work.send({}, {.within = &all}));
}

TEST_CASE("calls outside a queue's bounds never reach the adapter", "[queue]") {
  fixture at;
  constexpr auto size = failure_reason::page_size;
  CHECK(refused(at.work.receive({.count = 0}), invalid, size));
  CHECK(refused(at.work.receive({.count = 1'001}), invalid, size));
  CHECK(refused(at.work.receive({.wait = -1ms}), invalid));
  CHECK(refused(at.work.receive({.wait = queue::wait_max + 1ms}), invalid));
  CHECK(refused(at.work.receive({.visibility = -1ms}), invalid));
  CHECK(refused(at.work.receive({.visibility = queue::visibility_max + 1ms}), invalid));
  CHECK(refused(at.work.send_batch({}), invalid, size));
  CHECK(refused(at.work.send_batch(std::vector<queue_message>(queue::batch_max + 1)), invalid, size));
  CHECK(refused(at.work.settle({}), invalid, size));
  CHECK(refused(at.work.settle(std::vector<queue_settlement>(queue::batch_max + 1)), invalid, size));
  CHECK(refused(at.work.ack(""), invalid, failure_reason::name));
  CHECK(refused(at.work.ack(long_name), invalid, failure_reason::name));
  CHECK(refused(at.work.nack("r", -1ms), invalid));
  CHECK(refused(at.work.extend("r", queue::visibility_max + 1ms), invalid));
  CHECK(refused(at.work.dead_letters({.page_size = 0}), invalid, size));
  CHECK(refused(at.work.dead_letters({.page_size = queue::page_size_max + 1}), invalid, size));
  CHECK(refused(at.work.redrive(0), invalid, size));
  CHECK(refused(at.work.redrive(1'001), invalid, size));
  CHECK(refused(at.work.redrive(""), invalid, failure_reason::name));
  CHECK(refused(at.work.erase_dead_letter(long_name), invalid, failure_reason::name));
  CHECK(at.how.reached == 0);
  CHECK(at.work.receive({.count = queue::batch_max, .wait = queue::wait_max, .visibility = queue::visibility_max}));
  CHECK(at.work.redrive("id").value());
  CHECK(at.work.redrive(1'000).value() == 1'000);
}

TEST_CASE("a call of a queue whose deadline has passed does nothing", "[queue]") {
  fixture at;
  const auto past = at.time.now();
  const auto late = [](const auto& got) {
    return refused(got, errc::deadline_exceeded, failure_reason::caller_deadline);
  };
  CHECK(late(at.work.send({}, {.deadline = past})));
  CHECK(late(at.work.send_batch({{}}, {.deadline = past})));
  CHECK(late(at.work.receive({.deadline = past})));
  CHECK(late(at.work.ack("r", {.deadline = past})));
  CHECK(late(at.work.nack("r", {}, {}, {.deadline = past})));
  CHECK(late(at.work.extend("r", 1s, {.deadline = past})));
  CHECK(late(at.work.reject("r", "", {.deadline = past})));
  CHECK(late(at.work.settle({{.receipt = "r"}}, {.deadline = past})));
  CHECK(late(at.work.counts({.deadline = past})));
  CHECK(late(at.work.dead_letters({.deadline = past})));
  CHECK(late(at.work.redrive(1, {.deadline = past})));
  CHECK(late(at.work.redrive("id", {.deadline = past})));
  CHECK(late(at.work.erase_dead_letter("id", {.deadline = past})));
  CHECK(late(at.work.purge({.deadline = past})));
  CHECK(late(at.work.next_visible({.deadline = past})));
  CHECK(at.how.reached == 0);
  CHECK(at.work.send({}, {.deadline = past + 1ns}));
}

TEST_CASE("each message of a batch has its own answer, in its own place", "[queue]") {
  fixture at;
  std::vector<queue_message> batch(5);
  for (std::size_t i = 0; i < batch.size(); ++i) batch[i].data = std::to_string(i);
  batch[0].delay = -1ms;
  batch[3].group = "g";
  const auto answers = at.work.send_batch(std::move(batch)).value();
  REQUIRE(answers.size() == 5);
  CHECK(refused(answers[0], invalid));
  CHECK(answers[1].value().id == "1");
  CHECK(answers[2].value().id == "2");
  CHECK(refused(answers[3], errc::unsupported));
  CHECK(answers[4].value().id == "4");
  CHECK(at.how.sent.size() == 3);

  const auto settled =
      at.work
          .settle({{.receipt = "a"}, {.receipt = ""}, {.receipt = "b", .kind = settlement_kind{9}}, {.receipt = "c"}})
          .value();
  REQUIRE(settled.size() == 4);
  CHECK(settled[0]);
  CHECK(refused(settled[1], invalid, failure_reason::name));
  CHECK(refused(settled[2], invalid));
  REQUIRE(at.how.settled.size() == 2);
  CHECK(at.how.settled[1].receipt == "c");

  at.how.reached = 0;
  CHECK(refused(at.work.send_batch({{.delay = -1ms}}).value().front(), invalid));
  CHECK(at.how.reached == 0);
}

TEST_CASE("an adapter gets of a settlement what its kind has, and an error that is cut", "[queue]") {
  fixture at;
  REQUIRE(at.work.settle({{"a", settlement_kind::ack, 5s, "why"},
                          {"b", settlement_kind::extend, 5s, "why"},
                          {"c", settlement_kind::nack, 5s, "why"},
                          {"d", settlement_kind::dead_letter, 5s, "why"}}));
  CHECK((at.how.settled[0].delay == 0s && at.how.settled[0].error.empty()));
  CHECK((at.how.settled[1].delay == 5s && at.how.settled[1].error.empty()));
  CHECK((at.how.settled[2].delay == 5s && at.how.settled[2].error == "why"));
  CHECK((at.how.settled[3].delay == 0s && at.how.settled[3].error == "why"));

  const std::string longest(queue::error_bytes_max, 'e');
  REQUIRE(at.work.nack("r", 0s, longest + "more"));
  CHECK(at.how.settled[0].error == longest);
  REQUIRE(at.work.reject("r", longest.substr(1) + "\xc3\xa4"));  // a character that would be cut in two
  CHECK(at.how.settled[0].error == longest.substr(1));
}

TEST_CASE("what an adapter of queues throws becomes a failure with its effect", "[queue]") {
  fixture at;
  for (const auto& [thrown, code] :
       {std::pair<std::function<void()>, errc>{[] { throw std::bad_alloc{}; }, errc::out_of_memory},
        {[] { throw std::runtime_error("broken"); }, errc::internal},
        {[] { throw 7; }, errc::internal}}) {
    at.how.act = thrown;
    constexpr auto unknown = effect_kind::unknown;
    CHECK(failed(at.work.send({}), code, unknown));
    CHECK(failed(at.work.send_batch({{}}), code, unknown));
    CHECK(failed(at.work.receive(), code, unknown));
    CHECK(failed(at.work.ack("r"), code, unknown));
    CHECK(failed(at.work.settle({{.receipt = "r"}}), code, unknown));
    CHECK(failed(at.work.counts(), code, unknown));
    CHECK(failed(at.work.dead_letters(), code, unknown));
    CHECK(failed(at.work.redrive(1), code, unknown));
    CHECK(failed(at.work.redrive("id"), code, unknown));
    CHECK(failed(at.work.erase_dead_letter("id"), code, unknown));
    CHECK(failed(at.work.purge(), code, unknown));
    CHECK(failed(at.work.next_visible(), code, unknown));
  }
}

TEST_CASE("an adapter that fails, or gives too few answers, is not believed to have done more", "[queue]") {
  fixture at;
  at.how.answers_less = 1;
  CHECK(failed(at.work.send({}), errc::internal, effect_kind::unknown));
  CHECK(failed(at.work.ack("r"), errc::internal, effect_kind::unknown));
  CHECK(failed(at.work.send_batch({{}, {}}), errc::internal, effect_kind::unknown));
  CHECK(failed(at.work.settle({{.receipt = "r"}}), errc::internal, effect_kind::unknown));
  at.how.answers_less = 0;
  at.how.answer = failure{.code = errc::unavailable, .effect = effect_kind::not_applied};
  CHECK(refused(at.work.send({}), errc::unavailable));
  CHECK(refused(at.work.send_batch({{}}), errc::unavailable));
  CHECK(refused(at.work.ack("r"), errc::unavailable));
}

TEST_CASE("settings of a queue outside their bounds are named", "[queue]") {
  const auto named = [](const queue_settings& settings, const std::string& member) {
    try {
      check_queue_settings(settings, "some_options");
    } catch (const std::invalid_argument& why) {
      return std::string(why.what()).find("some_options::settings." + member + " is ") != std::string::npos;
    }
    return false;
  };
  CHECK(named({.visibility = -1ms}, "visibility"));
  CHECK(named({.visibility = 12h + 1ms}, "visibility"));
  CHECK(named({.deliveries_max = 0}, "deliveries_max"));
  CHECK(named({.deliveries_max = 1'001}, "deliveries_max"));
  CHECK(named({.retention = 59s}, "retention"));
  CHECK(named({.retention = 14 * 24h + 1s}, "retention"));
  CHECK(named({.dedup_window = 0s}, "dedup_window"));
  CHECK(named({.dedup_window = 24h + 1s}, "dedup_window"));
  CHECK(named({.messages_max = 0}, "messages_max"));
  CHECK(named({.messages_max = 100'000'001}, "messages_max"));
  CHECK(named({.bytes_max = 0}, "bytes_max"));
  CHECK(named({.bytes_max = (std::size_t{1} << 40U) + 1}, "bytes_max"));
  CHECK(named({.in_flight_max = 0}, "in_flight_max"));
  CHECK(named({.in_flight_max = 1'000'001}, "in_flight_max"));
  CHECK(named({.dead_letters_max = 0}, "dead_letters_max"));
  CHECK(named({.dead_letters_max = 10'000'001}, "dead_letters_max"));
  CHECK_NOTHROW(check_queue_settings({}, "some_options"));
  CHECK_NOTHROW(check_queue_settings({.visibility = 0ms,
                                      .deliveries_max = 1,
                                      .retention = 60s,
                                      .dedup_window = 1s,
                                      .messages_max = 1,
                                      .bytes_max = 1,
                                      .in_flight_max = 1,
                                      .dead_letters_max = 1},
                                     "some_options"));
}
