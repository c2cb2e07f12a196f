// SPDX-License-Identifier: MIT
#pragma once

// The first answers of calls with a token, kept for ten minutes of the calendar in the transaction of what they did.
// All is done within a piece of work of the engine's.

#include <dormouse/services/table.hpp>

#include "engines/sqlite/connection.hpp"
#include "table_state.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

struct token_answer {
  std::uint64_t asked = 0;  // a fingerprint of the call
  stored_item now{};
  bool existed = false;
  std::vector<table_version> versions{};  // of a transaction
};

// What the call with this token was answered; nothing: there was none. Fails: invalid_argument when it was another one.
result<std::optional<token_answer>> find_answer(connection& in, const table_state& of, const std::string& token,
                                                std::uint64_t asked, calendar_time now);
// Takes away a few on its way that have become too old.
result<void> keep_answer(connection& in, const table_state& of, const std::string& token, const token_answer& answer,
                         calendar_time now);

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
