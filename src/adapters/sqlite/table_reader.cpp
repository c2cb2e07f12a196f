// SPDX-License-Identifier: MIT
#include "table_reader.hpp"

#include <dormouse/detail/service_call.hpp>

#include "item_codec.hpp"
#include "stored_row.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

namespace {

constexpr std::int64_t id_max = std::numeric_limits<std::int64_t>::max();
// Items are dealt out to the segments of a scan by their ids, so many in a row: where one lies never changes.
constexpr std::int64_t segment_ids = 64;
// Expired items that a page passes over at most.
constexpr std::size_t passed_max = 10'000;

failure malformed_cursor() {
  return detail::make_failure(errc::invalid_argument, effect_kind::not_applied, failure_reason::none,
                              "the cursor is malformed");
}

// The page as it grows. It is full when the next row is not to be looked at any more.
class page_builder {
 public:
  page_builder(const condition& filter, const std::vector<std::string>& projection, std::size_t page_size,
               calendar_time now, const table_index* index = nullptr)
      : filter_(filter), projection_(projection), page_size_(page_size), now_(now), index_(index) {}

  [[nodiscard]] bool is_full() const noexcept {
    return page_.examined >= page_size_ || bytes_ >= table::page_bytes_max || passed_ >= passed_max;
  }
  // Of a statement that walks. `place` gets where the item stands in the index.
  result<void> add(const statement& row, std::string_view partition, std::optional<table_key>& place) {
    table_entry entry{.key = {std::string(row.blob(4)), std::string(row.blob(5))}};
    stored_item read;
    if (auto done = read_row(row, entry.key.partition, entry.key.sort, read); !done) return done;
    if (index_ != nullptr) {
      place = table_index_key(*index_, read.item);
      if (!place || place->partition != partition) return corrupt("an item is at a wrong place of an index");
    }
    if (read.expires_at && *read.expires_at <= now_) {
      ++passed_;
      return {};
    }
    ++page_.examined;
    bytes_ += entry.key.partition.size() + entry.key.sort.size() + table::item_bytes(read.item);
    entry.item = std::move(read.item);
    if (index_ != nullptr) narrow(entry.item, index_->projection);
    if (!filter_.is_always() && !filter_.holds(&entry.item)) return {};
    narrow(entry.item, projection_);
    entry.version = read.version;
    entry.expires_at = read.expires_at;
    page_.entries.push_back(std::move(entry));
    return {};
  }
  // It goes on behind what was added last.
  table_page ended(std::string cursor) {
    page_.cursor = std::move(cursor);
    return std::move(page_);
  }

 private:
  static void narrow(table_item& item, const std::vector<std::string>& names) {
    if (!names.empty()) item = project_table_item(item, names);
  }

  const condition& filter_;
  const std::vector<std::string>& projection_;
  const std::size_t page_size_;
  const calendar_time now_;
  const table_index* index_;
  table_page page_{};
  std::size_t bytes_ = 0;
  std::size_t passed_ = 0;
};

// The texts s with from <= s < to, by unsigned bytes.
struct text_range {
  std::string from{};
  std::string to = std::string(table::sort_bytes_max + 1, '\xff');  // behind every sort
};

// The least text behind all that begin with `prefix`; `range.to` stays when there is none.
void end_behind(std::string prefix, text_range& range) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (prefix.empty()) return;
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1U);
  range.to = std::move(prefix);
}

text_range range_of(const sort_range& sort) {
  text_range range;
  range.from = sort.from ? *sort.from : sort.prefix;
  if (sort.to) range.to = *sort.to + '\0';  // the next text there is
  if (!sort.prefix.empty()) end_behind(sort.prefix, range);
  return range;
}

bool has(const text_range& range, std::string_view text) noexcept { return text >= range.from && text < range.to; }

// What is behind `last`, in the direction of the walk.
void go_on_behind(const std::string& last, bool descending, text_range& range) {
  if (descending) {
    range.to = last;
  } else {
    range.from = last + '\0';
  }
}

// A cursor: of the table itself a byte and the sort, as an empty one would mean that there is nothing left; of an index
// the id and the sort in the index; of a scan the id.
constexpr std::size_t id_bytes = 8;
constexpr char sort_follows = 's';

result<table_page> read_own_order(connection& in, const table_state& of, const table_query& what,
                                  std::string_view after, calendar_time now) {
  text_range range = range_of(what.sort);
  if (!after.empty()) {
    const std::string last(after.substr(1));
    if (after.front() != sort_follows || !has(range, last)) return malformed_cursor();
    go_on_behind(last, what.descending, range);
  }
  page_builder page(what.filter, what.projection, what.page_size, now);
  auto row = in.prepare(what.descending ? of.sql.walk_down : of.sql.walk_up);
  if (!row) return std::move(row).error();
  row->bind_blob(1, what.partition).bind_blob(2, range.from).bind_blob(3, range.to);
  std::string last;
  std::optional<table_key> unused;
  for (;;) {
    auto found = row->step();
    if (!found) return std::move(found).error();
    if (!*found) return page.ended({});
    if (page.is_full()) return page.ended(sort_follows + last);
    last = row->blob(5);
    if (auto added = page.add(*row, what.partition, unused); !added) return std::move(added).error();
  }
}

