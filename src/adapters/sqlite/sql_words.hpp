// SPDX-License-Identifier: MIT
#pragma once

// SQL as words: no more of it is understood here than where its names, texts and comments end.

#include <dormouse/detail/config.hpp>

#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

// The first word, and takes it and all before it off `sql`; empty when there is none. Blanks, comments and semicolons
// are none; what is in quotes is one, with its quotes; a sign that is no part of a name is one.
std::string_view next_word(std::string_view& sql) noexcept;
// Letters of ASCII are compared without their case, as SQL's own names are.
bool same_word(std::string_view a, std::string_view b) noexcept;
bool begins_word(std::string_view text, std::string_view with) noexcept;
bool contains_word_part(std::string_view text, std::string_view part) noexcept;

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
