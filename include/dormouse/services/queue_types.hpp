// SPDX-License-Identifier: MIT
#pragma once

// What goes into the calls of a queue and comes out of them. See queue.hpp for what they mean together.
// Threads: plain values.

#include <dormouse/clock.hpp>
#include <dormouse/payload.hpp>
#include <dormouse/result.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

class service_transaction;

// What a queue is opened with, whoever the adapter is.
struct queue_settings {
  // How long a message that was received is hidden from other receivers, unless they say otherwise; 0 .. 12 h.
  std::chrono::milliseconds visibility{std::chrono::seconds(30)};
  // Deliveries that may end without an ack, 1 .. 1,000; then the message is among the dead letters.
  unsigned deliveries_max = 5;
  // A message that is not acknowledged for so long is a dead letter, 60 s .. 14 days.
  std::chrono::seconds retention{std::chrono::hours(4 * 24)};
  // For how long a dedup_id is remembered, from its first send on, whatever becomes of the message; 1 s .. 24 h.
  std::chrono::seconds dedup_window{300};
  // Messages that are not acknowledged, dead letters apart, 1 .. 100,000,000. Beyond: throttled (queue_depth).
  std::size_t messages_max = 1'000'000;
  // Their bytes, 1 .. 1 TiB. Beyond: throttled (queue_bytes).
  std::size_t bytes_max = std::size_t{1} << 30U;
  // Received and not yet settled, 1 .. 1,000,000. Beyond: receive() is throttled (in_flight).
  std::size_t in_flight_max = 120'000;
  // Dead letters, 1 .. 10,000,000. While there are as many, send() is limit_exceeded (dead_letters): none is dropped.
  std::size_t dead_letters_max = 100'000;
  friend bool operator==(const queue_settings&, const queue_settings&) = default;
};

struct queue_message {
  payload data{};
  // Names are 1 .. 128 of [A-Za-z0-9_.-], at most 64 of them.
  std::map<std::string, std::string, std::less<>> attributes{};
  // 0 .. 128 bytes. Messages of one group are delivered in the order they were sent, the next one only when the one
  // before is acknowledged or a dead letter. Empty: no order.
  std::string group{};
  // 0 .. 128 bytes. A message that has the id of one sent within dedup_window is not stored again: the send succeeds
  // with what the first one was told. Empty: each is a message of its own.
  std::string dedup_id{};
  // Hidden from receivers for so long at first, 0 .. 15 min. In a group, those behind it wait too.
  std::chrono::milliseconds delay{0};
};

struct sent_message {
  std::string id{};            // unique in the queue, printable
  std::uint64_t sequence = 0;  // greater than those of messages that were sent before
  bool duplicate = false;      // by its dedup_id; the others are those of the first
};

struct queue_send_options {
  // Part of this transaction: stored when it commits. Null: of none.
  service_transaction* within = nullptr;
  std::optional<clock::time_point> deadline{};  // as in call_options
};

struct queue_receive_options {
  // Messages at most, 1 .. 1,000.
  std::size_t count = 1;
  // If there are none: how long to wait for the first, 0 .. 20 s. Without polling: a message that becomes visible wakes
  // who waits. At the deadline, if that is earlier, it returns as if the wait were over.
  std::chrono::milliseconds wait{0};
  // In the place of queue_settings::visibility.
  std::optional<std::chrono::milliseconds> visibility{};
  std::optional<clock::time_point> deadline{};  // as in call_options
};

// A message in the hands of who received it.
struct queue_delivery {
  std::string id{};
  std::uint64_t sequence = 0;
  payload data{};
  std::map<std::string, std::string, std::less<>> attributes{};
  std::string group{};
  // Opaque, printable, 1 .. 128 bytes: what ack() and the others take. Good for this delivery only.
  std::string receipt{};
  unsigned deliveries = 0;  // with this one: 1 for the first
  calendar_time sent_at{};
  calendar_time first_received_at{};
};

// What becomes of a delivery.
enum class settlement_kind : std::uint8_t {
  ack = 1,      // done: the message is gone
  nack,         // not done: visible again after `delay`; a dead letter if this was its last delivery
  extend,       // not yet done: hidden for another `delay`, from now on
  dead_letter,  // never to be done: among the dead letters, now
};

struct queue_settlement {
  std::string receipt{};
  settlement_kind kind = settlement_kind::ack;
  std::chrono::milliseconds delay{0};  // nack, extend: 0 .. 12 h
  // nack, dead_letter: why, for people; 0 .. 1,024 bytes, kept with the message.
  std::string error{};
};

enum class dead_letter_reason : std::uint8_t {
  deliveries = 1,  // deliveries_max of them ended without an ack
  age,             // older than the retention
  rejected,        // settled so
};

// A dead letter: not one of the runtime's, whose type has that name.
struct dead_message {
  std::string id{};
  std::uint64_t sequence = 0;
  payload data{};
  std::map<std::string, std::string, std::less<>> attributes{};
  std::string group{};
  dead_letter_reason reason = dead_letter_reason::deliveries;
  std::string error{};  // the last one it was settled with; empty: none was
  unsigned deliveries = 0;
  calendar_time sent_at{};
  calendar_time died_at{};
};

struct dead_letter_list_options {
  std::size_t page_size = 100;  // 1 .. 1,000
  std::string cursor{};         // where the page before ended; empty: from the oldest
  std::optional<clock::time_point> deadline{};
};

struct dead_letter_page {
  std::vector<dead_message> letters{};  // in the order they died
  std::string cursor{};                 // for the next page; empty: this was the last one
};

struct queue_counts {
  std::size_t visible = 0;  // could be received now
  std::size_t waiting = 0;  // for their delay, or for one before them in their group
  std::size_t in_flight = 0;
  std::size_t dead = 0;
  std::chrono::milliseconds oldest_age{0};  // of those that are not dead; 0: there are none
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
