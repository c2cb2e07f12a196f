// SPDX-License-Identifier: MIT
// A decorated queue is a queue: each decorator, and all of them around each other, pass the suite.

#include "support/catch.hpp"

#include <dormouse/adapters/memory_queue.hpp>
#include <dormouse/adapters/metered_queue.hpp>
#include <dormouse/adapters/retrying_queue.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/faulty_queue.hpp>
#include <dormouse/testing/services/queue_conformance.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace dormouse;
using operation = service_operation;

namespace {

using wrapper = std::function<std::unique_ptr<queue>(queue&)>;

// Decorators around a queue, the last one outermost, that belong together; calls go to the last one.
class decorated final : public detail::forwarding_queue<detail::plain_forwarding> {
 public:
  using owned = std::vector<std::unique_ptr<queue>>;
  explicit decorated(owned all) : forwarding_queue(*all.back()), all_(std::move(all)) {}
  ~decorated() override {
    while (!all_.empty()) all_.pop_back();
  }

 private:
  owned all_;
};

void conforms(const std::vector<wrapper>& wrappers, testing::manual_clock& time) {
  const auto make = [&](const queue_settings& settings) {
    decorated::owned all;
    all.push_back(std::make_unique<memory_queue>(memory_queue_options{.settings = settings, .time = &time}));
    for (const auto& each : wrappers) all.push_back(each(*all.back()));
    return std::make_unique<decorated>(std::move(all));
  };
  testing::check_queue_conformance({.make = make,
                                    .now = [&] { return time.now(); },
                                    .advance = [&](auto by) { time.advance(by); },
                                    .wall = [&] { return time.wall(); }});
}

// Without delays: nobody moves the clock while a full queue refuses.
const wrapper retried = [](queue& inner) {
  return std::make_unique<retrying_queue>(inner,
                                          retrying_options{.attempts_max = 3, .delay_first = {}, .delay_max = {}});
};
const wrapper metered = [](queue& inner) { return std::make_unique<metered_queue>(inner); };
wrapper faulty(testing::service_fault_plan& plan) {
  return [&plan](queue& inner) { return std::make_unique<testing::faulty_queue>(inner, plan); };
}

// Says that it takes part in transactions, and takes no notice of them.
class transactional final : public detail::forwarding_queue<detail::plain_forwarding> {
 public:
  explicit transactional(queue& inner) : forwarding_queue(inner) {}
  queue_capabilities capabilities() const noexcept override {
    auto all = forwarding_queue::capabilities();
    all.shared_transactions = true;
    return all;
  }
};

// A retrying queue around a faulty one.
struct retried_queue {
  testing::manual_clock time{};
  testing::service_fault_plan plan{time};
  memory_queue inner{memory_queue_options{.time = &time}};
  testing::faulty_queue faulty{inner, plan};
  retrying_queue work{faulty, {.attempts_max = 3, .delay_first = {}, .delay_max = {}}};

  queue_delivery received() { return inner.receive().value().at(0); }
  std::size_t count() {
    const auto all = inner.counts().value();
    return all.visible + all.waiting + all.in_flight;
  }
};

template <class T>
bool is_unknown(const result<T>& got) {
  return !got && got.error().code == errc::unavailable && got.error().effect == effect_kind::unknown;
}

}  // namespace

TEST_CASE("a retrying queue conforms", "[adapter][queue][retrying]") {
  testing::manual_clock time;
  conforms({retried}, time);
}

TEST_CASE("a metered queue conforms", "[adapter][queue][metered]") {
  testing::manual_clock time;
  conforms({metered}, time);
}

TEST_CASE("a faulty queue whose plan is empty conforms", "[adapter][queue][faulty]") {
  testing::manual_clock time;
  testing::service_fault_plan plan(time);
  conforms({faulty(plan)}, time);
}

TEST_CASE("all decorators around a queue conform", "[adapter][queue][decorators]") {
  testing::manual_clock time;
  testing::service_fault_plan plan(time);
  conforms({faulty(plan), retried, metered, retried}, time);
}

TEST_CASE("a send of which nothing is known is made again only if its messages are known again",
          "[adapter][queue][retrying]") {
  retried_queue at;
  at.plan.lose_reply({.of = operation::queue_send, .times = 2});
  CHECK(is_unknown(at.work.send({.data = "plain"})));
  CHECK((at.work.repeated() == 0 && at.count() == 1));
  CHECK(at.work.send({.data = "known", .dedup_id = "id"}).value().duplicate);
  CHECK((at.work.repeated() == 1 && at.count() == 2));
  at.plan.lose_reply({.of = operation::queue_send_batch, .times = 2});
  CHECK(is_unknown(at.work.send_batch({{.data = "known", .dedup_id = "a"}, {.data = "plain"}})));
  CHECK((at.work.repeated() == 1 && at.count() == 4));
  CHECK(at.work.send_batch({{.data = "known", .dedup_id = "b"}, {.data = "known", .dedup_id = "c"}}));
  CHECK((at.work.repeated() == 2 && at.count() == 6));
  CHECK(at.plan.unfired().empty());
}

