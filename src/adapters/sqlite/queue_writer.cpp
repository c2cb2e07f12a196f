// SPDX-License-Identifier: MIT
#include "queue_writer.hpp"

#include <dormouse/detail/service_call.hpp>

#include "item_codec.hpp"
#include "message_codec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

namespace {

failure dead_letters_are_full() noexcept {
  return detail::make_failure(errc::limit_exceeded, effect_kind::not_applied, failure_reason::dead_letters,
                              "dead_letters_max is reached");
}

}  // namespace

void queue_ending::ended(bool committed) noexcept {
  if (!committed) {
    of_->adjust(change, -1);
    of_->waiting.forget();
    return;
  }
  of_->waiting.note(became_visible, due, old);
  if (became_visible != 0 || (tells && due != time_never)) of_->watchers.tell();
}

bool is_refusal(const failure& why) noexcept {
  switch (why.reason) {
    case failure_reason::queue_depth:
    case failure_reason::queue_bytes:
    case failure_reason::dead_letters:
    case failure_reason::stale_receipt:
    case failure_reason::name: return true;
    default: return false;
  }
}

// ---- what all have in common ----------------------------------------------------------------------------------------

queue_tally queue_writer::tally() const noexcept {
  queue_tally now = begun_with_;
  now.add(change_);
  return now;
}

bool queue_writer::dead_are_full() const noexcept {
  return tally().dead >= static_cast<std::int64_t>(of_.settings.dead_letters_max);
}

std::int64_t queue_writer::too_old_since() const noexcept { return now_ - nanoseconds(of_.settings.retention); }

void queue_writer::finish() noexcept {
  // If nobody could receive because so many were in flight, what is visible is as good as new.
  const bool was_full = begun_with_.in_flight >= static_cast<std::int64_t>(of_.settings.in_flight_max);
  if (was_full && change_.in_flight < 0) ++after_.became_visible;
  after_.change = change_;
  of_.adjust(change_);
}

void queue_writer::became_visible_at(std::int64_t when) noexcept {
  if (when == visible_now) {
    ++after_.became_visible;
  } else {
    after_.due = std::min(after_.due, when);
  }
}

result<bool> queue_writer::exists(const std::string& text, std::int64_t number) {
  auto row = in_.prepare(text);
  if (!row) return std::move(row).error();
  return row->bind(1, number).step();
}

result<void> queue_writer::set_visible(std::int64_t sequence, std::int64_t when) {
  auto row = in_.prepare(of_.sql.hide);
  if (!row) return std::move(row).error();
  auto done = row->bind(1, sequence).bind(2, when).run();
  if (!done) return std::move(done).error();
  return {};
}

result<void> queue_writer::release(std::int64_t sequence, std::int64_t when, std::string_view error) {
  auto row = in_.prepare(of_.sql.release);
  if (!row) return std::move(row).error();
  row->bind(1, sequence).bind(2, when);
  if (!error.empty()) row->bind_blob(3, error);
  auto done = row->run();
  if (!done) return std::move(done).error();
  return {};
}

// False: there is none of this number and, if one is asked for, this delivery.
result<bool> queue_writer::remove(std::int64_t sequence, std::optional<std::uint64_t> delivery) {
  std::string group;
  {
    auto row = in_.prepare(of_.sql.weigh);
    if (!row) return std::move(row).error();
    auto found = row->bind(1, sequence).step();
    if (!found || !*found) return found;
    if (delivery && static_cast<std::uint64_t>(row->int64(0)) != *delivery) return false;
    --change_.messages;
    change_.bytes -= row->int64(1);
    change_.in_flight -= row->int64(2);
    group = row->blob(3);
  }
  auto row = in_.prepare(of_.sql.remove);
  if (!row) return std::move(row).error();
  if (auto done = row->bind(1, sequence).run(); !done) return std::move(done).error();
  if (!group.empty()) {
    if (auto next = release_group(group); !next) return std::move(next).error();
  }
  return true;
}

