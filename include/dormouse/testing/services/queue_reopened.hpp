// SPDX-License-Identifier: MIT
#pragma once

// A queue that is closed and opened again has what it had. Part of queue_conformance.hpp.

#include <dormouse/testing/services/queue_harness.hpp>
#include <dormouse/testing/services/queue_receipts.hpp>

#include <set>
#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::queue_conformance {

inline void check_reopened_messages(const queue_harness& harness) {
  const queue_settings settings{.deliveries_max = 2, .retention = seconds(3'600)};
  auto work = open(harness, settings);
  CHECK(work->durability() >= durability_level::process);
  const auto again = [&] {
    work = harness.reopen(std::move(work), settings);
    REQUIRE(work != nullptr);
  };
  SECTION("messages, byte for byte, and when they were sent") {
    const std::string bytes("\0\xff\n", 3);
    const auto sent_at = to_milliseconds(harness.wall());
    const auto told = sent(*work, {.data = bytes, .attributes = {{"a", bytes}}});
    send_all(*work, {"b", "c"});
    take_and_ack(*work, bytes);
    const auto kept = sent(*work, {.data = bytes, .attributes = {{"a", bytes}}});
    harness.advance(seconds(7));
    again();
    CHECK(counts_are(*work, 3, 0, 0));
    CHECK(work->counts().value().oldest_age == seconds(7));
    const auto got = taken(*work);
    CHECK((data_of(got) == texts{"b", "c", bytes}));
    CHECK((got[2].id == kept.id && got[2].sequence == kept.sequence && got[2].deliveries == 1));
    CHECK((got[2].attributes.size() == 1 && got[2].attributes.at("a") == bytes));
    CHECK(to_milliseconds(got[2].sent_at) == sent_at);
    CHECK(to_milliseconds(got[2].first_received_at) == to_milliseconds(harness.wall()));
    CHECK(told.sequence < kept.sequence);
  }
  SECTION("no id and no sequence comes a second time") {
    std::set<std::string> ids;
    std::uint64_t last = 0;
    for (int i = 0; i < 4; ++i) {
      const auto told = sent(*work, "m");
      CHECK(ids.insert(told.id).second);
      CHECK((told.sequence > last || i == 0));
      last = told.sequence;
      take_and_ack(*work, "m");
      again();
    }
  }
  SECTION("what was in flight is visible at once, and that delivery counts") {
    sent(*work, "m");
    const auto former = received(*work);
    again();
    CHECK(counts_are(*work, 1, 0, 0));
    CHECK(all_stale_but_ack(*work, former.receipt));
    const auto current = received(*work);
    CHECK((current.deliveries == 2 && current.receipt != former.receipt));
    CHECK(to_milliseconds(current.first_received_at) == to_milliseconds(former.first_received_at));
    CHECK(all_stale(*work, former.receipt));
    CHECK(counts_are(*work, 0, 0, 1));
    again();
    CHECK(gives_nothing(*work));
    CHECK(letters_of(*work).at(0).reason == dead_letter_reason::deliveries);
  }
  SECTION("delays go on, ages too") {
    sent(*work, {.data = "m", .delay = seconds(10)});
    harness.advance(seconds(4));
    again();
    CHECK(counts_are(*work, 0, 1, 0));
    harness.advance(seconds(6) - milliseconds(1));
    CHECK(gives_nothing(*work));
    harness.advance(milliseconds(1));
    const auto got = received(*work);
    REQUIRE(work->nack(got.receipt, seconds(10)));
    again();
    CHECK(counts_are(*work, 0, 1, 0));
    harness.advance(seconds(3'600));
    CHECK(gives_nothing(*work));
    CHECK(letters_of(*work).at(0).reason == dead_letter_reason::age);
  }
}

inline void check_reopened_state(const queue_harness& harness) {
  const queue_settings settings{.messages_max = 5, .dead_letters_max = 2};
  auto work = open(harness, settings);
  const auto again = [&] {
    work = harness.reopen(std::move(work), settings);
    REQUIRE(work != nullptr);
  };
  SECTION("dead letters with all they had, and bounds") {
    const auto id = killed(*work, "dead", "why");
    const auto before = letters_of(*work).at(0);
    again();
    const auto after = letters_of(*work).at(0);
    CHECK((after.id == id && after.data == "dead" && after.error == "why" && after.deliveries == before.deliveries));
    CHECK((after.reason == dead_letter_reason::rejected && after.sequence == before.sequence));
    CHECK(to_milliseconds(after.died_at) == to_milliseconds(before.died_at));
    CHECK(to_milliseconds(after.sent_at) == to_milliseconds(before.sent_at));
    killed(*work, "another");
    again();
    CHECK(refused(work->send(message("x")), errc::limit_exceeded, failure_reason::dead_letters));
    CHECK(work->redrive(id).value());
    again();
    const auto got = received(*work);
    CHECK((got.id == id && got.deliveries == 1));
    send_all(*work, {"1", "2", "3", "4"});
    again();
    CHECK(refused(work->send(message("x")), errc::throttled, failure_reason::queue_depth));
  }
  if (work->capabilities().groups) {
    SECTION("groups and their order") {
      send_all(*work, {"1", "2", "3"}, "g");
      take_and_ack(*work, "1");
      received(*work);
      again();
      CHECK(counts_are(*work, 1, 1, 0));
      take_and_ack(*work, "2");
      again();
      take_and_ack(*work, "3");
    }
  }
  if (work->capabilities().deduplication) {
    SECTION("what was sent before") {
      const queue_message once{.data = "m", .dedup_id = "id"};
      const auto first = sent(*work, once);
      take_and_ack(*work, "m");
      again();
      const auto second = sent(*work, once);
      CHECK((second.duplicate && second.id == first.id && second.sequence == first.sequence));
      harness.advance(seconds(300));
      again();
      CHECK(!sent(*work, once).duplicate);
    }
  }
}

inline void check_reopened(const queue_harness& harness) {
  if (!harness.reopen) return;
  check_reopened_messages(harness);
  check_reopened_state(harness);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::queue_conformance