TEST_CASE("a send that changed nothing is made again, a full queue's refusal included", "[adapter][queue][retrying]") {
  retried_queue at;
  at.plan.fail({.of = operation::queue_send, .times = 2});
  REQUIRE(at.work.send({.data = "m"}));
  CHECK((at.work.repeated() == 2 && at.count() == 1));
  memory_queue small({.settings = {.messages_max = 1}, .time = &at.time});
  REQUIRE(small.send({.data = "m"}));
  retrying_queue patient(
      small, {.delay_first = std::chrono::seconds(1), .wait = [&](auto) { return small.purge().has_value(); }});
  CHECK(patient.send({.data = "m"}));
  CHECK(patient.repeated() == 1);
}

TEST_CASE("a message is not sent again when the queue may have forgotten it", "[adapter][queue][retrying]") {
  retried_queue at;
  const failure late{
      .code = errc::unavailable, .effect = effect_kind::not_applied, .retry_after = std::chrono::seconds(2)};
  memory_queue brief({.settings = {.dedup_window = std::chrono::seconds(3)}, .time = &at.time});
  testing::faulty_queue failing(brief, at.plan);
  retrying_queue work(failing, {.wait = [&](auto until) {
                        at.time.advance(until - at.time.now());
                        return true;
                      }});
  at.plan.lose_reply({.of = operation::queue_send}, late);
  CHECK(is_unknown(work.send({.data = "m", .dedup_id = "id"})));
  CHECK((work.repeated() == 0 && brief.counts().value().visible == 1));
}

TEST_CASE("a receive of which nothing is known is not made again, an ack is", "[adapter][queue][retrying]") {
  retried_queue at;
  for (const char* each : {"a", "b", "c", "d", "e", "f"}) REQUIRE(at.inner.send({.data = each}));
  at.plan.lose_reply({.of = operation::queue_receive});
  CHECK(is_unknown(at.work.receive()));
  CHECK((at.work.repeated() == 0 && at.inner.counts().value().in_flight == 1));
  at.plan.fail({.of = operation::queue_receive});
  REQUIRE(at.work.receive().value().size() == 1);
  CHECK(at.work.repeated() == 1);

  at.plan.lose_reply({.of = operation::queue_ack});
  CHECK(at.work.ack(at.received().receipt));
  CHECK((at.work.repeated() == 2 && at.count() == 5));
  for (const auto each : {operation::queue_nack, operation::queue_extend, operation::queue_reject}) {
    at.plan.lose_reply({.of = each});
  }
  CHECK(is_unknown(at.work.nack(at.received().receipt, std::chrono::seconds(60))));
  CHECK(is_unknown(at.work.extend(at.received().receipt, std::chrono::seconds(60))));
  CHECK(is_unknown(at.work.reject(at.received().receipt, "")));
  CHECK((at.work.repeated() == 2 && at.plan.unfired().empty()));
}

TEST_CASE("a call within a transaction is never made again", "[adapter][queue][retrying]") {
  retried_queue at;
  transactional inner(at.faulty);
  retrying_queue work(inner, {.attempts_max = 3, .delay_first = {}, .delay_max = {}});
  testing::queue_conformance::foreign_transaction all;
  const queue_send_options within{.within = &all};
  at.plan.fail({.of = operation::queue_send});
  at.plan.fail({.of = operation::queue_send_batch});
  at.plan.fail({.of = operation::queue_ack});
  CHECK(!work.send({.data = "m", .dedup_id = "id"}, within));
  CHECK(!work.send_batch({{.data = "m", .dedup_id = "a"}, {.data = "m", .dedup_id = "b"}}, within));
  CHECK((at.count() == 0 && work.send({.data = "m"}, within)));
  const auto got = at.received();
  CHECK(!work.ack(got.receipt, within));
  CHECK(work.ack(got.receipt, within));
  CHECK((work.repeated() == 0 && at.plan.unfired().empty()));
}

TEST_CASE("a metered queue counts each kind of call, its failures and its bytes", "[adapter][queue][metered]") {
  testing::manual_clock time;
  memory_queue inner({.settings = {.messages_max = 4}, .time = &time});
  metered_queue work(inner);
  REQUIRE(work.send({.data = "12345", .attributes = {{"ab", "c"}}}));
  REQUIRE(work.send_batch({{.data = "1"}, {.data = "2"}, {.data = "3"}}));
  CHECK(!work.send({.data = "4"}));
  const auto got = work.receive({.count = 2}).value();
  REQUIRE(work.ack(got.at(0).receipt));
  REQUIRE(work.nack(got.at(1).receipt));
  CHECK((work.statistics(operation::queue_send).calls == 2 && work.statistics(operation::queue_send).bytes_in == 9));
  CHECK(work.statistics(operation::queue_send).failed(errc::throttled) == 1);
  CHECK((work.statistics(operation::queue_send_batch).calls == 1));
  CHECK(work.statistics(operation::queue_send_batch).bytes_in == 3);
  CHECK((work.statistics(operation::queue_receive).calls == 1));
  CHECK(work.statistics(operation::queue_receive).bytes_out == 9);
  CHECK((work.statistics(operation::queue_ack).calls == 1 && work.statistics(operation::queue_nack).calls == 1));
  CHECK(work.statistics(operation::queue_settle).calls == 0);
}
