// SPDX-License-Identifier: MIT
#pragma once

// A receipt is good for its delivery, and for no other. Part of queue_conformance.hpp.

#include <dormouse/testing/services/queue_harness.hpp>

#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::queue_conformance {

inline bool all_stale_but_ack(queue& work, std::string_view receipt) {
  return is_stale(work.nack(receipt)) && is_stale(work.nack(receipt, seconds(1), "why")) &&
         is_stale(work.extend(receipt, std::chrono::hours(1))) && is_stale(work.extend(receipt, seconds(0))) &&
         is_stale(work.reject(receipt, "why"));
}
inline bool all_stale(queue& work, std::string_view receipt) {
  return is_stale(work.ack(receipt)) && all_stale_but_ack(work, receipt);
}
inline bool all_refused(queue& work, std::string_view receipt) {
  return is_no_receipt(work.ack(receipt)) && is_no_receipt(work.nack(receipt)) &&
         is_no_receipt(work.extend(receipt, seconds(1))) && is_no_receipt(work.reject(receipt, "why"));
}

inline void check_fencing(const queue_harness& harness) {
  const auto work = open(harness);
  sent(*work, "m");
  const auto former = received(*work);
  SECTION("the receipt of a former delivery is stale, and does nothing to the one of now") {
    harness.advance(seconds(30));
    const auto current = received(*work);
    CHECK(all_stale(*work, former.receipt));
    CHECK(counts_are(*work, 0, 0, 1));
    harness.advance(seconds(30) - milliseconds(1));
    CHECK(gives_nothing(*work));
    REQUIRE(work->ack(current.receipt));
    CHECK(counts_are(*work, 0, 0, 0));
  }
  SECTION("also after a nack") {
    REQUIRE(work->nack(former.receipt));
    CHECK(all_stale_but_ack(*work, former.receipt));
    CHECK(counts_are(*work, 1, 0, 0));
    const auto current = received(*work);
    CHECK(all_stale(*work, former.receipt));
    CHECK(counts_are(*work, 0, 0, 1));
    REQUIRE(work->nack(current.receipt));
  }
  SECTION("once its visibility has passed and nobody has received it since, an ack counts and nothing else does") {
    harness.advance(seconds(31));
    CHECK(all_stale_but_ack(*work, former.receipt));
    CHECK(counts_are(*work, 1, 0, 0));
    REQUIRE(work->ack(former.receipt));
    CHECK(counts_are(*work, 0, 0, 0));
    CHECK(gives_nothing(*work));
  }
}

inline void check_settled_receipts(const queue_harness& harness) {
  const auto work = open(harness);
  sent(*work, "m");
  const auto former = received(*work);
  SECTION("an ack may be repeated; nothing else is to be done with what is gone") {
    for (int i = 0; i < 3; ++i) CHECK(work->ack(former.receipt));
    CHECK(all_stale_but_ack(*work, former.receipt));
    harness.advance(std::chrono::hours(1));
    CHECK(work->ack(former.receipt));
    CHECK(counts_are(*work, 0, 0, 0));
  }
  SECTION("one of a dead letter is stale, an ack included") {
    REQUIRE(work->reject(former.receipt, "bad"));
    CHECK(all_stale(*work, former.receipt));
    CHECK(counts_are(*work, 0, 0, 0, 1));
    CHECK(letters_of(*work).at(0).error == "bad");
  }
  SECTION("one from before a redrive stays stale, though deliveries are counted anew") {
    REQUIRE(work->reject(former.receipt, "bad"));
    REQUIRE(work->redrive(1).value() == 1);
    CHECK(all_stale(*work, former.receipt));
    const auto current = received(*work);
    CHECK((current.deliveries == 1 && current.receipt != former.receipt));
    CHECK(all_stale(*work, former.receipt));
    CHECK(counts_are(*work, 0, 0, 1));
    REQUIRE(work->ack(current.receipt));
    CHECK(counts_are(*work, 0, 0, 0));
  }
  SECTION("one of a message that was purged does nothing to those that came later") {
    REQUIRE(work->purge().value() == 1);
    sent(*work, "later");
    const auto later = received(*work);
    CHECK(later.receipt != former.receipt);
    CHECK(all_stale_but_ack(*work, former.receipt));
    static_cast<void>(work->ack(former.receipt));
    CHECK(counts_are(*work, 0, 0, 1));
    REQUIRE(work->ack(later.receipt));
  }
}

inline void check_false_receipts(const queue_harness& harness) {
  const auto work = open(harness);
  sent(*work, "m");
  const auto got = received(*work);
  SECTION("what no queue gave is no receipt") {
    const texts garbage{"",
                        "x",
                        "garbage",
                        "1",
                        "1-1",
                        "0",
                        "-1",
                        "\xff",
                        std::string(1, '\0'),
                        std::string(128, '9'),
                        std::string(129, '9'),
                        std::string(100'000, 'x')};
    for (const auto& each : garbage) CHECK(all_refused(*work, each));
    CHECK(counts_are(*work, 0, 0, 1));
  }
  SECTION("the receipt of another queue is none of this one") {
    const auto other = open(harness);
    sent(*other, "other");
    const auto others = received(*other);
    CHECK(others.receipt != got.receipt);
    CHECK(all_refused(*work, others.receipt));
    CHECK(all_refused(*other, got.receipt));
    CHECK((counts_are(*work, 0, 0, 1) && counts_are(*other, 0, 0, 1)));
  }
  SECTION("one that was harmed does nothing") {
    texts harmed{got.receipt + "0", got.receipt + got.receipt, got.receipt.substr(1), got.receipt + '\0',
                 got.receipt.substr(0, got.receipt.size() - 1)};
    for (std::size_t at = 0; at < got.receipt.size(); ++at) {
      harmed.push_back(got.receipt);
      harmed.back()[at] = harmed.back()[at] == '1' ? '2' : '1';
    }
    for (const auto& each : harmed) {
      if (each == got.receipt) continue;
      static_cast<void>(work->ack(each));
      CHECK(!work->nack(each));
      CHECK(!work->extend(each, seconds(0)));
      CHECK(!work->reject(each, "why"));
    }
    CHECK(counts_are(*work, 0, 0, 1));
    REQUIRE(work->ack(got.receipt));
    CHECK(counts_are(*work, 0, 0, 0));
  }
}

inline void check_receipts(const queue_harness& harness) {
  check_fencing(harness);
  check_settled_receipts(harness);
  check_false_receipts(harness);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::queue_conformance
