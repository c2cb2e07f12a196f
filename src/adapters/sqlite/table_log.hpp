// SPDX-License-Identifier: MIT
#pragma once

// The changes of a table, in the file of its items and in the same transactions, and how far their readers are.
// All is done within a piece of work of the engine's.

#include <dormouse/services/table.hpp>

#include "engines/sqlite/connection.hpp"
#include "table_state.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

// What is written down; items as their bytes in the file, null where there is none or the view does not have it.
struct logged_change {
  table_change_kind kind = table_change_kind::insert;
  std::string_view partition{};
  std::string_view sort{};
  std::optional<std::string_view> former{};
  std::optional<std::string_view> current{};
};

// Adds it and, from time to time, takes away a few of those that are kept no more.
result<void> add_to_log(connection& in, const table_state& of, const logged_change& what, calendar_time now);
result<std::vector<table_change>> read_log(connection& in, const table_state& of, std::uint64_t after,
                                           std::size_t count, calendar_time now);
result<std::uint64_t> last_in_log(connection& in, const table_state& of);

inline constexpr std::int64_t readers_max = 1'000;
result<std::optional<std::uint64_t>> position_of(connection& in, const table_state& of, std::string_view reader);
result<void> set_position(connection& in, const table_state& of, std::string_view reader, std::uint64_t position);

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
