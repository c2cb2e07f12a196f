// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/impl/triggers/cron_fields.ipp>
#include <dormouse/detail/impl/triggers/cron_parser.ipp>
#include <dormouse/detail/time_text.hpp>
#include <dormouse/triggers/schedule.hpp>

#include <fmt/format.h>

#include <stdexcept>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

inline constexpr std::chrono::sys_seconds first_second{std::chrono::sys_days{std::chrono::year{1800} / 1 / 1}};
inline constexpr std::chrono::sys_seconds last_second{std::chrono::sys_days{std::chrono::year{3000} / 1 / 1}};

class utc_zone final : public time_zone {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "UTC"; }
  [[nodiscard]] period at(std::chrono::sys_seconds /*when*/) const override {
    return {.begin = first_second, .end = last_second};
  }
};

// ---- text -----------------------------------------------------------------------------------------------------------

struct unit {
  std::string_view name;
  std::chrono::nanoseconds length;
};

DORMOUSE_INLINE bool period_allowed(std::chrono::nanoseconds period) noexcept {
  return period >= std::chrono::microseconds{1} && period <= std::chrono::hours{24 * 365};
}

// 250ms, 1h30m
DORMOUSE_INLINE std::chrono::nanoseconds parse_period(std::string_view text, std::size_t column) {
  using namespace std::chrono_literals;
  static constexpr unit units[] = {{"ns", 1ns}, {"us", 1us}, {"ms", 1ms}, {"s", 1s},
                                   {"m", 1min}, {"h", 1h},   {"d", 24h}};
  std::chrono::nanoseconds sum{0};
  std::size_t at = 0;
  do {
    const std::size_t begun = at;
    std::int64_t count = 0;
    for (; at < text.size() && is_digit(text[at]) && count < 100'000'000'000; ++at)
      count = count * 10 + (text[at] - '0');
    if (at == begun) throw parse_error{column + at, "a number and a unit are expected, as in 250ms or 1h30m"};
    const std::size_t end = text.find_first_of("0123456789", at);
    const std::string_view name = text.substr(at, end == std::string_view::npos ? end : end - at);
    const unit* const found =
        std::find_if(std::begin(units), std::end(units), [&](const unit& u) { return u.name == name; });
    if (found == std::end(units)) throw parse_error{column + at, "the unit must be ns, us, ms, s, m, h or d"};
    const auto days = static_cast<double>(count) * static_cast<double>(found->length.count()) / 8.64e13;
    if (days > 366) throw parse_error{column + begun, "the period is too long; give 1 us .. 365 days"};
    sum += count * found->length;
    at += name.size();
  } while (at < text.size());
  if (!period_allowed(sum)) throw parse_error{column, "give a period of 1 us .. 365 days"};
  return sum;
}

// rate(5 minutes)
DORMOUSE_INLINE std::chrono::nanoseconds parse_rate(std::string_view text, std::size_t column) {
  using namespace std::chrono_literals;
  const auto words = split_words(text, column);
  if (words.size() != 2) throw parse_error{column, "a number and a unit are expected, as in rate(5 minutes)"};
  static constexpr field_parser::range counts{"rate", 1, 9'999};
  field_parser number(words[0].text, words[0].column, counts);
  const unsigned count = number.value();
  if (!number.at_end()) number.fail("a whole number is expected");
  static constexpr unit units[] = {{"minute", 1min}, {"hour", 1h}, {"day", 24h}};
  for (const unit& each : units) {
    const bool plural = words[1].text.size() == each.name.size() + 1 && words[1].text.ends_with('s');
    if (!words[1].text.starts_with(each.name) || (words[1].text != each.name && !plural)) continue;
    if (plural == (count == 1)) throw parse_error{words[1].column, "1 minute, but 2 minutes"};
    if (!period_allowed(count * each.length)) throw parse_error{words[0].column, "give a period of at most 365 days"};
    return count * each.length;
  }
  throw parse_error{words[1].column, "the unit must be minute(s), hour(s) or day(s)"};
}

// at(2026-11-23T10:00:00): local. With Z behind it: UTC.
DORMOUSE_INLINE schedule_rule parse_at(std::string_view text, std::size_t column) {
  constexpr std::string_view shape = "dddd-dd-ddTdd:dd:dd";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool fits = i < text.size() && (shape[i] == 'd' ? is_digit(text[i]) : text[i] == shape[i]);
    if (!fits) throw parse_error{column + i, "a time is expected as 2026-11-23T10:00:00"};
  }
  const bool is_utc = text.substr(shape.size()) == "Z";
  if (!is_utc && text.size() > shape.size()) throw parse_error{column + shape.size(), "only Z may follow the time"};
  const auto two = [&](std::size_t i) { return static_cast<unsigned>((text[i] - '0') * 10 + (text[i + 1] - '0')); };
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(two(0) * 100 + two(2))},
                                         std::chrono::month{two(5)}, std::chrono::day{two(8)}};
  if (!date.ok()) throw parse_error{column, "no such day"};
  const int year = static_cast<int>(date.year());
  if (year < cron_fields::year_first || year > cron_fields::year_last) {
    throw parse_error{column, "give a year of 1900 .. 2261"};
  }
  if (two(11) > 23 || two(14) > 59 || two(17) > 59) throw parse_error{column + 11, "no such time of the day"};
  const auto local = std::chrono::local_days{date} + std::chrono::hours{two(11)} + std::chrono::minutes{two(14)} +
                     std::chrono::seconds{two(17)};
  if (!is_utc) return local;
  return std::chrono::system_clock::time_point{local.time_since_epoch()};
}

