// SPDX-License-Identifier: MIT
#pragma once

// When messages can be received: visibility, delay, and what changes them. Part of queue_conformance.hpp.

#include <dormouse/testing/services/queue_harness.hpp>

#include <chrono>
#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::queue_conformance {

// Nothing until `after` has passed, and one message then.
inline bool comes_after(const queue_harness& harness, queue& work, milliseconds after) {
  if (!gives_nothing(work)) return false;
  harness.advance(after - milliseconds(1));
  if (!gives_nothing(work)) return false;
  harness.advance(milliseconds(1));
  return taken(work).size() == 1;
}

inline void check_hiding(const queue_harness& harness) {
  const auto work = open(harness);
  SECTION("a message that was received is hidden, and comes again when its visibility has passed") {
    const auto told = sent(*work, "m");
    const auto first = received(*work);
    const auto received_at = first.first_received_at;
    CHECK(gives_nothing(*work));
    harness.advance(seconds(30) - milliseconds(1));
    CHECK(gives_nothing(*work));
    CHECK(counts_are(*work, 0, 0, 1));
    harness.advance(milliseconds(1));
    CHECK(counts_are(*work, 1, 0, 0));
    const auto second = received(*work);
    CHECK((second.id == told.id && second.sequence == told.sequence && second.data == "m"));
    CHECK((second.deliveries == 2 && second.receipt != first.receipt));
    CHECK(second.sent_at == first.sent_at);
    CHECK(to_milliseconds(second.first_received_at) == to_milliseconds(received_at));
    CHECK(gives_nothing(*work));
    REQUIRE(work->ack(second.receipt));
    harness.advance(std::chrono::hours(1));
    CHECK(gives_nothing(*work));
  }
  SECTION("each receive() may say how long, from nothing to 12 hours") {
    sent(*work, "m");
    CHECK(received(*work, {.visibility = milliseconds(0)}).deliveries == 1);
    CHECK(received(*work, {.visibility = milliseconds(1)}).deliveries == 2);
    CHECK(comes_after(harness, *work, milliseconds(1)));
    harness.advance(seconds(30));
    CHECK(received(*work, {.visibility = queue::visibility_max}).deliveries == 4);
    CHECK(comes_after(harness, *work, queue::visibility_max));
  }
  SECTION("the queue's own visibility is what it was opened with") {
    const auto brief = open(harness, {.visibility = milliseconds(7)});
    sent(*brief, "m");
    received(*brief);
    CHECK(comes_after(harness, *brief, milliseconds(7)));
    const auto none = open(harness, {.visibility = milliseconds(0)});
    sent(*none, "m");
    for (unsigned i = 1; i <= 5; ++i) CHECK(received(*none).deliveries == i);
  }
}

inline void check_extend(const queue_harness& harness) {
  const auto work = open(harness);
  sent(*work, "m");
  const auto got = received(*work);
  SECTION("extend() hides for so long from now on, again and again") {
    for (int i = 0; i < 3; ++i) {
      harness.advance(seconds(20));
      REQUIRE(work->extend(got.receipt, seconds(25)));
    }
    CHECK(comes_after(harness, *work, seconds(25)));
  }
  SECTION("or for less") {
    REQUIRE(work->extend(got.receipt, milliseconds(10)));
    CHECK(comes_after(harness, *work, milliseconds(10)));
  }
  SECTION("or not any more; then the receipt is good for an ack only") {
    REQUIRE(work->extend(got.receipt, milliseconds(0)));
    CHECK(counts_are(*work, 1, 0, 0));
    CHECK(is_stale(work->extend(got.receipt, seconds(1))));
    CHECK(received(*work).deliveries == 2);
  }
}

