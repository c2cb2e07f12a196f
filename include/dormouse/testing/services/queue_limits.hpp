// SPDX-License-Identifier: MIT
#pragma once

// Limits of a queue's arguments, and deadlines. Part of queue_conformance.hpp.

#include <dormouse/testing/services/queue_harness.hpp>

#include <chrono>
#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::queue_conformance {

inline bool too_large(const auto& got) { return refused(got, errc::too_large, failure_reason::value_bytes); }
inline bool refused_name(const auto& got) { return refused(got, errc::invalid_argument, failure_reason::name); }
inline bool refused_count(const auto& got) { return refused(got, errc::invalid_argument, failure_reason::page_size); }
inline bool came_late(const auto& got) {
  return refused(got, errc::deadline_exceeded, failure_reason::caller_deadline);
}

inline void check_message_limits(const queue_harness& harness) {
  const auto work = open(harness);
  SECTION("data, names and values of attributes are 256 KiB together") {
    const std::string most(queue::message_bytes_max, 'x');
    REQUIRE(work->send(message(most)));
    REQUIRE(work->send({.data = most.substr(8), .attributes = {{"name", "text"}}}));
    REQUIRE(work->send({.attributes = {{"name", most.substr(4)}}}));
    for (const auto& each : taken(*work)) {
      std::size_t bytes = each.data.size();
      for (const auto& [name, value] : each.attributes) bytes += name.size() + value.size();
      CHECK(bytes == queue::message_bytes_max);
      REQUIRE(work->ack(each.receipt));
    }
    CHECK(too_large(work->send(message(most + "x"))));
    CHECK(too_large(work->send({.data = most.substr(7), .attributes = {{"name", "text"}}})));
    CHECK(too_large(work->send({.attributes = {{"name", most.substr(3)}}})));
    CHECK(counts_are(*work, 0, 0, 0));
  }
  SECTION("64 attributes, names of 1 .. 128 of [A-Za-z0-9_.-]") {
    queue_message many = message("m");
    for (std::size_t i = 0; i < queue::attributes_max; ++i) many.attributes["n" + std::to_string(i)] = "v";
    REQUIRE(work->send(many));
    CHECK(received(*work).attributes == many.attributes);
    many.attributes["one more"] = "v";
    CHECK(!work->send(many));
    const std::string longest(queue::name_bytes_max, 'n');
    REQUIRE(work->send({.attributes = {{longest, "v"}}}));
    CHECK(received(*work).attributes.count(longest) == 1);
    for (const std::string& bad : {std::string(), longest + "n", std::string("a b"), std::string("a/b"),
                                   std::string("\xc3\xa4"), std::string("a\0", 2)}) {
      CHECK(refused_name(work->send({.attributes = {{bad, "v"}}})));
    }
    CHECK(counts_are(*work, 0, 0, 2));
  }
  SECTION("groups and dedup_ids of up to 128 bytes, whichever they are") {
    const std::string longest(queue::name_bytes_max, '\xff');
    const auto can = work->capabilities();
    if (can.groups) REQUIRE(work->send({.data = "g", .group = longest}));
    if (can.groups) CHECK(received(*work).group == longest);
    if (can.groups) CHECK(refused_name(work->send({.data = "g", .group = longest + "x"})));
    if (can.deduplication) REQUIRE(work->send({.data = "d", .dedup_id = longest}));
    if (can.deduplication) CHECK(work->send({.data = "d", .dedup_id = longest}).value().duplicate);
    if (can.deduplication) CHECK(refused_name(work->send({.data = "d", .dedup_id = longest + "x"})));
    CHECK(taken(*work).size() == (can.deduplication ? 1 : 0));
    CHECK(counts_are(*work, 0, 0, (can.groups ? 1 : 0) + (can.deduplication ? 1 : 0)));
  }
  SECTION("a delay of no less than nothing, and no more than it can do") {
    const auto most = work->capabilities().delay_max;
    for (const auto bad : {milliseconds(-1), milliseconds::min(), most + milliseconds(1), milliseconds::max()}) {
      const auto got = work->send({.data = "m", .delay = bad});
      CHECK((is_invalid(got) || refused(got, errc::unsupported)));
    }
    CHECK(counts_are(*work, 0, 0, 0));
  }
}

