// SPDX-License-Identifier: MIT
#pragma once

// What goes into the calls of a table and comes out of them. See table.hpp for what they mean together.
// Threads: plain values.

#include <dormouse/clock.hpp>
#include <dormouse/services/attribute.hpp>
#include <dormouse/services/condition.hpp>
#include <dormouse/services/table_update.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

class service_transaction;

// Items of one partition lie together, ordered by `sort`. Both are bytes, compared as unsigned ones; numbers in the
// order of their values: see sort_number().
struct table_key {
  std::string partition{};  // 1 .. 2,048 bytes
  std::string sort{};       // 0 .. 1,024 bytes
  friend bool operator==(const table_key&, const table_key&) = default;
  friend auto operator<=>(const table_key&, const table_key&) = default;
};

// Eight bytes that are ordered as the numbers are; and back, 0 for other texts.
[[nodiscard]] std::string sort_number(std::int64_t number);
[[nodiscard]] std::int64_t sort_number_of(std::string_view bytes) noexcept;

// Changes with every write of an item; for comparison only. 0: no item has it.
using table_version = std::uint64_t;

struct stored_item {
  table_item item{};
  table_version version = 0;
  // From then on the item is not there, for reads and conditions alike. Empty: it stays.
  std::optional<calendar_time> expires_at{};
};

struct table_entry {
  table_key key{};
  table_item item{};  // as much of it as was asked for
  table_version version = 0;
  std::optional<calendar_time> expires_at{};
};

// ---- what a table is declared with, whoever the adapter is ----------------------------------------------------------

// A second order of the same items. Those that lack one of its fields, or have it of a kind other than text, bytes or
// whole number, or of another size, are not in it (a sparse index).
struct table_index {
  std::string name{};             // 1 .. 64 of [A-Za-z0-9_-]
  std::string partition_field{};  // a top-level attribute; 1 .. 2,048 bytes of it
  std::string sort_field{};       // the same, 0 .. 1,024 bytes; empty: the index has no order
  // Attributes an entry of this index has, beside the key, 0 .. 100; empty: all. Filters see no others.
  std::vector<std::string> projection{};
};

// What a change in the log tells beside the key. More costs more at every write.
enum class table_change_view : std::uint8_t { none = 0, keys, new_item, old_item, both };

struct table_schema {
  std::vector<table_index> indexes{};  // 0 .. 20
  // none: no log, and changes() is unsupported.
  table_change_view change_view = table_change_view::none;
  // Changes that are kept, the last so many, 1 .. 100,000,000, and for how long, 1 s .. 365 days.
  std::size_t changes_max = 100'000;
  std::chrono::seconds changes_age{std::chrono::hours(24)};
};

// ---- writing --------------------------------------------------------------------------------------------------------

// What must hold for a write to happen. At most one of the first three; `holds` may come beside each.
struct write_condition {
  bool if_absent = false;
  bool if_exists = false;
  table_version if_version = 0;  // 0: any
  condition holds{};             // of the item that is there
};

struct table_write_options {
  write_condition when{};
  // put: when the item ends. update: empty leaves it as it is.
  std::optional<calendar_time> expires_at{};
  // 0 .. 64 bytes. A repetition of the call with the same token within 10 minutes does nothing and gives the first
  // answer, but the former item; another call with it is invalid_argument. For writes that must not happen twice.
  std::string token{};
  // Where to leave the item that stood there before, also when the condition failed; reset if none did.
  std::optional<stored_item>* former = nullptr;
  // Part of this transaction (service_transaction.hpp): there when it commits. Null: of none. Not beside a token.
  service_transaction* within = nullptr;
  std::optional<clock::time_point> deadline{};  // as in call_options
};

enum class table_write_kind : std::uint8_t { put = 1, update, erase, check };

// One part of a batch or transaction. The makers below fill in what each kind needs.
struct table_write {
  table_write_kind kind = table_write_kind::put;
  table_key key{};
  table_item item{};      // put
  table_update update{};  // update
  write_condition when{};
  std::optional<calendar_time> expires_at{};  // put, update
};

