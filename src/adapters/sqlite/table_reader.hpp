// SPDX-License-Identifier: MIT
#pragma once

// What reads of a table do within a piece of work of the engine's.

#include <dormouse/services/table.hpp>

#include "engines/sqlite/connection.hpp"
#include "table_state.hpp"

#include <optional>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

result<std::optional<stored_item>> read_item_at(connection& in, const table_state& of, const table_key& key,
                                                const clock& time);
// Pages; `after` is what an earlier page gave as its cursor, empty for the start.
result<table_page> read_page(connection& in, const table_state& of, const table_query& what, std::string_view after,
                             calendar_time now);
result<table_page> read_page(connection& in, const table_state& of, const table_scan& what, std::string_view after,
                             calendar_time now);

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
