// SPDX-License-Identifier: MIT
#pragma once

// Many at once, each with an answer of its own. Part of queue_conformance.hpp.

#include <dormouse/testing/services/queue_harness.hpp>

#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::queue_conformance {

inline void check_send_batch(const queue_harness& harness) {
  const auto work = open(harness);
  SECTION("each message of a batch is sent or refused for itself, and answered in its place") {
    const auto got = work->send_batch({message("good"),
                                       {.data = "bad name", .attributes = {{"a b", "v"}}},
                                       message(std::string(queue::message_bytes_max + 1, 'x')),
                                       {.data = "delayed", .delay = seconds(10)},
                                       {.data = "bad delay", .delay = milliseconds(-1)},
                                       message("last")})
                         .value();
    REQUIRE(got.size() == 6);
    REQUIRE((got[0] && got[3] && got[5]));
    CHECK(refused(got[1], errc::invalid_argument, failure_reason::name));
    CHECK(refused(got[2], errc::too_large, failure_reason::value_bytes));
    CHECK(is_invalid(got[4]));
    CHECK((got[0]->sequence < got[3]->sequence && got[3]->sequence < got[5]->sequence));
    CHECK(counts_are(*work, 2, 1, 0));
    const auto now = taken(*work);
    CHECK((data_of(now) == texts{"good", "last"}));
    CHECK((now[0].id == got[0]->id && now[1].id == got[5]->id));
    harness.advance(seconds(10));
    CHECK(received(*work).id == got[3]->id);
  }
  SECTION("a batch of which nothing can be sent is answered for each of them, too") {
    const auto got = work->send_batch({{.data = "m", .delay = milliseconds(-1)}}).value();
    REQUIRE(got.size() == 1);
    CHECK(is_invalid(got[0]));
    CHECK(counts_are(*work, 0, 0, 0));
  }
  SECTION("1,000 of them are sent, received and acknowledged in three calls") {
    std::vector<queue_message> all;
    for (std::size_t i = 0; i < queue::batch_max; ++i) all.push_back(message(std::to_string(i)));
    const auto answers = work->send_batch(all).value();
    REQUIRE(answers.size() == all.size());
    for (const auto& each : answers) REQUIRE(each);
    const auto got = taken(*work);
    REQUIRE(got.size() == all.size());
    std::vector<queue_settlement> acks;
    for (std::size_t i = 0; i < got.size(); ++i) {
      REQUIRE((got[i].data == all[i].data && got[i].id == answers[i]->id));
      acks.push_back({.receipt = got[i].receipt});
    }
    const auto settled = work->settle(acks).value();
    REQUIRE(settled.size() == all.size());
    for (const auto& each : settled) REQUIRE(each);
    CHECK(counts_are(*work, 0, 0, 0));
  }
}

inline void check_settle(const queue_harness& harness) {
  const auto work = open(harness);
  using kind = settlement_kind;
  send_all(*work, {"acked", "given back", "hidden", "rejected", "untouched", "former"});
  const auto got = taken(*work);
  REQUIRE(got.size() == 6);
  REQUIRE(work->nack(got[5].receipt));
  const auto current = received(*work);
  SECTION("each settlement is done or refused for itself, and answered in its place") {
    const auto answers =
        work->settle({{.receipt = got[0].receipt},
                      {.receipt = "garbage"},
                      {.receipt = got[1].receipt, .kind = kind::nack, .delay = seconds(0), .error = "e"},
                      {.receipt = got[5].receipt, .kind = kind::nack},
                      {.receipt = got[2].receipt, .kind = kind::extend, .delay = seconds(60)},
                      {.receipt = got[4].receipt, .kind = kind::extend, .delay = milliseconds(-1)},
                      {.receipt = got[3].receipt, .kind = kind::dead_letter, .error = "never"},
                      {.receipt = got[0].receipt}})
            .value();
    REQUIRE(answers.size() == 8);
    for (const std::size_t done : {0U, 2U, 4U, 6U, 7U}) CHECK(answers[done]);
    CHECK(refused(answers[1], errc::invalid_argument, failure_reason::name));
    CHECK(is_stale(answers[3]));
    CHECK(is_invalid(answers[5]));
    CHECK(counts_are(*work, 1, 0, 3, 1));
    CHECK(letters_of(*work).at(0).error == "never");
    CHECK((taken_data(*work) == texts{"given back"}));
    harness.advance(seconds(30));
    CHECK((taken_data(*work) == texts{"given back", "untouched", "former"}));
    harness.advance(seconds(30));
    CHECK(counts_are(*work, 4, 0, 0, 1));
  }
  SECTION("of two settlements of one delivery, the first decides") {
    const auto answers = work->settle({{.receipt = got[0].receipt, .kind = kind::dead_letter, .error = "first"},
                                       {.receipt = got[0].receipt},
                                       {.receipt = got[1].receipt},
                                       {.receipt = got[1].receipt, .kind = kind::nack}})
                             .value();
    REQUIRE(answers.size() == 4);
    CHECK((answers[0] && answers[2]));
    CHECK((is_stale(answers[1]) && is_stale(answers[3])));
    CHECK(counts_are(*work, 0, 0, 4, 1));
    REQUIRE(work->ack(current.receipt));
  }
}

inline void check_batches(const queue_harness& harness) {
  check_send_batch(harness);
  check_settle(harness);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::queue_conformance
