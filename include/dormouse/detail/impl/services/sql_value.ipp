// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/service_call.hpp>
#include <dormouse/services/sql_value.hpp>

#include <algorithm>
#include <cmath>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

DORMOUSE_INLINE std::string_view sql_type_name(const sql_value& value) noexcept {
  switch (value.index()) {
    case 0: return "null";
    case 1: return "bool";
    case 2: return "int64";
    case 3: return "double";
    case 4: return "text";
    case 5: return "bytes";
    case 6: return "json";
    case 7: return "timestamp";
    default: return "nothing";  // valueless: an assignment ran out of memory
  }
}

DORMOUSE_INLINE failure sql_type_mismatch(std::size_t column, std::string_view wanted, const sql_value& found) {
  return refuse_service_call(errc::invalid_argument, failure_reason::payload_type, "column {} is {}, not {}", column,
                             sql_type_name(found), wanted);
}

DORMOUSE_INLINE failure sql_width_mismatch(std::size_t wanted, std::size_t found) {
  return refuse_service_call(errc::invalid_argument, failure_reason::payload_type,
                             "the row has {} columns, and {} were asked for", found, wanted);
}

DORMOUSE_INLINE result<bool> sql_as_bool(const sql_value& value, std::size_t column) {
  if (const auto* truth = std::get_if<bool>(&value)) return *truth;
  const auto* number = std::get_if<std::int64_t>(&value);
  if (number != nullptr && (*number == 0 || *number == 1)) return *number == 1;
  return sql_type_mismatch(column, "bool", value);
}

DORMOUSE_INLINE result<std::int64_t> sql_as_int64(const sql_value& value, std::size_t column) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  return sql_type_mismatch(column, "int64", value);
}

DORMOUSE_INLINE result<double> sql_as_double(const sql_value& value, std::size_t column) {
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) {
    const auto number = static_cast<double>(*whole);
    // 2^63 is a double and no int64: the way back would be undefined.
    if (number < std::ldexp(1.0, 63) && static_cast<std::int64_t>(number) == *whole) return number;
  }
  return sql_type_mismatch(column, "double", value);
}

DORMOUSE_INLINE result<std::string> sql_as_text(const sql_value& value, std::size_t column) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* json = std::get_if<sql_json>(&value)) return json->text;
  return sql_type_mismatch(column, "text", value);
}

DORMOUSE_INLINE result<payload> sql_as_bytes(const sql_value& value, std::size_t column) {
  if (const auto* bytes = std::get_if<payload>(&value)) return *bytes;
  return sql_type_mismatch(column, "bytes", value);
}

DORMOUSE_INLINE result<sql_timestamp> sql_as_timestamp(const sql_value& value, std::size_t column) {
  if (const auto* when = std::get_if<sql_timestamp>(&value)) return *when;
  if (const auto* since = std::get_if<std::int64_t>(&value)) return sql_timestamp(std::chrono::microseconds(*since));
  return sql_type_mismatch(column, "timestamp", value);
}

}  // namespace detail

DORMOUSE_INLINE result<std::size_t> sql_row::position(std::string_view name) const {
  const auto found = std::find(names().begin(), names().end(), name);
  if (found != names().end()) return static_cast<std::size_t>(found - names().begin());
  return detail::refuse_service_call(errc::not_found, failure_reason::none, "no column \"{}\"",
                                     detail::printable(name, 64));
}

DORMOUSE_INLINE result<void> sql_row::check_column(std::size_t column) const {
  if (column < values_.size()) return {};
  return detail::refuse_service_call(errc::not_found, failure_reason::none, "no column {}: there are {}", column,
                                     values_.size());
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
