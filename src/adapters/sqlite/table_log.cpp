// SPDX-License-Identifier: MIT
#include "table_log.hpp"

#include <dormouse/detail/service_call.hpp>

#include "byte_sum.hpp"
#include "item_codec.hpp"
#include "stored_row.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

namespace {

// Rows are taken away once in so many changes, four times as many at once: see table_sql::log_trim.
constexpr std::int64_t trim_interval = 16;

std::int64_t sum_of(const logged_change& what, std::int64_t made) noexcept {
  byte_sum all;
  all.add(static_cast<std::uint64_t>(what.kind)).add(static_cast<std::uint64_t>(made));
  all.add(what.partition).add(what.sort);
  for (const auto* each : {&what.former, &what.current}) {
    all.add(std::uint64_t{each->has_value()}).add(each->value_or(std::string_view{}));
  }
  return static_cast<std::int64_t>(all.value());
}

std::int64_t oldest_kept(const table_state& of, calendar_time now) noexcept {
  return to_file_time(now) - std::chrono::nanoseconds(of.schema.changes_age).count();
}

result<void> trim(connection& in, const table_state& of, std::int64_t last, calendar_time now) {
  auto row = in.prepare(of.sql.log_trim);
  if (!row) return std::move(row).error();
  const auto gone = last - static_cast<std::int64_t>(of.schema.changes_max);
  auto done = row->bind(1, gone).bind(2, oldest_kept(of, now)).run();
  if (!done) return std::move(done).error();
  return {};
}

// The number of the last change that is kept no more, as far as rows say; 0: all are there.
result<std::int64_t> dropped(connection& in, const table_state& of, std::int64_t last) {
  auto row = in.prepare(of.sql.log_first);
  if (!row) return std::move(row).error();
  auto found = row->step();
  if (!found) return std::move(found).error();
  if (!*found) return 0;
  const std::int64_t before = row->int64(1) == 0 ? row->int64(0) : row->int64(0) - 1;  // kind 0: a gap
  return std::max(before, last - static_cast<std::int64_t>(of.schema.changes_max));
}

failure kept_no_more(std::int64_t up_to) {
  return detail::refuse_service_call(errc::expired, failure_reason::none, "changes up to {} are kept no more", up_to);
}

result<void> read_side(const std::optional<std::string_view>& bytes, std::optional<table_item>& to) {
  if (bytes && !read_item(*bytes, to.emplace())) return corrupt("an item of a change is malformed");
  return {};
}

result<table_change> change_of(const statement& row) {
  logged_change raw{
      .kind = static_cast<table_change_kind>(row.int64(2)), .partition = row.blob(3), .sort = row.blob(4)};
  if (!row.is_null(5)) raw.former = row.blob(5);
  if (!row.is_null(6)) raw.current = row.blob(6);
  if (sum_of(raw, row.int64(1)) != row.int64(7)) return corrupt("a change's check sum is wrong");
  table_change change{.sequence = static_cast<std::uint64_t>(row.int64(0)),
                      .kind = raw.kind,
                      .key = {std::string(raw.partition), std::string(raw.sort)}};
  if (auto read = read_side(raw.former, change.former); !read) return std::move(read).error();
  if (auto read = read_side(raw.current, change.current); !read) return std::move(read).error();
  return change;
}

std::int64_t position_sum(const table_state& of, std::string_view reader, std::int64_t position) noexcept {
  byte_sum all;
  all.add(static_cast<std::uint64_t>(of.id)).add(reader).add(static_cast<std::uint64_t>(position));
  return static_cast<std::int64_t>(all.value());
}

result<void> check_room_for_reader(connection& in, const table_state& of) {
  auto row = in.prepare("SELECT count(*) FROM dormouse_positions WHERE owner = ?1");
  if (!row) return std::move(row).error();
  auto found = row->bind(1, of.id).step();
  if (!found) return std::move(found).error();
  if (row->int64(0) < readers_max) return {};
  return detail::refuse_service_call(errc::limit_exceeded, failure_reason::store_full, "{} readers have positions",
                                     readers_max);
}

}  // namespace

