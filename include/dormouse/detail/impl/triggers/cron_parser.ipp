// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/cron_parser.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

inline constexpr std::array<std::string_view, 12> month_names{"jan", "feb", "mar", "apr", "may", "jun",
                                                              "jul", "aug", "sep", "oct", "nov", "dec"};
inline constexpr std::array<std::string_view, 7> weekday_names{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

inline constexpr field_parser::range second_range{"second", 0, 59};
inline constexpr field_parser::range minute_range{"minute", 0, 59};
inline constexpr field_parser::range hour_range{"hour", 0, 23};
inline constexpr field_parser::range day_range{"day of the month", 1, 31};
inline constexpr field_parser::range month_range{"month", 1, 12, month_names};
inline constexpr field_parser::range weekday_range{"day of the week", 0, 7, weekday_names};
inline constexpr field_parser::range aws_weekday_range{"day of the week", 1, 7, weekday_names};
inline constexpr field_parser::range year_range{"year", 1970, 2199};

// ---- one field ------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE void field_parser::fail(std::string reason) const {
  throw parse_error{column_ + at_, std::move(reason)};
}

DORMOUSE_INLINE bool field_parser::skip(char expected) noexcept {
  if (at_end() || text_[at_] != expected) return false;
  ++at_;
  return true;
}

DORMOUSE_INLINE bool is_digit(char each) noexcept { return each >= '0' && each <= '9'; }
DORMOUSE_INLINE char lower(char each) noexcept {
  return each >= 'A' && each <= 'Z' ? static_cast<char>(each - 'A' + 'a') : each;
}

DORMOUSE_INLINE unsigned field_parser::number() {
  if (at_end() || !is_digit(text_[at_])) fail(fmt::format("a number is expected for the {}", values_.name));
  unsigned value = 0;
  while (!at_end() && is_digit(text_[at_])) {
    value = value * 10 + static_cast<unsigned>(text_[at_] - '0');
    if (value > 9'999) fail(fmt::format("the number is too large for the {}", values_.name));
    ++at_;
  }
  return value;
}

DORMOUSE_INLINE unsigned field_parser::value() {
  const std::size_t begun = at_;
  if (!at_end() && !is_digit(text_[at_]) && !values_.names.empty()) {
    std::string name;
    while (at_ < text_.size() && name.size() < 3) name += lower(text_[at_++]);
    for (std::size_t i = 0; i < values_.names.size(); ++i) {
      if (values_.names[i] == name) return values_.first + static_cast<unsigned>(i);
    }
    at_ = begun;
    fail(fmt::format("no {} of that name; names have three letters, as {}", values_.name, values_.names[0]));
  }
  const unsigned given = number();
  if (given < values_.first || given > values_.last) {
    at_ = begun;
    fail(fmt::format("{} is no {}; give {} .. {}", given, values_.name, values_.first, values_.last));
  }
  return given;
}

// A value, a range or everything, each perhaps with a step.
template <class Add>
void field_parser::item(const Add& add) {
  unsigned first = values_.first;
  unsigned last = values_.last;
  const bool any = skip('*') || skip('?');
  bool is_range = any;
  if (!any) {
    const std::size_t begun = at_;
    first = last = value();
    if (skip('-')) {
      last = value();
      is_range = true;
      if (last < first) {
        at_ = begun;
        fail(fmt::format("the range ends before it begins; give two of them, {}-{} and {}-{}", first, values_.last,
                         values_.first, last));
      }
    }
  }
  unsigned step = 1;
  if (skip('/')) {
    step = number();
    if (step == 0) fail("a step of 0 goes nowhere");
    if (!is_range) last = values_.last;
  }
  for (unsigned each = first; each <= last; each += step) add(each);
}

template <class Add>
void field_parser::list(const Add& add) {
  do item(add);
  while (skip(','));
  if (!at_end()) fail(fmt::format("'{}' does not belong into the {}", text_[at_], values_.name));
}

// ---- a whole expression ---------------------------------------------------------------------------------------------

DORMOUSE_INLINE std::vector<word> split_words(std::string_view text, std::size_t column) {
  std::vector<word> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begun = at;
    const bool blank = text[at] == ' ' || text[at] == '\t';
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t') == blank) ++at;
    if (!blank) words.push_back({text.substr(begun, at - begun), column + begun});
  }
  return words;
}

template <class Bits>
void parse_bits(const word& from, const field_parser::range& values, Bits& bits) {
  field_parser(from.text, from.column, values).list([&bits](unsigned each) { bits |= Bits{1} << each; });
}

