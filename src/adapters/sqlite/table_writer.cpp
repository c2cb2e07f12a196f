// SPDX-License-Identifier: MIT
#include "table_writer.hpp"

#include <dormouse/detail/service_call.hpp>
#include <dormouse/detail/table_checks.hpp>

#include "item_codec.hpp"
#include "stored_row.hpp"
#include "table_log.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

namespace {

bool is_unconditional(const write_condition& when) noexcept {
  return !when.if_absent && !when.if_exists && when.if_version == 0 && when.holds.is_always();
}

}  // namespace

// A put or erase that asks nothing and is not logged needs not to look. One that is logged must know whether there was
// something, but may be done to a row that is corrupt: this is how one gets rid of it.
table_writer::look table_writer::needed_for(const table_write& what, bool wants_former) const noexcept {
  const bool asks =
      !is_unconditional(what.when) || what.kind == table_write_kind::update || what.kind == table_write_kind::check;
  if (asks || wants_former || of_.logs_former()) return look::whole;
  return of_.logs() ? look::head : look::none;
}

result<table_writer::outcome> table_writer::apply(const table_write& what, std::optional<stored_item>* former) {
  if (former != nullptr) former->reset();
  const look how = needed_for(what, former != nullptr);
  auto row = find(what.key, how);
  if (!row) return std::move(row).error();
  const bool is_there = *row && !(*row)->expired;
  if (former != nullptr && is_there) *former = (*row)->now;
  if (how == look::whole) {
    if (auto fit = detail::check_write_condition(is_there ? &(*row)->now : nullptr, what.when); !fit)
      return std::move(fit).error();
  }
  if (what.kind == table_write_kind::check) return outcome{};
  if (*row && (*row)->expired) {
    auto logged = log(table_change_kind::expire, what.key.partition, what.key.sort, &(*row)->bytes, {});
    if (!logged) return std::move(logged).error();
  }
  if (what.kind != table_write_kind::erase) return store(what, *row);
  const auto existed = erase(what.key, *row, how);
  if (!existed) return existed.error();
  return outcome{.existed = *existed};
}

result<std::optional<table_writer::former_row>> table_writer::find(const table_key& key, look how) {
  std::optional<former_row> found;
  if (how == look::none) return found;
  auto row = in_.prepare(of_.sql.find);
  if (!row) return std::move(row).error();
  const auto is_there = row->bind_blob(1, key.partition).bind_blob(2, key.sort).step();
  if (!is_there) return is_there.error();
  if (!*is_there) return found;
  found.emplace().id = row->int64(0);
  if (how == look::whole) {
    if (auto read = read_row(*row, key.partition, key.sort, found->now); !read) return std::move(read).error();
    if (of_.logs_former()) found->bytes = row->blob(3).substr(row_head_bytes);
  } else if (!row->is_null(2)) {
    found->now.expires_at = from_file_time(row->int64(2));
  }
  found->expired = has_expired(found->now.expires_at);
  return found;
}

result<bool> table_writer::erase(const table_key& key, const std::optional<former_row>& row, look how) {
  if (how == look::none) {
    auto gone = in_.prepare(of_.sql.erase_live);
    if (!gone) return std::move(gone).error();
    const auto count = gone->bind_blob(1, key.partition).bind_blob(2, key.sort).bind(3, to_file_time(now_)).run();
    if (!count) return count.error();
    return *count != 0;
  }
  if (!row) return false;
  if (auto gone = erase_row(row->id); !gone) return std::move(gone).error();
  if (row->expired) return false;
  auto logged = log(table_change_kind::remove, key.partition, key.sort, &row->bytes, {});
  if (!logged) return std::move(logged).error();
  return true;
}

result<table_writer::outcome> table_writer::store(const table_write& what, const std::optional<former_row>& row) {
  const bool is_there = row && !row->expired;
  outcome done{.existed = is_there};
  stored_item made;
  const table_item* item = &what.item;
  if (what.kind == table_write_kind::update) {
    if (is_there) made = row->now;
    if (auto fit = what.update.apply(made.item); !fit) return std::move(fit).error();
    if (auto fit = check_table_item(made.item); !fit) return std::move(fit).error();
    item = &made.item;
  }
  if (what.kind == table_write_kind::put || what.expires_at) made.expires_at = what.expires_at;
  const auto version = of_.versions.next(in_, of_.id);
  if (!version) return version.error();
  made.version = *version;
  std::string bytes;
  if (auto stored = upsert(what.key, made, *item, bytes); !stored) return std::move(stored).error();
  auto logged = log(is_there ? table_change_kind::modify : table_change_kind::insert, what.key.partition, what.key.sort,
                    is_there ? &row->bytes : nullptr, std::string_view(bytes).substr(row_head_bytes));
  if (!logged) return std::move(logged).error();
  done.now = std::move(made);
  return done;
}

