// SPDX-License-Identifier: MIT
#pragma once

// Text to cron_fields: with the column and the reason of what is wrong.

#include <dormouse/detail/cron_fields.hpp>
#include <dormouse/result.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// Thrown and caught inside the parser.
struct parse_error {
  std::size_t column;  // in the whole text, from 1
  std::string reason;
};

// One field of a cron expression, read from left to right.
class field_parser {
 public:
  struct range {
    const char* name;  // as a person calls it
    unsigned first;
    unsigned last;
    std::span<const std::string_view> names{};  // of `first`, `first` + 1, ...
  };
  // `column` is that of the text's first character.
  field_parser(std::string_view text, std::size_t column, const range& values)
      : text_(text), column_(column), values_(values) {}

  // A list of values, ranges and steps; calls add(value) for each value.
  template <class Add>
  void list(const Add& add);
  // * or ?, alone or with a step.
  [[nodiscard]] bool starts_with_any() const noexcept { return !text_.empty() && (text_[0] == '*' || text_[0] == '?'); }
  [[nodiscard]] bool has_step() const noexcept { return text_.find('/') != std::string_view::npos; }
  [[nodiscard]] bool is_any() const noexcept { return text_ == "*" || text_ == "?"; }

  [[nodiscard]] bool at_end() const noexcept { return at_ == text_.size(); }
  [[nodiscard]] bool skip(char expected) noexcept;
  [[nodiscard]] unsigned value();   // a number or a name, in the range
  [[nodiscard]] unsigned number();  // any
  [[noreturn]] void fail(std::string reason) const;

 private:
  template <class Add>
  void item(const Add& add);

  std::string_view text_;
  std::size_t column_;
  const range& values_;
  std::size_t at_ = 0;
};

// The text's words and their columns.
struct word {
  std::string_view text;
  std::size_t column;
};
std::vector<word> split_words(std::string_view text, std::size_t column);

// Throw parse_error.
cron_fields parse_cron(std::string_view text, std::size_t column);      // five or six fields
cron_fields parse_aws_cron(std::string_view text, std::size_t column);  // what stands inside cron( )

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