DORMOUSE_INLINE void parse_hours(const word& from, cron_fields& to) {
  const field_parser hours(from.text, from.column, hour_range);
  to.follows_elapsed_time = hours.starts_with_any() || hours.has_step();
  parse_bits(from, hour_range, to.hours);
}

DORMOUSE_INLINE void refuse_count(std::size_t column, std::size_t given, const char* wanted) {
  throw parse_error{column, fmt::format("{} fields; give {}", given, wanted)};
}

DORMOUSE_INLINE cron_fields parse_cron(std::string_view text, std::size_t column) {
  const auto words = split_words(text, column);
  if (words.size() != 5 && words.size() != 6) {
    refuse_count(column, words.size(), "five (minute hour day-of-month month day-of-week), or six with seconds first");
  }
  cron_fields made;
  const word* at = words.data();
  if (words.size() == 6) {
    made.seconds = 0;
    parse_bits(*at++, second_range, made.seconds);
  }
  parse_bits(at[0], minute_range, made.minutes);
  parse_hours(at[1], made);
  parse_bits(at[2], day_range, made.days);
  parse_bits(at[3], month_range, made.months);
  parse_bits(at[4], weekday_range, made.weekdays);
  made.weekdays = (made.weekdays | made.weekdays >> 7U) & 0x7fU;  // 7 is Sunday, too
  made.any_day = field_parser(at[2].text, at[2].column, day_range).is_any();
  made.any_weekday = field_parser(at[4].text, at[4].column, weekday_range).is_any();
  return made;
}

// ---- AWS ------------------------------------------------------------------------------------------------------------
// Amazon EventBridge User Guide, "Cron expressions reference".

DORMOUSE_INLINE void parse_aws_day(const word& from, cron_fields& to) {
  field_parser field(from.text, from.column, day_range);
  if (field.skip('L')) {
    if (field.skip('W')) {
      to.last_weekday = true;
    } else {
      const unsigned before = field.skip('-') ? field.number() : 0;
      if (before > 30) field.fail("no month has so many days before its last; give L-0 .. L-30");
      to.days_before_last |= std::uint32_t{1} << before;
    }
  } else if (from.text.ends_with('W')) {
    const unsigned near = field.value();
    if (!field.skip('W')) field.fail("W stands after one day of the month, as in 15W");
    to.nearest_weekdays |= std::uint32_t{1} << near;
  } else {
    return parse_bits(from, day_range, to.days);
  }
  if (!field.at_end()) field.fail("L and W stand alone: no lists, ranges or steps with them");
}

DORMOUSE_INLINE void parse_aws_weekday(const word& from, cron_fields& to) {
  field_parser field(from.text, from.column, aws_weekday_range);
  if (from.text.find('#') != std::string_view::npos) {
    const unsigned weekday = field.value() - 1;
    if (!field.skip('#')) field.fail("# stands between a day of the week and its number in the month, as in 3#2");
    const unsigned nth = field.number();
    if (nth < 1 || nth > 5) field.fail("a month has up to five of a day of the week; give 1 .. 5");
    to.nth[weekday] = static_cast<std::uint8_t>(to.nth[weekday] | 1U << nth);
  } else if (from.text == "L") {
    to.weekdays |= 1U << 6U;  // Saturday
    return;
  } else if (from.text.ends_with('L')) {
    to.last_of_weekdays |= 1U << (field.value() - 1);
    if (!field.skip('L')) field.fail("L stands after one day of the week, as in 6L");
  } else {
    std::uint32_t from_one = 0;
    parse_bits(from, aws_weekday_range, from_one);
    to.weekdays = from_one >> 1U;
    return;
  }
  if (!field.at_end()) field.fail("L and # stand alone: no lists, ranges or steps with them");
}

DORMOUSE_INLINE cron_fields parse_aws_cron(std::string_view text, std::size_t column) {
  const auto words = split_words(text, column);
  if (words.size() != 6) {
    refuse_count(column, words.size(), "six: minutes hours day-of-month month day-of-week year");
  }
  cron_fields made;
  parse_bits(words[0], minute_range, made.minutes);
  parse_hours(words[1], made);
  made.any_day = words[2].text == "?" || words[2].text == "*";
  made.any_weekday = words[4].text == "?" || words[4].text == "*";
  if ((words[2].text == "?") == (words[4].text == "?")) {
    throw parse_error{words[4].column, "one of day-of-month and day-of-week, and only one, must be ?"};
  }
  parse_aws_day(words[2], made);
  parse_bits(words[3], month_range, made.months);
  parse_aws_weekday(words[4], made);
  made.years.reset();
  field_parser(words[5].text, words[5].column, year_range).list([&made](unsigned each) {
    made.years.set(each - static_cast<unsigned>(cron_fields::year_first));
  });
  return made;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