inline void check_nack(const queue_harness& harness) {
  const auto work = open(harness);
  const auto told = sent(*work, "m");
  const auto got = received(*work);
  SECTION("nack() makes it visible at once") {
    REQUIRE(work->nack(got.receipt));
    CHECK(counts_are(*work, 1, 0, 0));
    const auto again = received(*work);
    CHECK((again.id == told.id && again.deliveries == 2 && again.receipt != got.receipt));
    REQUIRE(work->ack(again.receipt));
  }
  SECTION("or after a delay, which may be longer than its visibility was") {
    REQUIRE(work->nack(got.receipt, seconds(45), "why"));
    CHECK(counts_are(*work, 0, 1, 0));
    CHECK(comes_after(harness, *work, seconds(45)));
    CHECK(counts_are(*work, 0, 0, 1));
  }
}

inline void check_delay(const queue_harness& harness) {
  const auto work = open(harness);
  SECTION("a delayed message is hidden for so long, and no other one is") {
    sent(*work, {.data = "delayed", .delay = seconds(10)});
    sent(*work, "prompt");
    CHECK(counts_are(*work, 1, 1, 0));
    take_and_ack(*work, "prompt");
    CHECK(comes_after(harness, *work, seconds(10)));
  }
  SECTION("the longest delay that it can do") {
    sent(*work, {.data = "delayed", .delay = work->capabilities().delay_max});
    CHECK(comes_after(harness, *work, work->capabilities().delay_max));
  }
}

inline void check_counts(const queue_harness& harness) {
  const auto work = open(harness);
  SECTION("counts tell who is where, and the age of the oldest that is not dead") {
    sent(*work, "a");
    harness.advance(seconds(3));
    sent(*work, "b");
    sent(*work, {.data = "c", .delay = seconds(10)});
    CHECK(counts_are(*work, 2, 1, 0));
    CHECK(work->counts().value().oldest_age == seconds(3));
    const auto first = received(*work);
    CHECK(counts_are(*work, 1, 1, 1));
    CHECK(work->counts().value().oldest_age == seconds(3));
    REQUIRE(work->reject(first.receipt, ""));
    CHECK(counts_are(*work, 1, 1, 0, 1));
    CHECK(work->counts().value().oldest_age == milliseconds(0));
    harness.advance(seconds(10));
    CHECK(counts_are(*work, 2, 0, 0, 1));
    CHECK(work->counts().value().oldest_age == seconds(10));
  }
}

inline void check_next_visible(const queue_harness& harness) {
  const auto work = open(harness);
  const auto next = [&] { return work->next_visible().value(); };
  SECTION("next_visible() is when delay or visibility ends, whichever does first") {
    sent(*work, {.data = "a", .delay = seconds(50)});
    CHECK((next() == harness.now() + seconds(50)));
    sent(*work, "b");
    CHECK((next() && *next() <= harness.now()));
    const auto got = received(*work);
    CHECK((next() == harness.now() + seconds(30)));
    REQUIRE(work->extend(got.receipt, seconds(40)));
    CHECK((next() == harness.now() + seconds(40)));
    REQUIRE(work->nack(got.receipt, seconds(20)));
    CHECK((next() == harness.now() + seconds(20)));
    harness.advance(seconds(20));
    CHECK((next() && *next() <= harness.now()));
    REQUIRE(work->ack(received(*work).receipt));
    CHECK((next() == harness.now() + seconds(30)));
    harness.advance(seconds(30));
    REQUIRE(work->ack(received(*work).receipt));
    CHECK(next() == std::nullopt);
  }
  if (!work->capabilities().groups) return;
  SECTION("what waits for another one of its group becomes visible by a call, not by the clock") {
    send_all(*work, {"a", "b"}, "g");
    const auto head = received(*work);
    CHECK((next() == harness.now() + seconds(30)));
    REQUIRE(work->ack(head.receipt));
    CHECK((next() && *next() <= harness.now()));
  }
}

inline void check_visibility(const queue_harness& harness) {
  check_hiding(harness);
  check_extend(harness);
  check_nack(harness);
  check_delay(harness);
  check_counts(harness);
  check_next_visible(harness);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::queue_conformance