struct index_end {
  std::int64_t id = 0;
  std::string sort{};
  [[nodiscard]] std::string packed() const { return sort_number(id) + sort; }
};

// Adds what the statement, with its parameters bound, gives. True: there is more, but the page is full.
result<bool> add_rows(statement row, std::string_view partition, page_builder& page, index_end& last) {
  for (;;) {
    const auto found = row.step();
    if (!found || !*found) return found;
    if (page.is_full()) return true;
    std::optional<table_key> place;
    if (auto added = page.add(row, partition, place); !added) return std::move(added).error();
    last = {row.int64(0), std::move(place->sort)};
  }
}

// Items at the same place of an index are in the order of their ids: first what is left of the place where the page
// before ended, then what is behind it.
result<table_page> read_index(connection& in, const table_state& of, const table_query& what, std::size_t index,
                              std::string_view after, calendar_time now) {
  const table_sql::index_walks& texts = of.sql.indexes[index];
  page_builder page(what.filter, what.projection, what.page_size, now, &of.indexes[index].declared);
  text_range range = range_of(what.sort);
  index_end last;
  if (!after.empty()) {
    if (after.size() < id_bytes) return malformed_cursor();
    last = {sort_number_of(after.substr(0, id_bytes)), std::string(after.substr(id_bytes))};
    if (!has(range, last.sort)) return malformed_cursor();
    const std::string same = last.sort;
    auto row = in.prepare(what.descending ? texts.same_down : texts.same_up);
    if (!row) return std::move(row).error();
    row->bind_blob(1, what.partition).bind_blob(2, same).bind(3, last.id);
    const auto more = add_rows(std::move(*row), what.partition, page, last);
    if (!more) return more.error();
    if (*more) return page.ended(last.packed());
    go_on_behind(same, what.descending, range);
  }
  auto row = in.prepare(what.descending ? texts.down : texts.up);
  if (!row) return std::move(row).error();
  row->bind_blob(1, what.partition).bind_blob(2, range.from).bind_blob(3, range.to);
  const auto more = add_rows(std::move(*row), what.partition, page, last);
  if (!more) return more.error();
  return page.ended(*more ? last.packed() : std::string());
}

// The first id at or behind `id` that belongs to the segment.
std::int64_t first_of_segment(std::int64_t id, const table_scan& what) noexcept {
  const auto segments = static_cast<std::int64_t>(what.segments);
  const std::int64_t run = id / segment_ids;
  const std::int64_t ahead = (static_cast<std::int64_t>(what.segment) - run % segments + segments) % segments;
  if (ahead == 0) return id;
  if (run > id_max / segment_ids - segments) return id_max;
  return (run + ahead) * segment_ids;
}

}  // namespace

result<std::optional<stored_item>> read_item_at(connection& in, const table_state& of, const table_key& key,
                                                const clock& time) {
  std::optional<stored_item> found;
  auto row = in.prepare(of.sql.find);
  if (!row) return std::move(row).error();
  const auto is_there = row->bind_blob(1, key.partition).bind_blob(2, key.sort).step();
  if (!is_there) return is_there.error();
  if (!*is_there) return found;
  if (auto read = read_row(*row, key.partition, key.sort, found.emplace()); !read) return std::move(read).error();
  if (found->expires_at && *found->expires_at <= time.wall()) found.reset();
  return found;
}

result<table_page> read_page(connection& in, const table_state& of, const table_query& what, std::string_view after,
                             calendar_time now) {
  if (what.index.empty()) return read_own_order(in, of, what, after, now);
  const auto found = std::find_if(of.indexes.begin(), of.indexes.end(),
                                  [&](const placed_index& each) { return each.declared.name == what.index; });
  return read_index(in, of, what, static_cast<std::size_t>(found - of.indexes.begin()), after, now);
}

// In the order of ids. Where the next row is one of another segment's, the walk goes on at the next one of its own.
result<table_page> read_page(connection& in, const table_state& of, const table_scan& what, std::string_view after,
                             calendar_time now) {
  if (!after.empty() && after.size() != id_bytes) return malformed_cursor();
  std::int64_t last = after.empty() ? 0 : sort_number_of(after);
  if (last < 0) return malformed_cursor();
  page_builder page(what.filter, what.projection, what.page_size, now);
  std::optional<table_key> unused;
  for (std::int64_t from = first_of_segment(last, what);;) {
    auto row = in.prepare(of.sql.scan);
    if (!row) return std::move(row).error();
    row->bind(1, std::max(last, from - 1));
    for (;;) {
      auto found = row->step();
      if (!found) return std::move(found).error();
      if (!*found) return page.ended({});
      const std::int64_t id = row->int64(0);
      from = first_of_segment(id, what);
      if (from != id) break;
      if (page.is_full()) return page.ended(sort_number(last));
      if (auto added = page.add(*row, {}, unused); !added) return std::move(added).error();
      last = id;
    }
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
