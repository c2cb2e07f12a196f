// SPDX-License-Identifier: MIT

#include "event_pattern/operators.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace dormouse_event_pattern {

namespace {

using kind = json_value::kind;

std::string text_of(const json_value& argument, const std::string& place) {
  if (argument.what != kind::string) refuse(place, "must be a string");
  return std::string(argument.text);
}

// The only member of an object, which says how to read the other.
const json_value& only_member(const json_value& object, const std::string& place) {
  if (object.parts.size() != 1) refuse(place, "must have one operator");
  return object.parts.front();
}

wildcard_test read_wildcard(const json_value& argument, const std::string& place) {
  std::string why;
  auto made = make_wildcard(text_of(argument, place), why);
  if (!made) refuse(place, why);
  if (made->tail && made->middle.size() + 1 > wildcards_max) {
    refuse(place, "more than " + std::to_string(wildcards_max) + " wildcards", refusal::kind::limit);
  }
  return *std::move(made);
}

// Prefix and suffix: a string, or one in which case is ignored.
void add_part(field_tests& to, const json_value& argument, const std::string& place, anchor where) {
  if (argument.what != kind::object) {
    to.any_of.others.emplace_back(text_test{where, false, text_of(argument, place)});
    return;
  }
  const json_value& inner = only_member(argument, place);
  if (inner.name != "equals-ignore-case") refuse(place, "must be a string or equals-ignore-case");
  to.any_of.others.emplace_back(text_test{where, true, text_of(inner, place + ".equals-ignore-case")});
}
void add_prefix(field_tests& to, const json_value& argument, const std::string& place) {
  add_part(to, argument, place, anchor::prefix);
}
void add_suffix(field_tests& to, const json_value& argument, const std::string& place) {
  add_part(to, argument, place, anchor::suffix);
}
void add_ignoring_case(field_tests& to, const json_value& argument, const std::string& place) {
  to.any_of.others.emplace_back(text_test{anchor::whole, true, text_of(argument, place)});
}
void add_wildcard(field_tests& to, const json_value& argument, const std::string& place) {
  to.any_of.others.emplace_back(read_wildcard(argument, place));
}
void add_address(field_tests& to, const json_value& argument, const std::string& place) {
  std::string why;
  const auto made = make_address(text_of(argument, place), why);
  if (!made) refuse(place, why);
  to.any_of.others.emplace_back(*made);
}
void add_exists(field_tests& to, const json_value& argument, const std::string& place) {
  if (argument.what != kind::boolean) refuse(place, "must be true or false");
  (argument.truth ? to.present : to.absent) = true;
}

// A range is a bound, or one from below and one from above, in this order. At `at`, an operator and its number.
std::int64_t read_bound(const json_value& list, std::size_t at, const std::string& place) {
  const std::string number_place = place + '[' + std::to_string(at + 1) + ']';
  if (at + 1 >= list.parts.size() || list.parts[at + 1].what != kind::number) refuse(number_place, "must be a number");
  const auto bound = in_millionths(list.parts[at + 1].quantity);
  if (!bound) refuse(number_place, "must be within -5e9 .. 5e9");
  return *bound;
}
void add_numeric(field_tests& to, const json_value& argument, const std::string& place) {
  if (argument.what != kind::array || argument.parts.empty()) refuse(place, "must be an array, as in [\">\", 0]");
  constexpr std::int64_t end = static_cast<std::int64_t>(numeric_max) * 1'000'000;
  range_test range{.lowest = -end, .highest = end};
  bool from_below = false;
  for (std::size_t at = 0; at < argument.parts.size(); at += 2) {
    const std::string_view name = argument.parts[at].text;  // empty: no string
    const bool lower = name == ">" || name == ">=";
    const bool upper = name == "<" || name == "<=";
    if ((!lower && !upper && name != "=") || (at > 0 && !(upper && from_below)) || at > 2) {
      refuse(place + '[' + std::to_string(at) + ']', "must be = < <= > >=, or < <= behind > >=");
    }
    const std::int64_t bound = read_bound(argument, at, place);
    if (!upper) range.lowest = name == ">" ? bound + 1 : bound;
    if (!lower) range.highest = name == "<" ? bound - 1 : bound;
    from_below = lower;
  }
  if (range.lowest > range.highest) refuse(place, "no number is in that range");
  to.any_of.others.emplace_back(range);
}

// One string of anything-but.
void add_excluded_text(value_tests& to, std::string_view how, const json_value& value, const std::string& place) {
  std::string text = text_of(value, place);
  if (how == "wildcard") {
    to.others.emplace_back(read_wildcard(value, place));
  } else if (how == "equals-ignore-case") {
    to.others.emplace_back(text_test{anchor::whole, true, std::move(text)});
  } else {
    if (text.empty()) refuse(place, "must not be empty");
    to.others.emplace_back(text_test{how == "prefix" ? anchor::prefix : anchor::suffix, false, std::move(text)});
  }
}
void add_excluded(value_tests& to, const json_value& value, const std::string& place) {
  if (value.what == kind::string) {
    to.texts.emplace(value.text);
  } else if (value.what == kind::number) {
    if (!in_millionths(value.quantity)) refuse(place, "must be within -5e9 .. 5e9");
    to.others.emplace_back(number_test{value.quantity});
  } else {
    refuse(place, "must be a string or a number");
  }
}

// Calls `each` with a value, or with all of a list and their places.
template <class Function>
void for_one_or_all(const json_value& values, const std::string& place, Function each) {
  if (values.what != kind::array) return each(values, place);
  if (values.parts.empty()) refuse(place, "an empty array");
  for (std::size_t i = 0; i < values.parts.size(); ++i) each(values.parts[i], place + '[' + std::to_string(i) + ']');
}

void add_anything_but(field_tests& to, const json_value& argument, const std::string& place) {
  value_tests excluded;
  if (argument.what == kind::object) {
    const json_value& inner = only_member(argument, place);
    constexpr std::string_view known[] = {"prefix", "suffix", "equals-ignore-case", "wildcard"};
    if (std::find(std::begin(known), std::end(known), inner.name) == std::end(known)) {
      refuse(place, "must be a value, a list, prefix, suffix, equals-ignore-case or wildcard");
    }
    for_one_or_all(inner, place + '.' + std::string(inner.name), [&](const json_value& each, const std::string& where) {
      add_excluded_text(excluded, inner.name, each, where);
    });
  } else {
    for_one_or_all(argument, place,
                   [&](const json_value& each, const std::string& where) { add_excluded(excluded, each, where); });
    if (!excluded.texts.empty() && !excluded.others.empty()) refuse(place, "must be all strings or all numbers");
  }
  to.anything_but.push_back(std::move(excluded));
}

struct named_operator {
  std::string_view name;
  void (*add)(field_tests& to, const json_value& argument, const std::string& place);
};
constexpr named_operator operators[] = {{"prefix", add_prefix},
                                        {"suffix", add_suffix},
                                        {"equals-ignore-case", add_ignoring_case},
                                        {"wildcard", add_wildcard},
                                        {"cidr", add_address},
                                        {"exists", add_exists},
                                        {"numeric", add_numeric},
                                        {"anything-but", add_anything_but}};

const named_operator* find_operator(std::string_view name) noexcept {
  const auto found = std::find_if(std::begin(operators), std::end(operators),
                                  [&](const named_operator& each) { return each.name == name; });
  return found == std::end(operators) ? nullptr : found;
}

}  // namespace

void refuse(const std::string& place, const std::string& rule, refusal::kind what) {
  throw refused_rule{{.what = what, .detail = (place.empty() ? "the pattern" : place) + ": " + rule}};
}

bool is_operator(std::string_view name) noexcept { return find_operator(name) != nullptr; }

void add_value(field_tests& to, const json_value& value, const std::string& place) {
  switch (value.what) {
    case kind::string: to.any_of.texts.emplace(value.text); return;
    case kind::number: to.any_of.others.emplace_back(number_test{value.quantity}); return;
    case kind::null:
    case kind::boolean: to.any_of.others.emplace_back(literal_test{value.what, value.truth}); return;
    case kind::array: refuse(place, "must be a value or an operator, not an array");
    case kind::object: break;
  }
  const json_value& member = only_member(value, place);
  const std::string inside = place + '.' + std::string(member.name);
  const named_operator* const found = find_operator(member.name);
  if (found == nullptr) refuse(inside, "no such operator");
  found->add(to, member, inside);
}

}  // namespace dormouse_event_pattern
