// SPDX-License-Identifier: MIT

#include "event_pattern/value_tests.hpp"

#include <algorithm>
#include <cmath>

namespace dormouse_event_pattern {

std::optional<std::int64_t> in_millionths(const number& quantity) noexcept {
  if (!(std::abs(quantity.value) <= numeric_max)) return std::nullopt;
  return std::llround(quantity.value * 1e6);
}

namespace {

char folded(char each) noexcept { return each >= 'A' && each <= 'Z' ? static_cast<char>(each - 'A' + 'a') : each; }

bool holds(const literal_test& test, const json_value& value) noexcept {
  return value.what == test.what && value.truth == test.truth;
}

bool holds(const number_test& test, const json_value& value) noexcept {
  if (value.what != json_value::kind::number) return false;
  const number& a = test.equal;
  const number& b = value.quantity;
  const auto small = in_millionths(a);
  if (small) return small == in_millionths(b);
  // Beyond what ranges know: account numbers, for instance.
  if (a.whole && b.whole) return a.magnitude == b.magnitude && a.negative == b.negative;
  return a.value == b.value;
}

bool holds(const text_test& test, const json_value& value) noexcept {
  if (value.what != json_value::kind::string) return false;
  std::string_view part = value.text;
  const std::size_t size = test.text.size();
  if (part.size() < size || (test.where == anchor::whole && part.size() != size)) return false;
  part = test.where == anchor::suffix ? part.substr(part.size() - size) : part.substr(0, size);
  if (!test.ignore_case) return part == test.text;
  return std::equal(part.begin(), part.end(), test.text.begin(), [](char a, char b) { return folded(a) == folded(b); });
}

// Where the first occurrence ends; npos: there is none.
std::size_t end_of_first(const wildcard_test::piece& piece, std::string_view in) noexcept {
  std::size_t matched = 0;
  for (std::size_t at = 0; at < in.size(); ++at) {
    while (matched > 0 && in[at] != piece.text[matched]) matched = piece.restart[matched - 1];
    if (in[at] == piece.text[matched]) ++matched;
    if (matched == piece.text.size()) return at + 1;
  }
  return std::string_view::npos;
}

// The earliest place of each piece leaves the most for those behind it.
bool holds(const wildcard_test& test, const json_value& value) noexcept {
  if (value.what != json_value::kind::string) return false;
  if (!test.tail) return value.text == test.head;
  if (value.text.size() < test.head.size() + test.tail->size()) return false;
  if (!value.text.starts_with(test.head) || !value.text.ends_with(*test.tail)) return false;
  std::string_view rest = value.text;
  rest.remove_prefix(test.head.size());
  rest.remove_suffix(test.tail->size());
  for (const auto& piece : test.middle) {
    const std::size_t end = end_of_first(piece, rest);
    if (end == std::string_view::npos) return false;
    rest.remove_prefix(end);
  }
  return true;
}

bool holds(const range_test& test, const json_value& value) noexcept {
  if (value.what != json_value::kind::number) return false;
  const auto quantity = in_millionths(value.quantity);
  return quantity && *quantity >= test.lowest && *quantity <= test.highest;
}

}  // namespace

bool holds(const value_tests& any_of, const json_value& value) noexcept {
  if (value.what == json_value::kind::string && any_of.texts.find(value.text) != any_of.texts.end()) return true;
  return std::any_of(any_of.others.begin(), any_of.others.end(), [&](const value_test& each) {
    return std::visit([&](const auto& test) { return holds(test, value); }, each);
  });
}

namespace {

wildcard_test::piece make_piece(std::string text) {
  std::vector<std::size_t> restart(text.size(), 0);
  for (std::size_t at = 1, matched = 0; at < text.size(); ++at) {
    while (matched > 0 && text[at] != text[matched]) matched = restart[matched - 1];
    if (text[at] == text[matched]) ++matched;
    restart[at] = matched;
  }
  return {std::move(text), std::move(restart)};
}

}  // namespace

std::optional<wildcard_test> make_wildcard(std::string_view text, std::string& why) {
  std::vector<std::string> pieces(1);
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '*') {
      if (at > 0 && pieces.size() > 1 && pieces.back().empty()) {
        why = "two wildcards in succession";
        return std::nullopt;
      }
      pieces.emplace_back();
    } else if (text[at] == '\\') {
      ++at;
      if (at == text.size() || (text[at] != '*' && text[at] != '\\')) {
        why = "a backslash stands before * or \\ only";
        return std::nullopt;
      }
      pieces.back() += text[at];
    } else {
      pieces.back() += text[at];
    }
  }
  wildcard_test made{.head = pieces.front()};
  if (pieces.size() > 1) made.tail = pieces.back();
  for (std::size_t i = 1; i + 1 < pieces.size(); ++i) made.middle.push_back(make_piece(std::move(pieces[i])));
  return made;
}

}  // namespace dormouse_event_pattern
