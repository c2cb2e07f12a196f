// SPDX-License-Identifier: MIT
#pragma once

// A queue is bounded: each bound is refused by its name, and passes. Part of queue_conformance.hpp.

#include <dormouse/testing/services/queue_harness.hpp>

#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::queue_conformance {

inline void check_depth(const queue_harness& harness) {
  SECTION("messages_max: in flight and delayed ones count, dead and acknowledged ones do not") {
    const auto work = open(harness, {.messages_max = 3});
    const auto is_full = [&] {
      return refused(work->send(message("x")), errc::throttled, failure_reason::queue_depth);
    };
    send_all(*work, {"a", "b"});
    const auto got = received(*work);
    sent(*work, {.data = "c", .delay = seconds(10)});
    CHECK(is_full());
    CHECK(counts_are(*work, 1, 1, 1));
    REQUIRE(work->ack(got.receipt));
    sent(*work, "d");
    CHECK(is_full());
    REQUIRE(work->reject(received(*work).receipt, ""));
    sent(*work, "e");
    CHECK(is_full());
    CHECK(work->purge().value() == 3);
    send_all(*work, {"f", "g", "h"});
    CHECK(is_full());
  }
  SECTION("of a batch, as many as there is room for") {
    const auto work = open(harness, {.messages_max = 2});
    const auto got = work->send_batch({message("a"), message("b"), message("c")}).value();
    REQUIRE(got.size() == 3);
    CHECK((got[0] && got[1]));
    CHECK(refused(got[2], errc::throttled, failure_reason::queue_depth));
    CHECK((taken_data(*work) == texts{"a", "b"}));
  }
  SECTION("redrive() sends as many as there is room for, and is throttled when that is none") {
    const auto work = open(harness, {.messages_max = 2});
    for (const char* each : {"a", "b", "c"}) killed(*work, each);
    sent(*work, "alive");
    CHECK(work->redrive(3).value() == 1);
    CHECK(counts_are(*work, 2, 0, 0, 2));
    const auto id = letters_of(*work).at(0).id;
    CHECK(refused(work->redrive(3), errc::throttled, failure_reason::queue_depth));
    CHECK(refused(work->redrive(id), errc::throttled, failure_reason::queue_depth));
    CHECK(counts_are(*work, 2, 0, 0, 2));
    CHECK(work->purge().value() == 2);
    CHECK(work->redrive(3).value() == 2);
  }
}

inline void check_bytes(const queue_harness& harness) {
  const auto work = open(harness, {.bytes_max = 100'000});
  SECTION("bytes_max: what there is no room for is refused, and what is gone makes room") {
    const std::string text(60'000, 'x');
    const auto is_full = [&](const queue_message& what) {
      return refused(work->send(what), errc::throttled, failure_reason::queue_bytes);
    };
    sent(*work, text);
    CHECK(is_full(message(text)));
    CHECK(is_full({.attributes = {{"a", text}}}));
    REQUIRE(work->send(message("small")));
    const auto got = work->send_batch({message(text), message("small")}).value();
    CHECK(refused(got.at(0), errc::throttled, failure_reason::queue_bytes));
    CHECK(got.at(1));
    take_and_ack(*work, text);
    sent(*work, {.attributes = {{"a", text}}});
    CHECK(is_full(message(text)));
    CHECK(work->purge().value() == 3);
    const auto id = killed(*work, text);
    sent(*work, text);
    CHECK(refused(work->redrive(1), errc::throttled, failure_reason::queue_bytes));
    CHECK(refused(work->redrive(id), errc::throttled, failure_reason::queue_bytes));
    take_and_ack(*work, text);
    CHECK(work->redrive(1).value() == 1);
    CHECK(is_full(message(text)));
  }
}

inline void check_in_flight(const queue_harness& harness) {
  const auto work = open(harness, {.in_flight_max = 2});
  const auto is_full = [&] { return refused(work->receive(), errc::throttled, failure_reason::in_flight); };
  send_all(*work, {"a", "b", "c", "d"});
  SECTION("in_flight_max: no more are received until one is settled or its time is over") {
    const auto got = taken(*work);
    CHECK((data_of(got) == texts{"a", "b"}));
    CHECK(is_full());
    CHECK(counts_are(*work, 2, 0, 2));
    REQUIRE(work->ack(got[0].receipt));
    CHECK((taken_data(*work) == texts{"c"}));
    CHECK(is_full());
    REQUIRE(work->nack(got[1].receipt, seconds(60)));
    CHECK((taken_data(*work) == texts{"d"}));
    CHECK(counts_are(*work, 0, 1, 2));
    harness.advance(seconds(30));
    CHECK(taken(*work).size() == 2);
    CHECK(work->purge().value() == 3);
    sent(*work, "e");
    CHECK((taken_data(*work) == texts{"e"}));
  }
  SECTION("a receiver that would wait is refused at once") {
    CHECK(taken(*work).size() == 2);
    CHECK(refused(work->receive({.wait = seconds(20)}), errc::throttled, failure_reason::in_flight));
  }
}

inline void check_dead_letters_max(const queue_harness& harness) {
  const auto work = open(harness, {.deliveries_max = 1, .dead_letters_max = 2});
  const auto is_full = [](const auto& got) { return refused(got, errc::limit_exceeded, failure_reason::dead_letters); };
  SECTION("dead_letters_max: nothing is dropped, nothing more is sent, and nothing more dies") {
    send_all(*work, {"a", "b", "c", "d"});
    const auto got = taken(*work);
    REQUIRE(work->reject(got.at(0).receipt, ""));
    REQUIRE(work->reject(got.at(1).receipt, ""));
    CHECK(is_full(work->send(message("x"))));
    CHECK(is_full(work->send_batch({message("x")}).value().at(0)));
    CHECK(is_full(work->reject(got.at(2).receipt, "")));
    CHECK(is_full(work->nack(got.at(3).receipt)));
    CHECK(counts_are(*work, 0, 0, 2, 2));
    REQUIRE(work->ack(got.at(2).receipt));
    harness.advance(seconds(30));  // the last one has used up its deliveries
    CHECK(gives_nothing(*work));
    CHECK(letters_of(*work).size() == 2);
    REQUIRE(work->erase_dead_letter(got.at(0).id).value());
    CHECK(gives_nothing(*work));
    CHECK((data_of(letters_of(*work)) == texts{"b", "d"}));
    CHECK(is_full(work->send(message("x"))));
    CHECK(work->redrive(1).value() == 1);
    REQUIRE(work->send(message("y")));
    CHECK(taken(*work).size() == 2);
  }
}

inline void check_capacity(const queue_harness& harness) {
  check_depth(harness);
  check_bytes(harness);
  check_in_flight(harness);
  check_dead_letters_max(harness);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::queue_conformance