result<void> add_to_log(connection& in, const table_state& of, const logged_change& what, calendar_time now) {
  auto row = in.prepare(of.sql.log_add);
  if (!row) return std::move(row).error();
  const std::int64_t made = to_file_time(now);
  row->bind(1, made).bind(2, static_cast<std::int64_t>(what.kind));
  row->bind_blob(3, what.partition).bind_blob(4, what.sort).bind(7, sum_of(what, made));
  if (what.former) row->bind_blob(5, *what.former);
  if (what.current) row->bind_blob(6, *what.current);
  auto done = row->run();
  if (!done) return std::move(done).error();
  const std::int64_t last = sqlite3_last_insert_rowid(in.handle());
  return last % trim_interval == 0 ? trim(in, of, last, now) : result<void>{};
}

result<std::uint64_t> last_in_log(connection& in, const table_state& of) {
  auto row = in.prepare(of.sql.log_last);
  if (!row) return std::move(row).error();
  auto found = row->step();
  if (!found) return std::move(found).error();
  return *found ? static_cast<std::uint64_t>(row->int64(0)) : 0;
}

result<std::vector<table_change>> read_log(connection& in, const table_state& of, std::uint64_t after,
                                           std::size_t count, calendar_time now) {
  const auto last = last_in_log(in, of);
  if (!last) return last.error();
  if (after > *last) {
    return detail::refuse_service_call(errc::invalid_argument, failure_reason::none,
                                       "there is no change {} yet; the last one is {}", after, *last);
  }
  const auto gone = dropped(in, of, static_cast<std::int64_t>(*last));
  if (!gone) return gone.error();
  if (static_cast<std::int64_t>(after) < *gone) return kept_no_more(*gone);
  auto row = in.prepare(of.sql.log_read);
  if (!row) return std::move(row).error();
  row->bind(1, static_cast<std::int64_t>(after));
  std::vector<table_change> changes;
  while (changes.size() < count) {
    auto found = row->step();
    if (!found) return std::move(found).error();
    if (!*found) break;
    // They lie in the order of their times: when the first one is young enough, so are the others.
    if (changes.empty() && row->int64(1) < oldest_kept(of, now)) return kept_no_more(row->int64(0));
    auto change = change_of(*row);
    if (!change) return std::move(change).error();
    changes.push_back(std::move(*change));
  }
  return changes;
}

// ---- positions ------------------------------------------------------------------------------------------------------

result<std::optional<std::uint64_t>> position_of(connection& in, const table_state& of, std::string_view reader) {
  auto row = in.prepare("SELECT position, sum FROM dormouse_positions WHERE owner = ?1 AND reader = ?2");
  if (!row) return std::move(row).error();
  auto found = row->bind(1, of.id).bind_text(2, reader).step();
  if (!found) return std::move(found).error();
  if (!*found) return std::optional<std::uint64_t>{};
  if (row->int64(1) != position_sum(of, reader, row->int64(0))) return corrupt("a position's check sum is wrong");
  return std::optional<std::uint64_t>{static_cast<std::uint64_t>(row->int64(0))};
}

result<void> set_position(connection& in, const table_state& of, std::string_view reader, std::uint64_t position) {
  const auto number = static_cast<std::int64_t>(position);
  const std::int64_t sum = position_sum(of, reader, number);
  {
    auto row = in.prepare("UPDATE dormouse_positions SET position = ?3, sum = ?4 WHERE owner = ?1 AND reader = ?2");
    if (!row) return std::move(row).error();
    auto changed = row->bind(1, of.id).bind_text(2, reader).bind(3, number).bind(4, sum).run();
    if (!changed) return std::move(changed).error();
    if (*changed != 0) return {};
  }
  if (auto room = check_room_for_reader(in, of); !room) return room;
  auto row = in.prepare("INSERT INTO dormouse_positions(owner, reader, position, sum) VALUES(?1, ?2, ?3, ?4)");
  if (!row) return std::move(row).error();
  auto added = row->bind(1, of.id).bind_text(2, reader).bind(3, number).bind(4, sum).run();
  if (!added) return std::move(added).error();
  return {};
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
