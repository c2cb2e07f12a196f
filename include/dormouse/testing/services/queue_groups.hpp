// SPDX-License-Identifier: MIT
#pragma once

// Messages of one group come one after the other. Part of queue_conformance.hpp.

#include <dormouse/testing/services/queue_harness.hpp>

#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::queue_conformance {

inline void check_group_order(const queue_harness& harness) {
  const auto work = open(harness);
  SECTION("one message of each group at a time, in the order they were sent; who has no group waits for nobody") {
    send_all(*work, {"a1", "a2", "a3"}, "a");
    send_all(*work, {"b1", "b2"}, "b");
    send_all(*work, {"x", "y"});
    CHECK(counts_are(*work, 4, 3, 0));
    const auto first = taken(*work);
    CHECK((data_of(first) == texts{"a1", "b1", "x", "y"}));
    CHECK(gives_nothing(*work));
    CHECK(counts_are(*work, 0, 3, 4));
    REQUIRE(work->ack(first[0].receipt));
    CHECK(counts_are(*work, 1, 2, 3));
    const auto second = taken(*work);
    CHECK((data_of(second) == texts{"a2"}));
    REQUIRE(work->ack(first[1].receipt));
    CHECK((taken_data(*work) == texts{"b2"}));
    REQUIRE(work->ack(second[0].receipt));
    CHECK((taken_data(*work) == texts{"a3"}));
  }
  SECTION("groups are told apart by all their bytes") {
    const std::string longest(queue::name_bytes_max, 'g');
    const texts names{longest,          longest.substr(1),       std::string("a\0", 2),
                      std::string("a"), std::string("a\0\0", 3), "A"};
    for (const auto& each : names) send_all(*work, {"1", "2"}, each);
    CHECK(counts_are(*work, names.size(), names.size(), 0));
    const auto got = taken(*work);
    REQUIRE(got.size() == names.size());
    for (std::size_t i = 0; i < names.size(); ++i) CHECK((got[i].group == names[i] && got[i].data == "1"));
  }
}

// Who is at the head of the group "g", and what happens to it.
inline void check_group_heads(const queue_harness& harness) {
  const auto work = open(harness, {.deliveries_max = 2});
  SECTION("a head whose visibility has passed comes again, before the next") {
    send_all(*work, {"1", "2"}, "g");
    const auto former = received(*work);
    harness.advance(seconds(30));
    CHECK(counts_are(*work, 1, 1, 0));
    const auto again = received(*work, {.count = 10});
    CHECK((again.data == "1" && again.deliveries == 2));
    REQUIRE(work->ack(again.receipt));
    take_and_ack(*work, "2");
  }
  SECTION("a head whose time is over and that is acknowledged late lets the next one come") {
    send_all(*work, {"1", "2"}, "g");
    const auto former = received(*work);
    harness.advance(seconds(31));
    REQUIRE(work->ack(former.receipt));
    take_and_ack(*work, "2");
  }
  SECTION("a head that was given back with a delay holds the others") {
    send_all(*work, {"1", "2"}, "g");
    sent(*work, "free", "h");
    const auto head = received(*work);
    REQUIRE(work->nack(head.receipt, seconds(60)));
    take_and_ack(*work, "free");
    CHECK(counts_are(*work, 0, 2, 0));
    harness.advance(seconds(60) - milliseconds(1));
    CHECK(gives_nothing(*work));
    harness.advance(milliseconds(1));
    take_and_ack(*work, "1");
    take_and_ack(*work, "2");
  }
  SECTION("a delayed one holds those behind it, not those before") {
    sent(*work, "1", "g");
    sent(*work, {.data = "2", .group = "g", .delay = seconds(10)});
    sent(*work, "3", "g");
    CHECK(counts_are(*work, 1, 2, 0));
    take_and_ack(*work, "1");
    CHECK(gives_nothing(*work));
    harness.advance(seconds(10));
    CHECK(counts_are(*work, 1, 1, 0));
    take_and_ack(*work, "2");
    take_and_ack(*work, "3");
  }
  SECTION("a head that dies lets the next one come") {
    send_all(*work, {"1", "2", "3", "4"}, "g");
    REQUIRE(work->reject(received(*work).receipt, "never"));
    REQUIRE(work->nack(received(*work).receipt));
    CHECK(received(*work).data == "2");
    CHECK(gives_nothing(*work));
    harness.advance(seconds(30));
    const auto third = received(*work, {.count = 10});
    CHECK((third.data == "3" && third.deliveries == 1));
    REQUIRE(work->nack(third.receipt));
    REQUIRE(work->nack(received(*work).receipt));
    take_and_ack(*work, "4");
    CHECK((data_of(letters_of(*work)) == texts{"1", "2", "3"}));
  }
  SECTION("a purge ends what its groups waited for") {
    send_all(*work, {"1", "2"}, "g");
    received(*work);
    REQUIRE(work->purge().value() == 2);
    sent(*work, "3", "g");
    take_and_ack(*work, "3");
  }
  SECTION("what is redriven is in its group again, and one of it at a time comes") {
    send_all(*work, {"1", "2"}, "g");
    REQUIRE(work->reject(received(*work).receipt, ""));
    const auto second = received(*work);
    REQUIRE(work->redrive(1).value() == 1);
    CHECK(gives_nothing(*work));
    REQUIRE(work->ack(second.receipt));
    take_and_ack(*work, "1");
  }
}

inline void check_old_heads(const queue_harness& harness) {
  const auto work = open(harness, {.retention = seconds(60)});
  SECTION("a head that is too old lets the next one come, in flight or not") {
    send_all(*work, {"1", "2"}, "g");
    received(*work, {.visibility = queue::visibility_max});
    harness.advance(seconds(30));
    sent(*work, "3", "g");
    CHECK(gives_nothing(*work));
    harness.advance(seconds(30));
    take_and_ack(*work, "3");
    CHECK((data_of(letters_of(*work)) == texts{"1", "2"}));
  }
}

inline void check_groups(const queue_harness& harness) {
  if (!open(harness)->capabilities().groups) return;
  check_group_order(harness);
  check_group_heads(harness);
  check_old_heads(harness);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::queue_conformance
