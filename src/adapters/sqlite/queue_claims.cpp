// SPDX-License-Identifier: MIT
// The part of queue_writer that receives, and what time brings about.
#include <dormouse/detail/service_call.hpp>

#include "item_codec.hpp"
#include "message_codec.hpp"
#include "queue_writer.hpp"
#include "stored_row.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

namespace {
int at(ready_column column) noexcept { return static_cast<int>(column); }
}  // namespace

// A message that is visible, and what is to become of it.
struct queue_writer::claimed {
  enum class fate : std::uint8_t { delivered, worn_out, too_old, corrupt };
  std::int64_t sequence = 0;
  fate becomes = fate::delivered;
  queue_delivery as{};
};

// ---- receiving ------------------------------------------------------------------------------------------------------

result<void> queue_writer::claim(std::size_t count, std::chrono::milliseconds visibility,
                                 std::vector<queue_delivery>& to, std::optional<failure>& refusal) {
  if (of_.waiting.is_due(now_)) {
    if (auto tidied = tidy(); !tidied) return tidied;
  }
  const std::int64_t room = static_cast<std::int64_t>(of_.settings.in_flight_max) - tally().in_flight;
  if (room <= 0) return refuse_if_any(refusal);
  count = std::min(count, static_cast<std::size_t>(room));
  const std::int64_t until = now_ + nanoseconds(visibility);
  while (to.size() < count) {
    const auto wanted = count - to.size();
    auto found = ready(wanted);
    if (!found) return std::move(found).error();
    const auto visible_before = after_.became_visible;
    for (claimed& each : *found) {
      if (each.becomes == claimed::fate::corrupt && !to.empty()) return {};  // the next call's
      if (each.becomes == claimed::fate::delivered) {
        if (auto taken = take(each, until); !taken) return taken;
        to.push_back(std::move(each.as));
        continue;
      }
      if (auto aside = put_aside(each); !aside) return aside;
      if (each.becomes != claimed::fate::corrupt) continue;
      refusal = corrupt("a message has a wrong check sum: it is a dead letter now");
      refusal->effect = effect_kind::applied;
      return {};
    }
    if (found->size() < wanted && after_.became_visible == visible_before) {
      of_.waiting.found_ready(false);
      return {};
    }
  }
  return {};
}

result<void> queue_writer::refuse_if_any(std::optional<failure>& refusal) {
  auto any = ready(1);
  if (!any) return std::move(any).error();
  if (any->empty()) {
    of_.waiting.found_ready(false);
  } else {
    refusal = detail::make_failure(errc::throttled, effect_kind::not_applied, failure_reason::in_flight,
                                   "in_flight_max is reached");
  }
  return {};
}

result<std::vector<queue_writer::claimed>> queue_writer::ready(std::size_t count) {
  std::vector<claimed> all;
  auto row = in_.prepare(of_.sql.ready);
  if (!row) return std::move(row).error();
  row->bind(1, static_cast<std::int64_t>(count));
  for (;;) {
    auto found = row->step();
    if (!found) return std::move(found).error();
    if (!*found) return all;
    claimed& one = all.emplace_back();
    one.sequence = row->int64(at(ready_column::sequence));
    const std::int64_t deliveries = row->int64(at(ready_column::deliveries));
    const std::int64_t sent_at = row->int64(at(ready_column::sent_at));
    const bool is_first = row->is_null(at(ready_column::origin));
    const message_head head{one.sequence, is_first ? one.sequence : row->int64(at(ready_column::origin)), sent_at,
                            row->blob(at(ready_column::group))};
    const std::string_view attributes = row->blob(at(ready_column::attributes));
    const std::string_view data = row->blob(at(ready_column::data));
    if (message_sum(head, attributes, data) != row->int64(at(ready_column::sum)) ||
        !read_attributes(attributes, one.as.attributes)) {
      one.becomes = claimed::fate::corrupt;
      continue;
    }
    if (sent_at <= too_old_since()) one.becomes = claimed::fate::too_old;
    if (deliveries >= static_cast<std::int64_t>(of_.settings.deliveries_max)) one.becomes = claimed::fate::worn_out;
    if (one.becomes != claimed::fate::delivered) continue;
    const bool is_new = row->is_null(at(ready_column::first_received_at));
    one.as.id = fmt::format("{:x}", head.number);
    one.as.sequence = static_cast<std::uint64_t>(one.sequence);
    one.as.data = payload(data);
    one.as.group = head.group;
    one.as.receipt = of_.receipt_of(one.sequence, deliveries + 1);
    one.as.deliveries = static_cast<unsigned>(deliveries + 1);
    one.as.sent_at = from_file_time(sent_at);
    one.as.first_received_at = from_file_time(is_new ? now_ : row->int64(at(ready_column::first_received_at)));
  }
}