struct named_schedule {
  std::string_view name;
  std::string_view means;
};
inline constexpr named_schedule named_schedules[] = {
    {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"}, {"@weekly", "0 0 * * 0"},
    {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@hourly", "0 * * * *"}};

DORMOUSE_INLINE cron_fields parse_named(std::string_view text, std::size_t column) {
  for (const named_schedule& each : named_schedules) {
    if (each.name == text) return parse_cron(each.means, column);
  }
  throw parse_error{column, "the names are @hourly @daily @midnight @weekly @monthly @yearly @annually and @every"};
}

// What stands inside name( ), or null.
DORMOUSE_INLINE std::optional<std::string_view> call_of(std::string_view text, std::string_view name,
                                                        std::size_t column) {
  if (!text.starts_with(name) || text.size() == name.size() || text[name.size()] != '(') return std::nullopt;
  if (!text.ends_with(')')) throw parse_error{column + text.size(), "the closing ) is missing"};
  return text.substr(name.size() + 1, text.size() - name.size() - 2);
}

DORMOUSE_INLINE void refuse_if_never(const cron_fields& fields, std::size_t column) {
  if (fields.first_from(std::chrono::local_days{std::chrono::year{cron_fields::year_first} / 1 / 1})) return;
  throw parse_error{column, "it never fires: none of its months has such a day"};
}

DORMOUSE_INLINE void trim(word& text) noexcept {
  const std::size_t begun = std::min(text.text.find_first_not_of(" \t"), text.text.size());
  text.text.remove_prefix(begun);
  text.column += begun;
  text.text = text.text.substr(0, text.text.find_last_not_of(" \t") + 1);
}

// Off the front: what TZ= names, or nothing.
DORMOUSE_INLINE std::string take_zone(word& text) {
  trim(text);
  if (!text.text.starts_with("TZ=") && !text.text.starts_with("CRON_TZ=")) return {};
  const std::size_t begun = text.text.find('=') + 1;
  const std::size_t end = std::min(text.text.find_first_of(" \t"), text.text.size());
  if (begun == end) throw parse_error{text.column + begun, "a time zone is expected, as in TZ=Europe/Berlin"};
  std::string zone(text.text.substr(begun, end - begun));
  text.text.remove_prefix(end);
  text.column += end;
  trim(text);
  return zone;
}

DORMOUSE_INLINE schedule_rule parse_rule(const word& from) {
  const auto& [text, column] = from;
  if (text.starts_with("@every ")) {
    const auto words = split_words(text, column);
    if (words.size() != 2) throw parse_error{column, "one period is expected, as in @every 250ms"};
    return parse_period(words[1].text, words[1].column);
  }
  if (const auto inside = call_of(text, "rate", column)) return parse_rate(*inside, column + 5);
  if (const auto inside = call_of(text, "at", column)) return parse_at(*inside, column + 3);
  const auto aws = call_of(text, "cron", column);
  cron_fields fields = aws              ? parse_aws_cron(*aws, column + 5)
                       : text[0] == '@' ? parse_named(text, column)
                                        : parse_cron(text, column);
  refuse_if_never(fields, column);
  return fields;
}

}  // namespace detail

DORMOUSE_INLINE const time_zone& time_zone::utc() noexcept {
  static const detail::utc_zone zone;
  return zone;
}

DORMOUSE_INLINE result<schedule> schedule::parse(std::string_view text) {
  std::string whole(text.substr(0, 1'025));
  detail::word rest{text, 1};
  try {
    if (text.size() > 1'024) throw detail::parse_error{1, "a schedule has at most 1,024 bytes"};
    std::string zone = detail::take_zone(rest);
    if (rest.text.empty()) {
      throw detail::parse_error{rest.column, "nothing is scheduled; give five fields, as in 30 8 * * Mon-Fri"};
    }
    return schedule(std::move(whole), std::move(zone), detail::parse_rule(rest));
  } catch (const detail::parse_error& why) {
    return failure{.code = errc::invalid_argument,
                   .effect = effect_kind::not_applied,
                   .detail = fmt::format("column {}: {}", why.column, why.reason)};
  }
}

DORMOUSE_INLINE schedule schedule::every(std::chrono::nanoseconds period) {
  if (!detail::period_allowed(period)) {
    throw std::invalid_argument(
        fmt::format("dormouse: schedule::every({}): give 1 us .. 365 days", detail::to_text(period)));
  }
  return {fmt::format("@every {}ns", period.count()), {}, period};
}

DORMOUSE_INLINE schedule schedule::at(time_point when) {
  return {fmt::format("at({}Z)", detail::to_text(std::chrono::floor<std::chrono::seconds>(when))), {}, when};
}

DORMOUSE_INLINE std::optional<std::chrono::nanoseconds> schedule::period() const noexcept {
  const auto* const period = std::get_if<std::chrono::nanoseconds>(&rule_);
  return period != nullptr ? std::optional(*period) : std::nullopt;
}

// ---- next -----------------------------------------------------------------------------------------------------------

namespace detail {

inline std::chrono::local_seconds local_of(std::chrono::sys_seconds when, std::chrono::seconds offset) noexcept {
  return std::chrono::local_seconds{when.time_since_epoch() + offset};
}
inline std::chrono::sys_seconds utc_of(std::chrono::local_seconds when, std::chrono::seconds offset) noexcept {
  return std::chrono::sys_seconds{when.time_since_epoch() - offset};
}

// The first time at which the local clock shows that, or, when it is put past it, the time at which it is.
DORMOUSE_INLINE std::chrono::sys_seconds first_showing(std::chrono::local_seconds local, const time_zone& zone) {
  constexpr std::chrono::hours beyond_any_offset{48};
  auto period = zone.at(utc_of(local, beyond_any_offset));
  while (utc_of(local, period.offset) >= period.end) period = zone.at(period.end);
  return std::max(utc_of(local, period.offset), period.begin);
}

DORMOUSE_INLINE std::optional<std::chrono::sys_seconds> next_fixed(const cron_fields& fields,
                                                                   std::chrono::sys_seconds after,
                                                                   const time_zone& zone) {
  auto local = local_of(after, zone.at(after).offset);
  for (;;) {
    const auto found = fields.first_from(local + std::chrono::seconds{1});
    if (!found) return std::nullopt;
    if (const auto when = first_showing(*found, zone); when > after) return when;
    local = *found;  // it has been: the clock has been put back, or forward, since
  }
}

DORMOUSE_INLINE std::optional<std::chrono::sys_seconds> next_elapsed(const cron_fields& fields,
                                                                     std::chrono::sys_seconds after,
                                                                     const time_zone& zone) {
  auto from = after + std::chrono::seconds{1};
  for (;;) {
    const auto period = zone.at(from);
    const auto found = fields.first_from(local_of(from, period.offset));
    if (!found) return std::nullopt;
    const auto when = utc_of(*found, period.offset);
    if (when < period.end) return when;
    // Not before the next change. Nor soon after it, when the local time found is far: skip what cannot be.
    from = std::max(period.end, when - std::chrono::hours{48});
  }
}

}  // namespace detail

DORMOUSE_INLINE std::optional<schedule::time_point> schedule::next(time_point after, const time_zone& zone) const {
  if (const auto* const period = std::get_if<std::chrono::nanoseconds>(&rule_)) {
    const auto step = std::chrono::ceil<time_point::duration>(*period);
    return after <= time_point::max() - step ? std::optional(after + step) : std::nullopt;
  }
  if (const auto* const local = std::get_if<std::chrono::local_seconds>(&rule_)) {
    const time_point once = detail::first_showing(*local, zone);
    return once > after ? std::optional(once) : std::nullopt;
  }
  if (const auto* const once = std::get_if<time_point>(&rule_)) {
    return *once > after ? std::optional(*once) : std::nullopt;
  }
  const auto& fields = std::get<detail::cron_fields>(rule_);
  const auto whole = std::chrono::floor<std::chrono::seconds>(after);
  if (whole < detail::first_second || whole >= detail::last_second) return std::nullopt;
  return fields.follows_elapsed_time ? detail::next_elapsed(fields, whole, zone)
                                     : detail::next_fixed(fields, whole, zone);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
