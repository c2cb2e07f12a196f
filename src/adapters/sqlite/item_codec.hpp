// SPDX-License-Identifier: MIT
#pragma once

// Items as bytes in a file. What is read there is not trusted: it may be cut short, or changed by a failing disk.
//
//   item    count, then for each attribute, in the order of names: name, value
//   value   one byte for its kind (the numbers of attribute_kind), then
//             truth one byte, whole number as a zigzag count, number as the eight bytes of an IEEE 754 double, text and
//             bytes as a text; list, map and sets a count and their elements, those of maps and sets in their order
//   text    count of bytes, the bytes
//   count   seven bits a byte, the lowest first; the eighth says that more follow
// Numbers of several bytes are little-endian.

#include <dormouse/result.hpp>
#include <dormouse/services/table.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

void append_item(std::string& to, const table_item& item);
// The item, if these are all the bytes of one; false for all else, whatever it is, with `to` in any state.
[[nodiscard]] bool read_item(std::string_view bytes, table_item& to);

// A row's item as it lies in the file: a byte for the format, eight for the sum of it, its key, version and time, then
// the item.
struct row_head {
  std::string_view partition{};
  std::string_view sort{};
  table_version version = 0;
  std::optional<std::int64_t> expires_at{};  // nanoseconds since 1970
};
inline constexpr std::size_t row_head_bytes = 9;
[[nodiscard]] std::string sealed_row(const row_head& head, const table_item& item);
// The bytes of the item within those of the row. Fails: corruption.
[[nodiscard]] result<std::string_view> opened_row(const row_head& head, std::string_view bytes);

// The same for what is no row of a table: `about` is what it belongs to.
[[nodiscard]] std::string sealed_record(std::string_view about, const table_item& item);
[[nodiscard]] result<table_item> opened_record(std::string_view about, std::string_view bytes);

[[nodiscard]] failure corrupt(std::string_view what) noexcept;

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
