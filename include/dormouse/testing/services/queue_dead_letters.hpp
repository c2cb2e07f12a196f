// SPDX-License-Identifier: MIT
#pragma once

// What nobody ends well becomes a dead letter, and stays one until an operator decides. Part of queue_conformance.hpp.

#include <dormouse/testing/services/queue_harness.hpp>

#include <set>
#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::queue_conformance {

inline void check_dying(const queue_harness& harness) {
  const auto work = open(harness, {.deliveries_max = 3, .retention = seconds(3'600)});
  const std::string group = work->capabilities().groups ? "g" : "";
  const auto sent_at = to_milliseconds(harness.wall());
  const auto told = sent(*work, {.data = "m", .attributes = {{"a", std::string("\0\xff", 2)}}, .group = group});
  harness.advance(seconds(1));
  const auto the_letter = [&] {
    const auto all = letters_of(*work);
    REQUIRE(all.size() == 1);
    const auto& letter = all[0];
    CHECK((letter.id == told.id && letter.sequence == told.sequence && letter.data == "m" && letter.group == group));
    CHECK((letter.attributes.size() == 1 && letter.attributes.at("a") == std::string("\0\xff", 2)));
    CHECK(to_milliseconds(letter.sent_at) == sent_at);
    CHECK(counts_are(*work, 0, 0, 0, 1));
    return letter;
  };
  SECTION("after deliveries_max of them that ended by time, when it would have been received again") {
    for (unsigned i = 1; i <= 3; ++i) {
      CHECK(received(*work).deliveries == i);
      harness.advance(seconds(30));
    }
    CHECK(gives_nothing(*work));
    const auto letter = the_letter();
    CHECK((letter.reason == dead_letter_reason::deliveries && letter.deliveries == 3 && letter.error.empty()));
    harness.advance(std::chrono::hours(24));
    CHECK(gives_nothing(*work));
    the_letter();
  }
  SECTION("after as many that were given back: at once, with the last error") {
    for (unsigned i = 1; i <= 3; ++i) {
      REQUIRE(work->nack(received(*work).receipt, seconds(0), "error " + std::to_string(i)));
    }
    const auto letter = the_letter();
    CHECK((letter.reason == dead_letter_reason::deliveries && letter.deliveries == 3 && letter.error == "error 3"));
    CHECK(to_milliseconds(letter.died_at) == to_milliseconds(harness.wall()));
    CHECK(gives_nothing(*work));
  }
  SECTION("the last one may be given back with a delay: it is dead all the same") {
    for (unsigned i = 1; i <= 2; ++i) REQUIRE(work->nack(received(*work).receipt));
    REQUIRE(work->nack(received(*work).receipt, seconds(10), "e"));
    CHECK(the_letter().error == "e");
  }
  SECTION("an error stays with the message while it lives") {
    REQUIRE(work->nack(received(*work).receipt, seconds(0), "first"));
    for (int i = 0; i < 2; ++i) {
      received(*work);
      harness.advance(seconds(30));
    }
    CHECK(gives_nothing(*work));
    CHECK(the_letter().error == "first");
  }
  SECTION("the last delivery may end well") {
    for (unsigned i = 1; i <= 2; ++i) REQUIRE(work->nack(received(*work).receipt));
    REQUIRE(work->ack(received(*work).receipt));
    CHECK(counts_are(*work, 0, 0, 0, 0));
  }
  SECTION("when it is rejected, whatever deliveries are left") {
    REQUIRE(work->reject(received(*work).receipt, "never"));
    const auto letter = the_letter();
    CHECK((letter.reason == dead_letter_reason::rejected && letter.deliveries == 1 && letter.error == "never"));
    CHECK(to_milliseconds(letter.died_at) == to_milliseconds(harness.wall()));
  }
}

inline void check_age(const queue_harness& harness) {
  const auto work = open(harness, {.retention = seconds(60)});
  const auto told = sent(*work, "m");
  SECTION("a message that nobody received in time is a dead letter by its age, and not before") {
    harness.advance(seconds(60) - milliseconds(1));
    CHECK(counts_are(*work, 1, 0, 0, 0));
    harness.advance(milliseconds(1));
    CHECK(gives_nothing(*work));
    const auto letter = letters_of(*work).at(0);
    CHECK((letter.id == told.id && letter.reason == dead_letter_reason::age && letter.deliveries == 0));
    CHECK(counts_are(*work, 0, 0, 0, 1));
  }
  SECTION("one that was given back, too, counted from when it was sent") {
    harness.advance(seconds(50));
    REQUIRE(work->nack(received(*work).receipt, seconds(0), "e"));
    harness.advance(seconds(10));
    CHECK(gives_nothing(*work));
    const auto letter = letters_of(*work).at(0);
    CHECK((letter.reason == dead_letter_reason::age && letter.deliveries == 1 && letter.error == "e"));
  }
  SECTION("one in flight, too: its receipt is stale") {
    harness.advance(seconds(50));
    const auto got = received(*work);
    harness.advance(seconds(10));
    CHECK(gives_nothing(*work));
    CHECK(letters_of(*work).at(0).reason == dead_letter_reason::age);
    CHECK(is_stale(work->ack(got.receipt)));
    CHECK(counts_are(*work, 0, 0, 0, 1));
  }
  SECTION("redriven, it has another such time") {
    harness.advance(seconds(60));
    CHECK(gives_nothing(*work));
    REQUIRE(work->redrive(told.id).value());
    harness.advance(seconds(60) - milliseconds(1));
    CHECK(counts_are(*work, 1, 0, 0, 0));
    harness.advance(milliseconds(1));
    CHECK(gives_nothing(*work));
    CHECK(letters_of(*work).size() == 1);
  }
}

inline void check_letter_pages(const queue_harness& harness) {
  const auto work = open(harness);
  SECTION("dead letters come in the order they died, each once, whatever becomes of others meanwhile") {
    texts all;
    for (int i = 0; i < 25; ++i) all.push_back(std::to_string(i));
    send_all(*work, all);
    auto messages = taken(*work);
    std::reverse(messages.begin(), messages.end());
    std::reverse(all.begin(), all.end());
    for (const auto& each : messages) {
      REQUIRE(work->reject(each.receipt, ""));
      harness.advance(milliseconds(1));
    }
    for (const std::size_t size : {1U, 7U, 25U, 1'000U}) CHECK(data_of(letters_of(*work, size)) == all);
    CHECK(work->dead_letters({.page_size = 25}).value().letters.size() == 25);
    // Between the pages: the first of all and the last but one go, and another one comes.
    std::set<std::string> doomed{messages.front().id, messages[23].id};
    const auto seen = letters_of(*work, 4, [&] {
      for (const auto& each : doomed) REQUIRE(work->erase_dead_letter(each).value());
      if (!doomed.empty()) killed(*work, "new");
      doomed.clear();
    });
    const auto got = data_of(seen);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (i != 23) CHECK(std::count(got.begin(), got.end(), all[i]) == 1);
    }
    CHECK(std::count(got.begin(), got.end(), all[23]) == 0);
    CHECK(std::count(got.begin(), got.end(), "new") <= 1);
  }
}

inline void check_redrive(const queue_harness& harness) {
  const auto work = open(harness, {.deliveries_max = 2});
  texts ids;
  for (const char* each : {"a", "b", "c"}) ids.push_back(killed(*work, each, "old"));
  SECTION("redrive() sends so many of the oldest anew, with their ids, as if never delivered") {
    CHECK(work->redrive(2).value() == 2);
    CHECK(counts_are(*work, 2, 0, 0, 1));
    CHECK((data_of(letters_of(*work)) == texts{"c"}));
    std::set<std::string> again;
    for (const auto& each : taken(*work)) {
      CHECK(each.deliveries == 1);
      CHECK(to_milliseconds(each.first_received_at) == to_milliseconds(harness.wall()));
      again.insert(each.id);
      REQUIRE(work->nack(each.receipt));
    }
    CHECK((again == std::set<std::string>{ids[0], ids[1]}));
    for (const auto& each : taken(*work)) REQUIRE(work->ack(each.receipt));
    CHECK(work->redrive(queue::batch_max).value() == 1);
    CHECK(work->redrive(1).value() == 0);
    take_and_ack(*work, "c");
    CHECK(counts_are(*work, 0, 0, 0, 0));
  }
  SECTION("or the one of an id, once; its deliveries and its error are those of its new life") {
    CHECK(work->redrive(ids[1]).value());
    CHECK(!work->redrive(ids[1]).value());
    CHECK(!work->redrive("absent").value());
    CHECK(!work->redrive(ids[0] + "0").value());
    for (unsigned i = 1; i <= 2; ++i) {
      const auto got = received(*work);
      CHECK((got.id == ids[1] && got.data == "b" && got.deliveries == i));
      harness.advance(seconds(30));
    }
    CHECK(gives_nothing(*work));
    const auto letter = letters_of(*work).at(2);
    CHECK((letter.id == ids[1] && letter.deliveries == 2 && letter.error.empty()));
    CHECK(letter.reason == dead_letter_reason::deliveries);
  }
  SECTION("one that is erased is gone, and no other one is") {
    CHECK(work->erase_dead_letter(ids[1]).value());
    CHECK(!work->erase_dead_letter(ids[1]).value());
    CHECK(!work->redrive(ids[1]).value());
    CHECK((data_of(letters_of(*work)) == texts{"a", "c"}));
    const auto alive = sent(*work, "alive").id;
    CHECK(!work->erase_dead_letter(alive).value());
    CHECK(!work->redrive(alive).value());
    CHECK(counts_are(*work, 1, 0, 0, 2));
  }
}

inline void check_purge(const queue_harness& harness) {
  const auto work = open(harness);
  SECTION("purge() forgets all that are not dead, in flight or not") {
    killed(*work, "dead");
    send_all(*work, {"a", "b"});
    const auto got = received(*work);
    sent(*work, {.data = "c", .delay = seconds(10)});
    CHECK(counts_are(*work, 1, 1, 1, 1));
    CHECK(work->purge().value() == 3);
    CHECK(counts_are(*work, 0, 0, 0, 1));
    harness.advance(std::chrono::hours(1));
    CHECK(gives_nothing(*work));
    CHECK(work->next_visible().value() == std::nullopt);
    CHECK((data_of(letters_of(*work)) == texts{"dead"}));
    sent(*work, "after");
    take_and_ack(*work, "after");
  }
}

inline void check_dead_letters(const queue_harness& harness) {
  check_dying(harness);
  check_age(harness);
  check_letter_pages(harness);
  check_redrive(harness);
  check_purge(harness);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::queue_conformance