// `bytes` become those of the row.
result<void> table_writer::upsert(const table_key& key, const stored_item& now, const table_item& item,
                                  std::string& bytes) {
  row_head head{.partition = key.partition, .sort = key.sort, .version = now.version};
  if (now.expires_at) head.expires_at = to_file_time(*now.expires_at);
  bytes = sealed_row(head, item);
  auto row = in_.prepare(of_.sql.upsert);
  if (!row) return std::move(row).error();
  row->bind_blob(1, key.partition).bind_blob(2, key.sort).bind(3, static_cast<std::int64_t>(now.version));
  if (head.expires_at) row->bind(4, *head.expires_at);
  row->bind_blob(5, bytes);
  std::vector<std::optional<table_key>> places;
  places.reserve(of_.indexes.size());
  for (const placed_index& each : of_.indexes) {
    const auto& place = places.emplace_back(table_index_key(each.declared, item));
    const int parameter = 4 + 2 * static_cast<int>(places.size());
    if (place) row->bind_blob(parameter, place->partition).bind_blob(parameter + 1, place->sort);
  }
  if (auto done = row->run(); !done) return std::move(done).error();
  if (head.expires_at && *head.expires_at < of_.nothing_expires_before) {
    of_.nothing_expires_before = *head.expires_at;
  }
  return {};
}

result<void> table_writer::erase_row(std::int64_t id) {
  auto gone = in_.prepare(of_.sql.erase_row);
  if (!gone) return std::move(gone).error();
  auto done = gone->bind(1, id).run();
  if (!done) return std::move(done).error();
  return {};
}

result<void> table_writer::log(table_change_kind kind, std::string_view partition, std::string_view sort,
                               const std::string* former, std::optional<std::string_view> current) {
  if (!of_.logs()) return {};
  logged_change change{.kind = kind, .partition = partition, .sort = sort};
  if (former != nullptr && of_.logs_former()) change.former = *former;
  if (of_.logs_current()) change.current = current;
  logged_ = true;
  return add_to_log(in_, of_, change, now_);
}

// ---- expiry ---------------------------------------------------------------------------------------------------------

result<void> table_writer::remove_expired(std::size_t count) {
  if (to_file_time(now_) < of_.nothing_expires_before) return {};
  for (bool more = true; more && count > 0; --count) {
    auto removed = remove_first_expired();
    if (!removed) return std::move(removed).error();
    more = *removed;
  }
  return note_soonest();
}

// False: there is none. A row that is corrupt may not have expired at all: it stays, and who asks for it is told what
// it is, but it is taken out of the order of expiry, where it would be in the way for ever.
result<bool> table_writer::remove_first_expired() {
  std::int64_t id = 0;
  table_key key;
  stored_item gone;
  std::string bytes;
  bool is_sound = false;
  {
    auto row = in_.prepare(of_.sql.expired);
    if (!row) return std::move(row).error();
    auto found = row->bind(1, to_file_time(now_)).step();
    if (!found || !*found) return found;
    id = row->int64(0);
    key = {std::string(row->blob(4)), std::string(row->blob(5))};
    is_sound = read_row(*row, key.partition, key.sort, gone).has_value();
    if (is_sound && of_.logs_former()) bytes = row->blob(3).substr(row_head_bytes);
  }
  if (!is_sound) {
    auto row = in_.prepare(of_.sql.never_expire);
    if (!row) return std::move(row).error();
    auto done = row->bind(1, id).run();
    if (!done) return std::move(done).error();
    return true;
  }
  if (auto erased = erase_row(id); !erased) return std::move(erased).error();
  auto logged = log(table_change_kind::expire, key.partition, key.sort, &bytes, {});
  if (!logged) return std::move(logged).error();
  return true;
}

result<void> table_writer::note_soonest() {
  auto row = in_.prepare(of_.sql.soonest);
  if (!row) return std::move(row).error();
  auto found = row->step();
  if (!found) return std::move(found).error();
  raised_hint_ = true;
  of_.nothing_expires_before = *found ? row->int64(0) : std::numeric_limits<std::int64_t>::max();
  return {};
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
