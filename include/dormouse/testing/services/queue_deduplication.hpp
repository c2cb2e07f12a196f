// SPDX-License-Identifier: MIT
#pragma once

// A message that was sent before is not stored again. Part of queue_conformance.hpp.

#include <dormouse/testing/services/queue_harness.hpp>

#include <chrono>
#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::queue_conformance {

inline bool is_again(const sent_message& got, const sent_message& first) {
  return got.duplicate && got.id == first.id && got.sequence == first.sequence;
}

inline void check_duplicates(const queue_harness& harness) {
  const auto work = open(harness);
  const queue_message once{.data = "m", .dedup_id = std::string("id\0\xff", 4)};
  const auto first = sent(*work, once);
  CHECK(!first.duplicate);
  SECTION("within the window it is told what the first one was told, and is not stored") {
    CHECK(is_again(sent(*work, once), first));
    harness.advance(seconds(200));
    auto other = once;
    other.data = "other";
    CHECK(is_again(sent(*work, other), first));
    CHECK(counts_are(*work, 1, 0, 0));
    CHECK(!sent(*work, queue_message{.data = "m", .dedup_id = "id"}).duplicate);
    CHECK((taken_data(*work) == texts{"m", "m"}));
  }
  SECTION("whatever has become of the first one") {
    const auto got = received(*work);
    CHECK(is_again(sent(*work, once), first));
    REQUIRE(work->ack(got.receipt));
    CHECK(is_again(sent(*work, once), first));
    CHECK(counts_are(*work, 0, 0, 0));
    const queue_message doomed{.data = "dead", .dedup_id = "doomed"};
    const auto dead = sent(*work, doomed);
    REQUIRE(work->reject(received(*work).receipt, ""));
    CHECK(is_again(sent(*work, doomed), dead));
    REQUIRE(work->erase_dead_letter(dead.id).value());
    CHECK(is_again(sent(*work, doomed), dead));
    const queue_message purged{.data = "purged", .dedup_id = "purged"};
    const auto forgotten = sent(*work, purged);
    REQUIRE(work->purge().value() == 1);
    CHECK(is_again(sent(*work, purged), forgotten));
    CHECK(counts_are(*work, 0, 0, 0, 0));
  }
  SECTION("the window begins with the first send, and no later one prolongs it") {
    harness.advance(seconds(299));
    CHECK(is_again(sent(*work, once), first));
    harness.advance(milliseconds(999));
    CHECK(is_again(sent(*work, once), first));
    harness.advance(milliseconds(1));
    const auto second = sent(*work, once);
    CHECK((!second.duplicate && second.id != first.id && second.sequence > first.sequence));
    CHECK(counts_are(*work, 2, 0, 0));
    harness.advance(seconds(299));
    CHECK(is_again(sent(*work, once), second));
  }
  SECTION("within one batch as well") {
    auto other = once;
    other.dedup_id = "new";
    const auto got = work->send_batch({once, other, other, message("none")}).value();
    REQUIRE(got.size() == 4);
    CHECK(is_again(got[0].value(), first));
    CHECK(!got[1].value().duplicate);
    CHECK(is_again(got[2].value(), got[1].value()));
    CHECK(!got[3].value().duplicate);
    CHECK(counts_are(*work, 3, 0, 0));
  }
}

inline void check_deduplication(const queue_harness& harness) {
  if (!open(harness)->capabilities().deduplication) return;
  check_duplicates(harness);
  SECTION("the window is what the queue was opened with") {
    const auto work = open(harness, {.dedup_window = seconds(1)});
    const queue_message once{.data = "m", .dedup_id = "id"};
    const auto first = sent(*work, once);
    harness.advance(milliseconds(999));
    CHECK(is_again(sent(*work, once), first));
    harness.advance(milliseconds(1));
    CHECK(!sent(*work, once).duplicate);
  }
  SECTION("a full queue knows its duplicates; what it refused it does not know") {
    const auto work = open(harness, {.messages_max = 1});
    const queue_message once{.data = "m", .dedup_id = "id"};
    const auto first = sent(*work, once);
    CHECK(is_again(sent(*work, once), first));
    const queue_message refused_once{.data = "n", .dedup_id = "other"};
    CHECK(refused(work->send(refused_once), errc::throttled, failure_reason::queue_depth));
    take_and_ack(*work, "m");
    CHECK(!sent(*work, refused_once).duplicate);
    take_and_ack(*work, "n");
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::queue_conformance