// The next one of the group, if the one that has gone was the first.
result<void> queue_writer::release_group(std::string_view group) {
  std::int64_t sequence = 0;
  std::int64_t when = 0;
  {
    auto row = in_.prepare(of_.sql.group_first);
    if (!row) return std::move(row).error();
    auto found = row->bind_blob(1, group).step();
    if (!found) return std::move(found).error();
    if (!*found || row->int64(1) >= 0) return {};
    sequence = row->int64(0);
    when = -1 - row->int64(1);
  }
  if (when <= now_) when = visible_now;
  became_visible_at(when);
  return set_visible(sequence, when);
}

// ---- sending --------------------------------------------------------------------------------------------------------

result<sent_message> queue_writer::send(const queue_message& message) {
  if (!message.dedup_id.empty()) {
    auto first = find_duplicate(message.dedup_id);
    if (!first) return std::move(first).error();
    if (*first) return std::move(**first);
  }
  if (dead_are_full()) return dead_letters_are_full();
  const std::string attributes = attribute_bytes(message.attributes);
  std::size_t bytes = message.data.size();
  for (const auto& [name, value] : message.attributes) bytes += name.size() + value.size();
  if (auto fit = check_room(bytes); !fit && of_.waiting.is_due(now_)) {
    if (auto tidied = tidy(); !tidied) return std::move(tidied).error();  // some may be too old to count
  }
  if (auto fit = check_room(bytes); !fit) return std::move(fit).error();
  const auto sequence = store({.group = message.group,
                               .attributes = attributes,
                               .data = message.data.text(),
                               .bytes = bytes,
                               .delay = nanoseconds(message.delay)});
  if (!sequence) return sequence.error();
  if (!message.dedup_id.empty()) {
    if (auto kept = remember(message.dedup_id, *sequence); !kept) return std::move(kept).error();
  }
  return sent_message{fmt::format("{:x}", *sequence), static_cast<std::uint64_t>(*sequence)};
}

result<void> queue_writer::check_room(std::size_t bytes) const noexcept {
  const queue_tally now = tally();
  if (now.messages >= static_cast<std::int64_t>(of_.settings.messages_max)) {
    return detail::make_failure(errc::throttled, effect_kind::not_applied, failure_reason::queue_depth,
                                "messages_max is reached");
  }
  if (now.bytes + static_cast<std::int64_t>(bytes) <= static_cast<std::int64_t>(of_.settings.bytes_max)) return {};
  return detail::make_failure(errc::throttled, effect_kind::not_applied, failure_reason::queue_bytes,
                              "bytes_max is reached");
}

// The number it has now.
result<std::int64_t> queue_writer::store(const stored& what) {
  std::int64_t visible_at = what.delay == 0 ? visible_now : now_ + what.delay;
  if (!what.group.empty()) {
    auto row = in_.prepare(of_.sql.group_last);
    if (!row) return std::move(row).error();
    auto found = row->bind_blob(1, what.group).step();
    if (!found) return std::move(found).error();
    if (*found) visible_at = -1 - visible_at;
  }
  const auto sequence = of_.next_sequence(in_);
  if (!sequence) return sequence;
  const message_head head{*sequence, what.number != 0 ? what.number : *sequence, now_, what.group};
  auto row = in_.prepare(of_.sql.add);
  if (!row) return std::move(row).error();
  row->bind(1, *sequence).bind(2, visible_at).bind(3, now_).bind(4, static_cast<std::int64_t>(what.bytes));
  row->bind(5, message_sum(head, what.attributes, what.data)).bind_blob(9, what.data);
  if (what.number != 0) row->bind(6, what.number);
  if (!what.group.empty()) row->bind_blob(7, what.group);
  if (!what.attributes.empty()) row->bind_blob(8, what.attributes);
  if (auto done = row->run(); !done) return std::move(done).error();
  ++change_.messages;
  change_.bytes += static_cast<std::int64_t>(what.bytes);
  after_.old = std::min(after_.old, now_ + nanoseconds(of_.settings.retention));
  if (visible_at >= 0) became_visible_at(visible_at);
  return sequence;
}

result<std::optional<sent_message>> queue_writer::find_duplicate(std::string_view dedup_id) {
  auto row = in_.prepare(of_.sql.dedup_find);
  if (!row) return std::move(row).error();
  auto found = row->bind_blob(1, dedup_id).bind(2, now_ - nanoseconds(of_.settings.dedup_window)).step();
  if (!found) return std::move(found).error();
  if (!*found) return std::optional<sent_message>{};
  if (row->int64(2) != dedup_sum(dedup_id, row->int64(0), row->int64(1))) {
    return corrupt("the note of a dedup_id has a wrong check sum");
  }
  return std::optional<sent_message>{
      {fmt::format("{:x}", row->int64(0)), static_cast<std::uint64_t>(row->int64(0)), true}};
}

