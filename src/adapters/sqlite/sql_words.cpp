// SPDX-License-Identifier: MIT

#include "sql_words.hpp"

#include <algorithm>
#include <cstddef>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {
namespace {

constexpr auto none = std::string_view::npos;

bool is_blank(char each) noexcept {
  return each == ' ' || each == '\t' || each == '\n' || each == '\r' || each == '\f' || each == ';';
}

char lower(char each) noexcept { return each >= 'A' && each <= 'Z' ? static_cast<char>(each - 'A' + 'a') : each; }

bool is_part_of_name(char each) noexcept {
  const char small = lower(each);
  return (small >= 'a' && small <= 'z') || (each >= '0' && each <= '9') || each == '_' || each == '$' ||
         (static_cast<unsigned char>(each) & 0x80U) != 0;
}

void skip(std::string_view& sql, std::size_t end, std::size_t more) noexcept {
  sql.remove_prefix(end == none ? sql.size() : std::min(sql.size(), end + more));
}

bool skip_comment(std::string_view& sql) noexcept {
  if (sql.starts_with("--")) {
    skip(sql, sql.find('\n'), 1);
    return true;
  }
  if (!sql.starts_with("/*")) return false;
  skip(sql, sql.find("*/", 2), 2);
  return true;
}

// A quote inside is doubled: it ends one quoted piece and begins the next.
bool is_quote(char each) noexcept { return each == '\'' || each == '"' || each == '`' || each == '['; }

std::string_view take(std::string_view& sql, std::size_t bytes) noexcept {
  const auto word = sql.substr(0, bytes);
  sql.remove_prefix(word.size());
  return word;
}

}  // namespace

std::string_view next_word(std::string_view& sql) noexcept {
  while (!sql.empty()) {
    if (is_blank(sql[0])) {
      sql.remove_prefix(1);
    } else if (is_quote(sql[0])) {
      const auto end = sql.find(sql[0] == '[' ? ']' : sql[0], 1);
      return take(sql, end == none ? none : end + 1);
    } else if (!skip_comment(sql)) {
      const auto* const end = std::find_if_not(sql.begin(), sql.end(), is_part_of_name);
      return take(sql, std::max<std::size_t>(1, static_cast<std::size_t>(end - sql.begin())));
    }
  }
  return {};
}

bool same_word(std::string_view a, std::string_view b) noexcept { return a.size() == b.size() && begins_word(a, b); }

bool begins_word(std::string_view text, std::string_view with) noexcept {
  return text.size() >= with.size() &&
         std::equal(with.begin(), with.end(), text.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

bool contains_word_part(std::string_view text, std::string_view part) noexcept {
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [](char x, char y) { return lower(x) == lower(y); }) != text.end();
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
