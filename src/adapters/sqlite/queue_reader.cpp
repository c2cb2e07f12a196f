// SPDX-License-Identifier: MIT
#include "queue_reader.hpp"

#include <dormouse/detail/page_cursor.hpp>
#include <dormouse/detail/service_call.hpp>

#include "message_codec.hpp"
#include "stored_row.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

namespace {

constexpr std::size_t page_bytes_max = 16 * 1'024 * 1'024;  // a page ends there, too

int at(letter_column column) noexcept { return static_cast<int>(column); }

dead_message letter_of(const statement& row) {
  const message_head head{row.int64(at(letter_column::sequence)), row.int64(at(letter_column::message)),
                          row.int64(at(letter_column::sent_at)), row.blob(at(letter_column::group))};
  const std::string_view attributes = row.blob(at(letter_column::attributes));
  const std::string_view data = row.blob(at(letter_column::data));
  dead_message one{.id = fmt::format("{:x}", head.number),
                   .sequence = static_cast<std::uint64_t>(head.sequence),
                   .group = std::string(head.group),
                   .reason = static_cast<dead_letter_reason>(row.int64(at(letter_column::reason))),
                   .error = std::string(row.blob(at(letter_column::error))),
                   .deliveries = static_cast<unsigned>(row.int64(at(letter_column::deliveries))),
                   .sent_at = from_file_time(head.sent_at),
                   .died_at = from_file_time(row.int64(at(letter_column::died_at)))};
  const bool is_sound = message_sum(head, attributes, data) == row.int64(at(letter_column::sum)) &&
                        read_attributes(attributes, one.attributes);
  if (is_sound) {
    one.data = payload(data);
  } else {
    one.attributes.clear();
    one.error = "its check sum is wrong";
  }
  return one;
}

result<std::int64_t> number(connection& in, const std::string& text, std::optional<std::int64_t> now) {
  auto row = in.prepare(text);
  if (!row) return std::move(row).error();
  if (now) row->bind(1, *now);
  auto found = row->step();
  if (!found) return std::move(found).error();
  return row->int64(0);
}

}  // namespace

result<queue_counts> count_messages(connection& in, const queue_state& of) {
  const std::int64_t now = of.time.now();
  const auto visible = number(in, of.sql.count_visible, now);
  if (!visible) return visible.error();
  const auto flying = number(in, of.sql.count_flying, now);
  if (!flying) return flying.error();
  const auto dead = number(in, of.sql.count_dead, {});
  if (!dead) return dead.error();
  auto row = in.prepare(of.sql.count_all);
  if (!row) return std::move(row).error();
  auto found = row->step();
  if (!found) return std::move(found).error();
  queue_counts all{.visible = static_cast<std::size_t>(*visible),
                   .waiting = static_cast<std::size_t>(row->int64(0) - *visible - *flying),
                   .in_flight = static_cast<std::size_t>(*flying),
                   .dead = static_cast<std::size_t>(*dead)};
  if (row->int64(0) != 0) {
    all.oldest_age =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::nanoseconds(now - row->int64(1)));
  }
  return all;
}

result<dead_letter_page> read_letters(connection& in, const queue_state& of, std::int64_t after, std::size_t count) {
  dead_letter_page page;
  auto row = in.prepare(of.sql.letter_page);
  if (!row) return std::move(row).error();
  row->bind(1, after).bind(2, static_cast<std::int64_t>(count) + 1);
  std::size_t bytes = 0;
  for (;;) {
    auto found = row->step();
    if (!found) return std::move(found).error();
    if (!*found) return page;
    if (page.letters.size() == count || bytes > page_bytes_max) break;
    page.letters.push_back(letter_of(*row));
    bytes += page.letters.back().data.size();
    after = row->int64(at(letter_column::place));
  }
  page.cursor = detail::make_cursor({fmt::format("{:x}", after)});
  return page;
}

result<std::int64_t> place_of_cursor(std::string_view cursor) {
  if (cursor.empty()) return std::int64_t{0};
  const auto parts = detail::read_cursor_parts(cursor, 1, 16);
  const auto place = parts ? read_hex(parts->front()) : std::nullopt;
  if (place) return static_cast<std::int64_t>(*place);
  return detail::refuse_service_call(errc::invalid_argument, failure_reason::none, "the cursor is malformed");
}

result<std::optional<std::int64_t>> next_visible(connection& in, const queue_state& of) {
  auto row = in.prepare(of.sql.next_visible);
  if (!row) return std::move(row).error();
  auto found = row->step();
  if (!found) return std::move(found).error();
  if (!*found) return std::optional<std::int64_t>{};
  return std::optional<std::int64_t>{row->int64(0)};
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
