// SPDX-License-Identifier: MIT
#pragma once

// A row of items, as a statement of table_sql gives it.

#include <dormouse/services/table.hpp>

#include "engines/sqlite/connection.hpp"
#include "item_codec.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

// Nanoseconds since 1970: how the file keeps times.
[[nodiscard]] inline std::int64_t to_file_time(calendar_time when) noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(when.time_since_epoch()).count();
}
[[nodiscard]] inline calendar_time from_file_time(std::int64_t when) noexcept {
  return calendar_time(std::chrono::duration_cast<calendar_time::duration>(std::chrono::nanoseconds(when)));
}

[[nodiscard]] inline row_head head_of(const statement& row, std::string_view partition, std::string_view sort) {
  row_head head{.partition = partition, .sort = sort, .version = static_cast<table_version>(row.int64(1))};
  if (!row.is_null(2)) head.expires_at = row.int64(2);
  return head;
}

// Checked against its sum. Fails: corruption.
inline result<void> read_row(const statement& row, std::string_view partition, std::string_view sort, stored_item& to) {
  const row_head head = head_of(row, partition, sort);
  const auto bytes = opened_row(head, row.blob(3));
  if (!bytes) return bytes.error();
  if (!read_item(*bytes, to.item)) return corrupt("an item is malformed");
  to.version = head.version;
  to.expires_at.reset();
  if (head.expires_at) to.expires_at = from_file_time(*head.expires_at);
  return {};
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