// The delivery is counted before anybody sees the message: who dies of it can never be rid of it uncounted.
result<void> queue_writer::take(claimed& one, std::int64_t until) {
  auto row = in_.prepare(of_.sql.claim);
  if (!row) return std::move(row).error();
  auto done = row->bind(1, one.sequence).bind(2, until).bind(3, now_).run();
  if (!done) return std::move(done).error();
  ++change_.in_flight;
  after_.due = std::min(after_.due, until);
  return {};
}

// To the dead or, while there is no room among them, to where nobody receives it.
result<void> queue_writer::put_aside(const claimed& one) {
  if (dead_are_full()) return set_visible(one.sequence, visible_never);
  if (one.becomes == claimed::fate::corrupt) return bury_corrupt(one.sequence);
  return bury(one.sequence,
              one.becomes == claimed::fate::too_old ? dead_letter_reason::age : dead_letter_reason::deliveries, {});
}

// ---- what time brings about -----------------------------------------------------------------------------------------

result<void> queue_writer::tidy() {
  if (!dead_are_full()) {
    if (auto done = bury_stuck(); !done) return done;
  }
  if (of_.waiting.next_due() <= now_) {
    if (auto done = surface_due(); !done) return done;
  }
  if (of_.waiting.next_old() <= now_) return bury_old();
  return {};
}

result<void> queue_writer::surface_due() {
  struct due_row {
    std::int64_t sequence, in_flight, deliveries;
  };
  std::vector<due_row> rows;
  {
    auto row = in_.prepare(of_.sql.due);
    if (!row) return std::move(row).error();
    row->bind(1, now_).bind(2, round_max);
    for (;;) {
      auto found = row->step();
      if (!found) return std::move(found).error();
      if (!*found) break;
      rows.push_back({row->int64(0), row->int64(1), row->int64(2)});
    }
  }
  for (const due_row& each : rows) {
    const bool worn_out = each.deliveries >= static_cast<std::int64_t>(of_.settings.deliveries_max);
    if (worn_out && !dead_are_full()) {
      if (auto done = bury(each.sequence, dead_letter_reason::deliveries, {}); !done) return done;
      continue;
    }
    change_.in_flight -= each.in_flight;
    if (auto done = release(each.sequence, worn_out ? visible_never : visible_now, {}); !done) return done;
  }
  of_.waiting.found_ready(true);
  if (static_cast<std::int64_t>(rows.size()) == round_max) return {};
  auto next = in_.prepare(of_.sql.next_due);
  if (!next) return std::move(next).error();
  auto found = next->bind(1, std::max(now_, visible_never)).step();
  if (!found) return std::move(found).error();
  of_.waiting.found_due(*found ? next->int64(0) : time_never);
  return {};
}

result<void> queue_writer::bury_stuck() {
  std::vector<std::pair<std::int64_t, std::int64_t>> rows;
  {
    auto row = in_.prepare(of_.sql.stuck);
    if (!row) return std::move(row).error();
    row->bind(1, round_max);
    for (;;) {
      auto found = row->step();
      if (!found) return std::move(found).error();
      if (!*found) break;
      rows.emplace_back(row->int64(0), row->int64(1));
    }
  }
  for (const auto& [sequence, deliveries] : rows) {
    if (dead_are_full()) return {};
    const bool worn_out = deliveries >= static_cast<std::int64_t>(of_.settings.deliveries_max);
    auto done = bury(sequence, worn_out ? dead_letter_reason::deliveries : dead_letter_reason::age, {});
    if (!done) return done;
  }
  return {};
}

// They lie in the order they were sent.
result<void> queue_writer::bury_old() {
  for (std::int64_t left = round_max; left > 0; --left) {
    std::int64_t sequence = 0;
    std::int64_t sent_at = 0;
    {
      auto row = in_.prepare(of_.sql.oldest);
      if (!row) return std::move(row).error();
      auto found = row->step();
      if (!found) return std::move(found).error();
      if (*found) {
        sequence = row->int64(0);
        sent_at = row->int64(1);
      }
    }
    if (sequence == 0 || sent_at > too_old_since() || dead_are_full()) {
      const bool waits = sequence != 0 && sent_at > too_old_since();
      of_.waiting.found_old(waits ? sent_at + nanoseconds(of_.settings.retention) : time_never);
      return {};
    }
    if (auto done = bury(sequence, dead_letter_reason::age, {}); !done) return done;
  }
  return {};
}

// ---- the dead -------------------------------------------------------------------------------------------------------

result<void> queue_writer::bury(std::int64_t sequence, dead_letter_reason reason, std::string_view error) {
  {
    auto row = in_.prepare(of_.sql.bury);
    if (!row) return std::move(row).error();
    row->bind(1, sequence).bind(2, static_cast<std::int64_t>(reason)).bind(4, now_);
    if (!error.empty()) row->bind_blob(3, error);
    if (auto done = row->run(); !done) return std::move(done).error();
  }
  ++change_.dead;
  auto gone = remove(sequence, {});
  if (!gone) return std::move(gone).error();
  return {};
}