inline void check_call_limits(const queue_harness& harness) {
  const auto work = open(harness);
  sent(*work, "m");
  SECTION("receive() takes what it says, and no more") {
    CHECK(refused_count(work->receive({.count = 0})));
    CHECK(refused_count(work->receive({.count = queue::batch_max + 1})));
    for (const auto bad : {milliseconds(-1), queue::wait_max + milliseconds(1), milliseconds::max()}) {
      CHECK(is_invalid(work->receive({.wait = bad})));
    }
    for (const auto bad : {milliseconds(-1), queue::visibility_max + milliseconds(1), milliseconds::max()}) {
      CHECK(is_invalid(work->receive({.visibility = bad})));
    }
    CHECK(counts_are(*work, 1, 0, 0));
    CHECK(received(*work, {.count = queue::batch_max, .wait = queue::wait_max}).deliveries == 1);
  }
  SECTION("what settles is within its bounds, or does nothing") {
    const auto got = received(*work);
    for (const auto bad : {milliseconds(-1), queue::visibility_max + milliseconds(1), milliseconds::max()}) {
      CHECK(is_invalid(work->nack(got.receipt, bad)));
      CHECK(is_invalid(work->extend(got.receipt, bad)));
    }
    CHECK(refused_count(work->settle({})));
    CHECK(refused_count(work->settle(std::vector<queue_settlement>(queue::batch_max + 1, {.receipt = got.receipt}))));
    CHECK(counts_are(*work, 0, 0, 1));
    REQUIRE(work->extend(got.receipt, queue::visibility_max));
    REQUIRE(work->nack(got.receipt, queue::visibility_max));
  }
  SECTION("batches have 1 .. 1,000 messages") {
    CHECK(refused_count(work->send_batch({})));
    CHECK(refused_count(work->send_batch(std::vector<queue_message>(queue::batch_max + 1, message("m")))));
    CHECK(counts_are(*work, 1, 0, 0));
  }
  SECTION("pages have 1 .. 1,000 dead letters, and begin where another one ended") {
    CHECK(refused_count(work->dead_letters({.page_size = 0})));
    CHECK(refused_count(work->dead_letters({.page_size = queue::page_size_max + 1})));
    for (const std::string& bad : {std::string("x"), std::string(1, '\0'), std::string(100'000, '1')}) {
      CHECK(is_invalid(work->dead_letters({.cursor = bad})));
    }
    CHECK(refused_count(work->redrive(std::size_t{0})));
    CHECK(refused_count(work->redrive(queue::batch_max + 1)));
  }
  SECTION("an empty id is nobody's") {
    killed(*work, "dead");
    CHECK(!work->redrive(std::string_view()).value_or(false));
    CHECK(!work->erase_dead_letter("").value_or(false));
    CHECK(letters_of(*work).size() == 1);
  }
  SECTION("an error of more than 1,024 bytes is cut") {
    const std::string longest(queue::error_bytes_max, 'e');
    REQUIRE(work->reject(received(*work).receipt, longest + "and more"));
    CHECK(letters_of(*work).at(0).error == longest);
  }
}

inline void check_deadlines(const queue_harness& harness) {
  const auto work = open(harness);
  killed(*work, "dead");
  sent(*work, "taken");
  const auto got = received(*work);
  sent(*work, "visible");
  harness.advance(milliseconds(1));
  SECTION("a call whose deadline has passed does nothing") {
    for (const auto& when : {harness.now(), harness.now() - seconds(1)}) {
      const call_options late{.deadline = when};
      const queue_send_options late_write{.deadline = when};
      CHECK(came_late(work->send(message("m"), late_write)));
      CHECK(came_late(work->send_batch({message("m")}, late_write)));
      CHECK(came_late(work->receive({.deadline = when})));
      CHECK(came_late(work->receive({.wait = seconds(20), .deadline = when})));
      CHECK(came_late(work->ack(got.receipt, late_write)));
      CHECK(came_late(work->nack(got.receipt, {}, {}, late_write)));
      CHECK(came_late(work->extend(got.receipt, seconds(0), late_write)));
      CHECK(came_late(work->reject(got.receipt, {}, late_write)));
      CHECK(came_late(work->settle({{.receipt = got.receipt}}, late_write)));
      CHECK(came_late(work->counts(late)));
      CHECK(came_late(work->dead_letters({.deadline = when})));
      CHECK(came_late(work->redrive(1, late)));
      CHECK(came_late(work->redrive(letters_of(*work).at(0).id, late)));
      CHECK(came_late(work->erase_dead_letter(letters_of(*work).at(0).id, late)));
      CHECK(came_late(work->purge(late)));
      CHECK(came_late(work->next_visible(late)));
    }
    CHECK(counts_are(*work, 1, 0, 1, 1));
  }
  SECTION("one whose deadline is to come is made") {
    const auto soon = harness.now() + milliseconds(1);
    REQUIRE(work->send(message("m"), {.deadline = soon}));
    CHECK(work->receive({.count = 2, .deadline = soon}).value().size() == 2);
    REQUIRE(work->ack(got.receipt, {.deadline = soon}));
    CHECK(counts_are(*work, 0, 0, 2, 1));
  }
}

inline void check_limits(const queue_harness& harness) {
  check_message_limits(harness);
  check_call_limits(harness);
  check_deadlines(harness);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::queue_conformance
