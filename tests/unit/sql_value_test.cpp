// SPDX-License-Identifier: MIT

#include "support/catch.hpp"

#include <dormouse/services/sql_value.hpp>
#include <dormouse/testing/services/service_harness.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

using namespace dormouse;
using dormouse::testing::refused;

namespace {

sql_row row_of(std::vector<sql_value> values) {
  static const auto names = std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"a", "b", "a"});
  return sql_row(names, std::move(values));
}

template <class T>
bool mismatches(const sql_value& value) {
  return refused(row_of({value}).get<T>(0), errc::invalid_argument, failure_reason::payload_type);
}

constexpr sql_timestamp when{std::chrono::microseconds{1'700'000'000'123'456}};

}  // namespace

TEST_CASE("a SQL value holds what it was made from", "[sql_value]") {
  CHECK(std::holds_alternative<std::monostate>(sql_value{}));
  CHECK(std::holds_alternative<std::monostate>(sql_value{std::nullopt}));
  CHECK(std::get<bool>(sql_value{true}));
  CHECK(std::get<std::int64_t>(sql_value{1}) == 1);
  CHECK(std::get<std::int64_t>(sql_value{std::numeric_limits<std::int64_t>::min()}) ==
        std::numeric_limits<std::int64_t>::min());
  CHECK(std::get<double>(sql_value{0.5}) == 0.5);
  CHECK(std::get<std::string>(sql_value{"text"}) == "text");
  CHECK(std::get<std::string>(sql_value{std::string_view("t\0t", 3)}).size() == 3);
  CHECK(std::get<payload>(sql_value{payload("bytes")}) == "bytes");
  CHECK(std::get<sql_json>(sql_value{sql_json{"{}"}}).text == "{}");
  CHECK(std::get<sql_timestamp>(sql_value{when}) == when);
  CHECK(std::get<std::int64_t>(sql_value{std::optional(3)}) == 3);
  CHECK(std::holds_alternative<std::monostate>(sql_value{std::optional<std::string>{}}));
  // A pointer is neither true nor text without an end.
  STATIC_REQUIRE(!std::is_constructible_v<sql_value, std::nullptr_t>);
  STATIC_REQUIRE(!std::is_constructible_v<sql_value, const int*>);
  CHECK((sql_parameters{"a", "b"}.size() == 2 && sql_parameters{1, {}, true}.size() == 3));
  CHECK((sql_value{1} == sql_value{1} && !(sql_value{1} == sql_value{1.0}) && !(sql_value{} == sql_value{0})));
}

TEST_CASE("a column is read as the type that it has, and as no other", "[sql_value]") {
  CHECK(row_of({true}).get<bool>(0).value());
  CHECK(row_of({7}).get<std::int64_t>(0).value() == 7);
  CHECK(row_of({0.5}).get<double>(0).value() == 0.5);
  CHECK(row_of({"t"}).get<std::string>(0).value() == "t");
  CHECK(row_of({payload("p")}).get<payload>(0).value() == "p");
  CHECK(row_of({sql_json{"[]"}}).get<sql_json>(0).value().text == "[]");
  CHECK(row_of({when}).get<sql_timestamp>(0).value() == when);

  CHECK((mismatches<bool>({}) && mismatches<bool>(2) && mismatches<bool>("1") && mismatches<bool>(1.0)));
  CHECK((mismatches<std::int64_t>({}) && mismatches<std::int64_t>(1.0) && mismatches<std::int64_t>("1")));
  CHECK((mismatches<std::int64_t>(true) && mismatches<std::int64_t>(when)));
  CHECK((mismatches<double>({}) && mismatches<double>("1") && mismatches<double>(true)));
  CHECK((mismatches<std::string>({}) && mismatches<std::string>(1) && mismatches<std::string>(payload("p"))));
  CHECK((mismatches<payload>({}) && mismatches<payload>("text") && mismatches<sql_json>(payload("p"))));
  CHECK((mismatches<sql_timestamp>({}) && mismatches<sql_timestamp>(1.0) && mismatches<sql_timestamp>("now")));
  CHECK(row_of({1, "t"}).get<std::int64_t>(1).error().detail == "column 1 is text, not int64");
}

TEST_CASE("what an engine with fewer types gives back is read as what it was", "[sql_value]") {
  CHECK(row_of({1}).get<bool>(0).value());
  CHECK(!row_of({0}).get<bool>(0).value());
  CHECK(row_of({"{}"}).get<sql_json>(0).value().text == "{}");
  CHECK(row_of({sql_json{"{}"}}).get<std::string>(0).value() == "{}");
  CHECK(row_of({when.time_since_epoch().count()}).get<sql_timestamp>(0).value() == when);
  CHECK(row_of({3}).get<double>(0).value() == 3.0);
}

TEST_CASE("a whole number is a double only if it is exactly one", "[sql_value]") {
  constexpr std::int64_t exact = std::int64_t{1} << 53;
  CHECK(row_of({exact}).get<double>(0).value() == 9007199254740992.0);
  CHECK(mismatches<double>(exact + 1));
  CHECK(mismatches<double>(std::numeric_limits<std::int64_t>::max()));
  CHECK(row_of({std::numeric_limits<std::int64_t>::min()}).get<double>(0).value() == -9223372036854775808.0);
}

TEST_CASE("null is an empty optional, and nothing else is", "[sql_value]") {
  CHECK(row_of({{}}).get<std::optional<std::int64_t>>(0).value() == std::nullopt);
  CHECK(row_of({5}).get<std::optional<std::int64_t>>(0).value() == 5);
  CHECK(mismatches<std::optional<std::int64_t>>("5"));
}

TEST_CASE("columns are found by number and by name, the first of two with one name", "[sql_value]") {
  const auto row = row_of({1, 2, 3});
  CHECK(row.get<std::int64_t>("b").value() == 2);
  CHECK(row.get<std::int64_t>("a").value() == 1);
  CHECK(refused(row.get<std::int64_t>("c"), errc::not_found));
  CHECK(refused(row.get<std::int64_t>("A"), errc::not_found));
  CHECK(refused(row.get<std::int64_t>(3), errc::not_found));
  CHECK(refused(row_of({1}).get<std::int64_t>("b"), errc::not_found));  // a name without a value
  CHECK((row.size() == 3 && row.names().size() == 3 && row.values()[2] == sql_value{3}));
}

TEST_CASE("a row is read as a tuple when its columns fit, all of them", "[sql_value]") {
  const auto row = row_of({1, "two", {}});
  const auto [number, text, none] = row.as<std::int64_t, std::string, std::optional<double>>().value();
  CHECK((number == 1 && text == "two" && !none));
  constexpr auto invalid = errc::invalid_argument;
  constexpr auto type = failure_reason::payload_type;
  CHECK(refused(row.as<std::int64_t, std::string>(), invalid, type));
  CHECK(refused(row.as<std::int64_t, std::string, double>(), invalid, type));
  const auto wrong = row.as<std::string, std::int64_t, double>();
  REQUIRE(!wrong);
  CHECK(wrong.error().detail == "column 0 is int64, not text");
}
