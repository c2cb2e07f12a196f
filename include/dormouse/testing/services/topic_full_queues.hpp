// SPDX-License-Identifier: MIT
#pragma once

// A subscription whose queue is full. Part of topic_conformance.hpp.

#include <dormouse/testing/services/topic_harness.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::topic_conformance {

// Nobody got it where that is declared; otherwise a failure may have reached some.
template <class T>
bool throttled(const topic& to, const result<T>& got, errc code, failure_reason why) {
  if (to.capabilities().atomic_fan_out) return refused(got, code, why);
  return !got && got.error().code == code && got.error().reason == why;
}

inline void check_depth(const topic_harness& harness) {
  const auto store = harness.make_empty();
  // By name it stands between two that have room, so that whoever begins at either end meets it in the midst.
  const auto before = subscribed(*store, {.name = "a"});
  const auto full = subscribed(*store, {.name = "b", .filter = of_type(harness, "t"), .queue = {.messages_max = 1}});
  const auto behind = subscribed(*store, {.name = "c"});
  const auto whole = store->capabilities().atomic_fan_out;
  CHECK(published(*store, {.type = "t", .data = "1"}) == 3);
  SECTION("an event that has no room in one queue is refused, and gets through when there is room") {
    const event second{.type = "t", .id = "second", .data = "2"};
    for (int i = 0; i < 2; ++i) {
      CHECK(throttled(*store, store->publish(second), errc::throttled, failure_reason::queue_depth));
    }
    if (whole) CHECK((count_of(*before) == 1 && count_of(*behind) == 1));
    CHECK(published(*store, {.type = "u", .data = "3"}) == 2);  // the full one does not want it
    CHECK((take(*full) == texts{"1"}));
    CHECK(store->publish(second));
    CHECK((take(*full) == texts{"2"}));
    for (queue* each : {before.get(), behind.get()}) {
      auto got = take(*each);
      std::sort(got.begin(), got.end());
      CHECK((got == texts{"1", "2", "3"}));
    }
  }
  SECTION("in a batch it is refused alone") {
    const auto answers =
        store->publish_batch({{.type = "u", .data = "2"}, {.type = "t", .data = "3"}, {.type = "u", .data = "4"}})
            .value();
    REQUIRE(answers.size() == 3);
    CHECK((answers[0] && answers[2]));
    CHECK(throttled(*store, answers[1], errc::throttled, failure_reason::queue_depth));
    if (whole) CHECK((take(*before) == texts{"1", "2", "4"}));
    if (whole) CHECK((take(*behind) == texts{"1", "2", "4"}));
  }
  SECTION("who ends the full subscription lets the others go on") {
    CHECK(store->unsubscribe("b").value());
    CHECK(published(*store, {.type = "t", .data = "2"}) == 2);
    CHECK((take(*before) == texts{"1", "2"}));
  }
}

inline void check_other_bounds(const topic_harness& harness) {
  const auto store = harness.make_empty();
  const auto before = subscribed(*store, {.name = "a"});
  const auto whole = store->capabilities().atomic_fan_out;
  SECTION("bytes are a bound as well") {
    const auto full = subscribed(*store, {.name = "b", .queue = {.bytes_max = 10'000}});
    CHECK(published(*store, {.type = "t", .data = std::string(9'000, 'x')}) == 2);
    const auto got = store->publish({.type = "t", .data = std::string(2'000, 'x')});
    CHECK(throttled(*store, got, errc::throttled, failure_reason::queue_bytes));
    if (whole) CHECK(count_of(*before) == 1);
    CHECK(count_of(*full) == 1);
  }
  SECTION("and dead letters") {
    const auto full = subscribed(*store, {.name = "b", .queue = {.dead_letters_max = 1}});
    CHECK(published(*store, {.type = "t", .data = "1"}) == 2);
    const auto got = full->receive().value();
    REQUIRE(got.size() == 1);
    REQUIRE(full->reject(got[0].receipt, "bad"));
    CHECK(throttled(*store, store->publish({.type = "t", .data = "2"}), errc::limit_exceeded,
                    failure_reason::dead_letters));
    if (whole) CHECK(count_of(*before) == 1);
    CHECK(full->erase_dead_letter(got[0].id).value());
    CHECK(published(*store, {.type = "t", .data = "3"}) == 2);
    CHECK((take(*full) == texts{"3"}));
  }
}

inline void check_full_queues(const topic_harness& harness) {
  check_depth(harness);
  check_other_bounds(harness);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::topic_conformance
