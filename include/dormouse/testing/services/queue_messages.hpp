// SPDX-License-Identifier: MIT
#pragma once

// Messages are sent, received and acknowledged. Part of queue_conformance.hpp.

#include <dormouse/testing/services/queue_harness.hpp>

#include <cstdint>
#include <set>
#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::queue_conformance {

inline std::string all_bytes() {
  std::string bytes;
  for (int each = 0; each < 256; ++each) bytes += static_cast<char>(each);
  return bytes;
}

inline void check_round_trip(const queue_harness& harness) {
  const auto work = open(harness);
  SECTION("what was sent is received in all its parts, acknowledged, and gone") {
    const std::string group = work->capabilities().groups ? std::string("g\0\xff", 3) : std::string();
    const std::map<std::string, std::string, std::less<>> attributes{
        {"A.z_0-9", std::string("\0\n\xff", 3)}, {"a", ""}, {"b", "text"}};
    const auto before = to_milliseconds(harness.wall());
    const auto told = sent(*work, {.data = all_bytes(), .attributes = attributes, .group = group});
    CHECK((is_printable(told.id) && !told.duplicate));
    harness.advance(seconds(5));
    const auto got = received(*work);
    CHECK((got.id == told.id && got.sequence == told.sequence && got.deliveries == 1));
    CHECK((got.data == all_bytes() && got.attributes == attributes && got.group == group));
    CHECK((is_printable(got.receipt) && got.receipt.size() <= queue::name_bytes_max));
    CHECK(to_milliseconds(got.sent_at) == before);
    CHECK(to_milliseconds(got.first_received_at) == to_milliseconds(harness.wall()));
    REQUIRE(work->ack(got.receipt));
    CHECK(counts_are(*work, 0, 0, 0));
    harness.advance(std::chrono::hours(1));
    CHECK(gives_nothing(*work));
    CHECK(letters_of(*work).empty());
  }
  SECTION("data and attributes of any size survive unchanged") {
    for (const std::size_t size : {0U, 1U, 24U, 25U, 1'000U, 100'000U}) {
      std::string bytes(size, '\xfe');
      for (std::size_t at = 0; at < size; ++at) bytes[at] = static_cast<char>(at * 31);
      sent(*work, {.data = bytes, .attributes = {{"same", bytes}}});
      const auto got = received(*work);
      CHECK((got.data == bytes && got.attributes.size() == 1 && got.attributes.at("same") == bytes));
      REQUIRE(work->ack(got.receipt));
    }
  }
}

inline void check_order(const queue_harness& harness) {
  const auto work = open(harness);
  SECTION("the oldest come first, each once, with rising sequences, ids and receipts of their own") {
    texts all;
    for (int i = 0; i < 30; ++i) all.push_back("message " + std::to_string(i));
    send_all(*work, all);
    std::set<std::string> ids;
    std::set<std::string> receipts;
    std::uint64_t last = 0;
    texts got;
    for (const std::size_t count : {1U, 2U, 7U, 1'000U}) {
      const auto some = work->receive({.count = count}).value();
      CHECK(some.size() == std::min(count, all.size() - got.size()));
      for (const auto& each : some) {
        CHECK((each.sequence > last || got.empty()));
        last = each.sequence;
        ids.insert(each.id);
        receipts.insert(each.receipt);
        got.emplace_back(each.data.text());
      }
    }
    CHECK(got == all);
    CHECK((ids.size() == 30 && receipts.size() == 30));
    CHECK(gives_nothing(*work));
    for (const auto& each : receipts) CHECK(work->ack(each));
    CHECK(counts_are(*work, 0, 0, 0));
    CHECK(sent(*work, "later").sequence > last);
  }
}

inline void check_emptiness(const queue_harness& harness) {
  const auto work = open(harness);
  SECTION("an empty queue has nothing, which is no failure") {
    CHECK(work->receive().value().empty());
    CHECK(work->receive({.count = queue::batch_max, .visibility = milliseconds(0)}).value().empty());
    CHECK(counts_are(*work, 0, 0, 0));
    CHECK(work->counts().value().oldest_age == milliseconds(0));
    CHECK(work->next_visible().value() == std::nullopt);
    CHECK(letters_of(*work).empty());
    CHECK(work->redrive(10).value() == 0);
    CHECK(!work->redrive("absent").value());
    CHECK(!work->erase_dead_letter("absent").value());
    CHECK(work->purge().value() == 0);
  }
}

// What no adapter can do that does not say so.
inline void check_undeclared(const queue_harness& harness) {
  const auto work = open(harness);
  const auto can = work->capabilities();
  SECTION("what is not declared is refused, with nothing done") {
    if (!can.groups) CHECK(refused(work->send(message("m", "group")), errc::unsupported));
    if (!can.deduplication) CHECK(refused(work->send({.data = "m", .dedup_id = "d"}), errc::unsupported));
    CHECK(counts_are(*work, 0, 0, 0));
  }
  SECTION("a transaction of another engine is refused, whether others are taken or not") {
    foreign_transaction other;
    const queue_send_options within{.within = &other};
    CHECK(refused(work->send(message("m"), within), errc::unsupported));
    CHECK(refused(work->send_batch({message("m")}, within), errc::unsupported));
    CHECK(counts_are(*work, 0, 0, 0));
    sent(*work, "m");
    const auto got = received(*work);
    CHECK(refused(work->ack(got.receipt, within), errc::unsupported));
    CHECK(refused(work->nack(got.receipt, {}, {}, within), errc::unsupported));
    CHECK(refused(work->extend(got.receipt, seconds(60), within), errc::unsupported));
    CHECK(refused(work->reject(got.receipt, {}, within), errc::unsupported));
    CHECK(refused(work->settle({{.receipt = got.receipt}}, within), errc::unsupported));
    CHECK(counts_are(*work, 0, 0, 1));
    harness.advance(work->settings().visibility);
    CHECK(counts_are(*work, 1, 0, 0));
  }
}

inline void check_messages(const queue_harness& harness) {
  check_round_trip(harness);
  check_order(harness);
  check_emptiness(harness);
  check_undeclared(harness);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::queue_conformance
