// SPDX-License-Identifier: MIT
#pragma once

// What is read of a queue without changing it. All is done within a piece of work of the engine's.

#include <dormouse/services/queue.hpp>

#include "engines/sqlite/connection.hpp"
#include "queue_state.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

result<queue_counts> count_messages(connection& in, const queue_state& of);
// Behind this place, from 0 on; the page's cursor is for dead_letter_cursor().
result<dead_letter_page> read_letters(connection& in, const queue_state& of, std::int64_t after, std::size_t count);
// Fails: invalid_argument.
result<std::int64_t> place_of_cursor(std::string_view cursor);
// As the file says it; 0: some are visible now; empty: none is hidden.
result<std::optional<std::int64_t>> next_visible(connection& in, const queue_state& of);

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