// What it was is not known; its head is taken as it is.
result<void> queue_writer::bury_corrupt(std::int64_t sequence) {
  std::int64_t sum = 0;
  {
    auto row = in_.prepare(of_.sql.head);
    if (!row) return std::move(row).error();
    auto found = row->bind(1, sequence).step();
    if (!found) return std::move(found).error();
    sum = message_sum({sequence, row->int64(2), row->int64(0), row->blob(1)}, {}, {});
  }
  {
    auto row = in_.prepare(of_.sql.bury_empty);
    if (!row) return std::move(row).error();
    row->bind(1, sequence).bind(2, static_cast<std::int64_t>(dead_letter_reason::rejected)).bind(4, now_).bind(5, sum);
    if (auto done = row->bind_blob(3, "its check sum is wrong").run(); !done) return std::move(done).error();
  }
  ++change_.dead;
  auto gone = remove(sequence, {});
  if (!gone) return std::move(gone).error();
  return {};
}

result<std::vector<queue_writer::letter>> queue_writer::letters(std::string_view id, std::size_t count) {
  std::vector<letter> all;
  const auto number = read_hex(id);
  if (!id.empty() && !number) return all;
  auto row = in_.prepare(id.empty() ? of_.sql.letter_page : of_.sql.letter_by_id);
  if (!row) return std::move(row).error();
  if (id.empty()) {
    row->bind(1, std::int64_t{0}).bind(2, static_cast<std::int64_t>(count));
  } else {
    row->bind(1, static_cast<std::int64_t>(*number));
  }
  const auto column = [](letter_column which) { return static_cast<int>(which); };
  for (;;) {
    auto found = row->step();
    if (!found) return std::move(found).error();
    if (!*found) return all;
    letter one{row->int64(column(letter_column::place)), row->int64(column(letter_column::message)),
               std::string(row->blob(column(letter_column::group))),
               std::string(row->blob(column(letter_column::attributes))),
               std::string(row->blob(column(letter_column::data)))};
    const message_head head{row->int64(column(letter_column::sequence)), one.number,
                            row->int64(column(letter_column::sent_at)), one.group};
    if (message_sum(head, one.attributes, one.data) != row->int64(column(letter_column::sum))) {
      if (id.empty()) continue;  // it stays among the dead
      return corrupt("a dead letter has a wrong check sum");
    }
    all.push_back(std::move(one));
  }
}

result<void> queue_writer::erase(const letter& one) {
  auto row = in_.prepare(of_.sql.letter_erase);
  if (!row) return std::move(row).error();
  if (auto done = row->bind(1, one.place).run(); !done) return std::move(done).error();
  --change_.dead;
  return {};
}

result<std::size_t> queue_writer::redrive(std::string_view id, std::size_t count) {
  auto all = letters(id, count);
  if (!all) return std::move(all).error();
  std::size_t done = 0;
  for (const letter& each : *all) {
    message_attributes attributes;
    if (!read_attributes(each.attributes, attributes)) return corrupt("a dead letter is malformed");
    std::size_t bytes = each.data.size();
    for (const auto& [name, value] : attributes) bytes += name.size() + value.size();
    if (auto fit = check_room(bytes); !fit) {
      if (done == 0) return std::move(fit).error();
      break;
    }
    const auto sequence = store(
        {.number = each.number, .group = each.group, .attributes = each.attributes, .data = each.data, .bytes = bytes});
    if (!sequence) return sequence.error();
    if (auto gone = erase(each); !gone) return std::move(gone).error();
    ++done;
  }
  if (done != 0) {  // there is room among the dead
    if (auto moved = bury_stuck(); !moved) return std::move(moved).error();
    of_.waiting.found_old(time_unknown);
  }
  return done;
}

result<bool> queue_writer::erase_letter(std::string_view id) {
  const auto number = read_hex(id);
  if (!number) return false;
  letter one;
  {
    auto row = in_.prepare(of_.sql.letter_by_id);
    if (!row) return std::move(row).error();
    auto found = row->bind(1, static_cast<std::int64_t>(*number)).step();
    if (!found || !*found) return found;
    one.place = row->int64(static_cast<int>(letter_column::place));
  }
  if (auto gone = erase(one); !gone) return std::move(gone).error();
  if (auto moved = bury_stuck(); !moved) return std::move(moved).error();
  of_.waiting.found_old(time_unknown);
  return true;
}

result<std::size_t> queue_writer::purge() {
  auto row = in_.prepare(of_.sql.purge);
  if (!row) return std::move(row).error();
  auto gone = row->run();
  if (!gone) return std::move(gone).error();
  const queue_tally now = tally();
  change_.messages -= now.messages;
  change_.bytes -= now.bytes;
  change_.in_flight -= now.in_flight;
  return static_cast<std::size_t>(*gone);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