[[nodiscard]] inline table_write put_write(table_key key, table_item item, write_condition when = {}) {
  return {.kind = table_write_kind::put, .key = std::move(key), .item = std::move(item), .when = std::move(when)};
}
[[nodiscard]] inline table_write update_write(table_key key, table_update update, write_condition when = {}) {
  return {
      .kind = table_write_kind::update, .key = std::move(key), .update = std::move(update), .when = std::move(when)};
}
[[nodiscard]] inline table_write erase_write(table_key key, write_condition when = {}) {
  return {.kind = table_write_kind::erase, .key = std::move(key), .when = std::move(when)};
}
// Only the condition, which must hold as the others are done.
[[nodiscard]] inline table_write check_write(table_key key, write_condition when) {
  return {.kind = table_write_kind::check, .key = std::move(key), .when = std::move(when)};
}

struct table_transaction_options {
  std::string token{};  // as in table_write_options
  // Where to leave the positions of the writes whose condition failed.
  std::vector<std::size_t>* failed = nullptr;
  service_transaction* within = nullptr;        // as in table_write_options
  std::optional<clock::time_point> deadline{};  // as in call_options
};

// ---- reading --------------------------------------------------------------------------------------------------------

// strong: sees every write that had returned before the call. eventual: may be a little behind, where that is cheaper.
enum class read_consistency : std::uint8_t { strong = 1, eventual };

struct table_get_options {
  read_consistency consistency = read_consistency::strong;
  std::optional<clock::time_point> deadline{};  // as in call_options
};

struct table_batch {
  std::vector<table_entry> found{};      // in any order
  std::vector<table_key> unprocessed{};  // not answered before the deadline; the call succeeded for the others
};

// Which items of a partition: all, or those whose sort lies within bounds.
struct sort_range {
  std::optional<std::string> from{};  // it and those behind it
  std::optional<std::string> to{};    // it and those before it
  std::string prefix{};               // only those that begin so; not together with the others
};

// The part of the partition `partition` that `sort` says, in the order of sort.
struct table_query {
  // With an index: the bytes of its partition field, or a whole number as sort_number() has it.
  std::string partition{};
  sort_range sort{};
  std::string index{};  // its name; empty: the table's own order
  bool descending = false;
  // Entries of which it does not hold are left out, after they were counted for page_size.
  condition filter{};
  // Top-level attributes that are given, 0 .. 100; empty: all.
  std::vector<std::string> projection{};
  // Entries examined for a page at most, 1 .. 1,000; a page also ends with 1 MiB of examined items.
  std::size_t page_size = 100;
  std::string cursor{};  // where the page before ended; empty: from the start
  read_consistency consistency = read_consistency::strong;
  std::optional<clock::time_point> deadline{};  // as in call_options
};

// All items, in any order; entries that are there during the whole walk are given at least once.
struct table_scan {
  condition filter{};
  std::vector<std::string> projection{};
  // Several walkers side by side: `segment` of `segments`, 1 .. 1,000. Together they give everything.
  std::size_t segment = 0;
  std::size_t segments = 1;
  std::size_t page_size = 100;                  // as in table_query
  std::string cursor{};                         // the same
  std::optional<clock::time_point> deadline{};  // as in call_options
};

struct table_page {
  std::vector<table_entry> entries{};  // none, with a cursor, when the filter left all of them out
  std::size_t examined = 0;
  // For the next page; empty: this was the last one. Opaque printable text, good only for the same question.
  std::string cursor{};
};

// ---- changes --------------------------------------------------------------------------------------------------------

enum class table_change_kind : std::uint8_t { insert = 1, modify, remove, expire };

struct table_change {
  // Greater than that of every change that took effect before it, of whatever key; there may be gaps.
  std::uint64_t sequence = 0;
  table_change_kind kind = table_change_kind::insert;
  table_key key{};
  std::optional<table_item> former{};   // if the view has it and there was one
  std::optional<table_item> current{};  // the same
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/services/table_types.ipp>
#endif
