// SPDX-License-Identifier: MIT
#pragma once

// Values and rows of a SQL database. Threads: plain values.

#include <dormouse/payload.hpp>
#include <dormouse/result.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// JSON as text: so marked for engines that have a type of that kind.
struct sql_json {
  std::string text{};
  friend bool operator==(const sql_json&, const sql_json&) = default;
};
// UTC, to the microsecond.
using sql_timestamp = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

using sql_value_base =
    std::variant<std::monostate, bool, std::int64_t, double, std::string, payload, sql_json, sql_timestamp>;

// A parameter, or a column of a row. An engine with fewer types gives back what it stored: SQLite has null, whole
// numbers, numbers, text and bytes, so truth comes back as 0 or 1, JSON as text, and a timestamp as microseconds since
// 1970. sql_row::get() reads each of them as what it was.
class sql_value : public sql_value_base {
 public:
  using sql_value_base::sql_value_base;
  sql_value() = default;
  sql_value(std::nullopt_t) noexcept {}
  sql_value(std::nullptr_t) = delete;  // null is {} or std::nullopt; a null pointer is no text
  sql_value(const char* text) : sql_value_base(std::in_place_type<std::string>, text) {}
  sql_value(std::string_view text) : sql_value_base(std::in_place_type<std::string>, text) {}
  sql_value(int number) : sql_value_base(std::in_place_type<std::int64_t>, number) {}
  template <class T>
  requires std::is_constructible_v<sql_value_base, T> sql_value(std::optional<T> value) {
    if (value) *this = sql_value(std::move(*value));
  }
  friend bool operator==(const sql_value& a, const sql_value& b) {
    return static_cast<const sql_value_base&>(a) == static_cast<const sql_value_base&>(b);
  }
};
using sql_parameters = std::vector<sql_value>;

namespace detail {
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
// invalid_argument (payload_type), naming column and types.
failure sql_type_mismatch(std::size_t column, std::string_view wanted, const sql_value& found);
result<bool> sql_as_bool(const sql_value& value, std::size_t column);
result<std::int64_t> sql_as_int64(const sql_value& value, std::size_t column);
result<double> sql_as_double(const sql_value& value, std::size_t column);
result<std::string> sql_as_text(const sql_value& value, std::size_t column);
result<payload> sql_as_bytes(const sql_value& value, std::size_t column);
result<sql_timestamp> sql_as_timestamp(const sql_value& value, std::size_t column);
failure sql_width_mismatch(std::size_t wanted, std::size_t found);
}  // namespace detail

// One row of a result. Its column names are shared with the other rows.
class sql_row {
 public:
  sql_row(std::shared_ptr<const std::vector<std::string>> names, std::vector<sql_value> values) noexcept
      : names_(std::move(names)), values_(std::move(values)) {}

  [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }
  [[nodiscard]] const std::vector<sql_value>& values() const noexcept { return values_; }
  [[nodiscard]] const std::vector<std::string>& names() const noexcept { return *names_; }

  // The column as a T: bool, std::int64_t, double, std::string, payload, sql_json, sql_timestamp, or std::optional of
  // one, which is empty for null. A whole number is a double, too, if it is exactly one. Fails: not_found (no such
  // column), invalid_argument (payload_type: the column has another type, or is null).
  template <class T>
  [[nodiscard]] result<T> get(std::size_t column) const;
  template <class T>
  [[nodiscard]] result<T> get(std::string_view name) const;
  // All columns, in their order. Fails as get, and: invalid_argument (payload_type) when their number differs.
  template <class... T>
  [[nodiscard]] result<std::tuple<T...>> as() const;

 private:
  [[nodiscard]] result<std::size_t> position(std::string_view name) const;
  [[nodiscard]] result<void> check_column(std::size_t column) const;

  std::shared_ptr<const std::vector<std::string>> names_;
  std::vector<sql_value> values_;
};

template <class T>
result<T> sql_row::get(std::size_t column) const {
  if (auto there = check_column(column); !there) return std::move(there).error();
  const sql_value& value = values_[column];
  if constexpr (detail::is_optional<T>) {
    if (std::holds_alternative<std::monostate>(value)) return T{};
    auto got = get<typename T::value_type>(column);
    if (!got) return std::move(got).error();
    return T{std::move(*got)};
  } else if constexpr (std::is_same_v<T, bool>) {
    return detail::sql_as_bool(value, column);
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    return detail::sql_as_int64(value, column);
  } else if constexpr (std::is_same_v<T, double>) {
    return detail::sql_as_double(value, column);
  } else if constexpr (std::is_same_v<T, std::string>) {
    return detail::sql_as_text(value, column);
  } else if constexpr (std::is_same_v<T, sql_json>) {
    auto text = detail::sql_as_text(value, column);
    if (!text) return std::move(text).error();
    return sql_json{std::move(*text)};
  } else if constexpr (std::is_same_v<T, payload>) {
    return detail::sql_as_bytes(value, column);
  } else {
    static_assert(std::is_same_v<T, sql_timestamp>,
                  "dormouse: a column is read as bool, std::int64_t, double, std::string, payload, sql_json, "
                  "sql_timestamp or std::optional of one of them");
    return detail::sql_as_timestamp(value, column);
  }
}

template <class T>
result<T> sql_row::get(std::string_view name) const {
  auto column = position(name);
  if (!column) return std::move(column).error();
  return get<T>(*column);
}

template <class... T>
result<std::tuple<T...>> sql_row::as() const {
  if (size() != sizeof...(T)) return detail::sql_width_mismatch(sizeof...(T), size());
  std::tuple<T...> all;
  std::optional<failure> wrong;
  const auto read = [&]<class U>(U& into, std::size_t column) {
    if (wrong) return;
    auto got = get<U>(column);
    if (got) {
      into = std::move(*got);
    } else {
      wrong = std::move(got).error();
    }
  };
  [&]<std::size_t... I>(std::index_sequence<I...>) { (read(std::get<I>(all), I), ...); }
  (std::index_sequence_for<T...>{});
  if (wrong) return *std::move(wrong);
  return all;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/services/sql_value.ipp>
#endif