// Takes away a few on its way that have become too old.
result<void> queue_writer::remember(std::string_view dedup_id, std::int64_t sequence) {
  {
    auto old = in_.prepare(of_.sql.dedup_trim);
    if (!old) return std::move(old).error();
    auto done = old->bind(1, now_ - nanoseconds(of_.settings.dedup_window)).run();
    if (!done) return std::move(done).error();
  }
  auto row = in_.prepare(of_.sql.dedup_add);
  if (!row) return std::move(row).error();
  row->bind_blob(1, dedup_id).bind(2, sequence).bind(3, now_).bind(4, dedup_sum(dedup_id, sequence, now_));
  auto done = row->run();
  if (!done) return std::move(done).error();
  return {};
}

// ---- settling -------------------------------------------------------------------------------------------------------

namespace {

failure stale(std::string_view why) noexcept {
  return detail::make_failure(errc::expired, effect_kind::not_applied, failure_reason::stale_receipt, why);
}

}  // namespace

result<void> queue_writer::settle(const queue_settlement& what) {
  const auto receipt = of_.read_receipt(what.receipt);
  if (!receipt) {
    return detail::make_failure(errc::invalid_argument, effect_kind::not_applied, failure_reason::name,
                                "it is no receipt of this queue");
  }
  if (what.kind != settlement_kind::ack || receipt->epoch != of_.epoch()) return settle_found(what, *receipt);
  auto gone = remove(static_cast<std::int64_t>(receipt->sequence), receipt->delivery);
  if (!gone) return std::move(gone).error();
  return *gone ? result<void>{} : settle_found(what, *receipt);
}

result<void> queue_writer::settle_found(const queue_settlement& what, const queue_receipt& receipt) {
  const auto sequence = static_cast<std::int64_t>(receipt.sequence);
  std::int64_t deliveries = 0;
  bool is_hidden = false;
  {
    auto row = in_.prepare(of_.sql.find);
    if (!row) return std::move(row).error();
    auto found = row->bind(1, sequence).step();
    if (!found) return std::move(found).error();
    if (!*found) return settle_absent(what, receipt);
    deliveries = row->int64(0);
    is_hidden = row->int64(1) != 0 && row->int64(2) > now_;
  }
  if (receipt.epoch != of_.epoch() || static_cast<std::uint64_t>(deliveries) != receipt.delivery) {
    return stale("the message was received again since, or is to be");
  }
  if (!is_hidden) return stale("the delivery has ended");
  if (what.kind == settlement_kind::extend) {
    after_.due = std::min(after_.due, now_ + nanoseconds(what.delay));
    return set_visible(sequence, now_ + nanoseconds(what.delay));
  }
  return end_delivery(sequence, what, deliveries >= static_cast<std::int64_t>(of_.settings.deliveries_max));
}

// An ack of one that was acknowledged, or purged, is none of a dead one.
result<void> queue_writer::settle_absent(const queue_settlement& what, const queue_receipt& receipt) {
  const auto sequence = static_cast<std::int64_t>(receipt.sequence);
  for (const std::string* each : {&of_.sql.letter_of, &of_.sql.redriven}) {
    auto found = exists(*each, sequence);
    if (!found) return std::move(found).error();
    if (*found) return stale("the message is, or was, a dead letter");
  }
  return what.kind == settlement_kind::ack ? result<void>{} : stale("the message is gone");
}

result<void> queue_writer::end_delivery(std::int64_t sequence, const queue_settlement& what, bool is_last) {
  const bool rejected = what.kind == settlement_kind::dead_letter;
  if (rejected || is_last) {
    if (dead_are_full()) return dead_letters_are_full();
    return bury(sequence, rejected ? dead_letter_reason::rejected : dead_letter_reason::deliveries, what.error);
  }
  const std::int64_t when = what.delay.count() == 0 ? visible_now : now_ + nanoseconds(what.delay);
  --change_.in_flight;
  became_visible_at(when);
  return release(sequence, when, what.error);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
