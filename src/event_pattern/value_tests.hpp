// SPDX-License-Identifier: MIT
#pragma once

// What a pattern asks of one value that is no array and no object: the operators. Letters are those of ASCII where case
// is ignored. All tests are linear in the length of the value.

#include "event_pattern/json_document.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace dormouse_event_pattern {

struct literal_test {
  json_value::kind what;  // null or boolean
  bool truth;
};

struct number_test {
  number equal;
};

enum class anchor : std::uint8_t { whole, prefix, suffix };

struct text_test {
  anchor where;
  bool ignore_case;
  std::string text;
};

// "a*b": pieces with anything between them.
struct wildcard_test {
  // A piece with stars on both sides; `restart` is the table of Knuth, Morris and Pratt, for which no text is slow.
  struct piece {
    std::string text;
    std::vector<std::size_t> restart;
  };

  std::string head{};                 // before the first star; all, when there is none
  std::optional<std::string> tail{};  // behind the last star
  std::vector<piece> middle{};
};

// Numbers of at most 5e9 on either side of zero, to six decimals.
struct range_test {
  std::int64_t lowest;  // in millionths, both of them part of it
  std::int64_t highest;
};

struct address_test {
  std::size_t bytes;  // 4 or 16
  std::size_t bits;
  std::array<std::uint8_t, 16> base;
};

using value_test = std::variant<literal_test, number_test, text_test, wildcard_test, range_test, address_test>;

// Holds when one of them does.
struct value_tests {
  std::set<std::string, std::less<>> texts{};
  std::vector<value_test> others{};

  [[nodiscard]] bool empty() const noexcept { return texts.empty() && others.empty(); }
};

[[nodiscard]] bool holds(const value_tests& any_of, const json_value& value) noexcept;
[[nodiscard]] bool holds(const address_test& test, const json_value& value) noexcept;

// Each has a fault's text in `why` when it makes none.
[[nodiscard]] std::optional<wildcard_test> make_wildcard(std::string_view text, std::string& why);
[[nodiscard]] std::optional<address_test> make_address(std::string_view block, std::string& why);

// In millionths, rounded; none beyond 5e9.
[[nodiscard]] std::optional<std::int64_t> in_millionths(const number& quantity) noexcept;
inline constexpr double numeric_max = 5e9;

}  // namespace dormouse_event_pattern
