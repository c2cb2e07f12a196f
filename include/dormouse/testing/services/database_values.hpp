// SPDX-License-Identifier: MIT
#pragma once

// Parameters and columns. Part of database_conformance.hpp.

#include <dormouse/testing/services/database_harness.hpp>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::database_conformance {

inline std::unique_ptr<database> with_things(const database_harness& harness) {
  auto made = harness.make_empty();
  REQUIRE(
      made->execute(spelled(*made,
                            "CREATE TABLE things (id BIGINT PRIMARY KEY, truth BOOLEAN, whole BIGINT, "
                            "number DOUBLE PRECISION, words TEXT, bytes {bytes}, doc {json}, moment TIMESTAMPTZ)")));
  return made;
}

// What a column gives back of a value.
template <class T>
T stored(database& in, const std::string& column, const T& value) {
  REQUIRE(in.execute("DELETE FROM things"));
  REQUIRE(in.execute("INSERT INTO things (id, " + column + ") VALUES (1, ?)", {value}).value().rows_changed == 1);
  return only<T>(in.query("SELECT " + column + " FROM things"));
}

// Kept as it is, or refused: never another value.
template <class T>
bool kept_or_refused(database& in, const std::string& column, const T& value) {
  REQUIRE(in.execute("DELETE FROM things"));
  const auto done = in.execute("INSERT INTO things (id, " + column + ") VALUES (1, ?)", {value});
  if (!done) return refused(done, invalid) && count(in, "things") == 0;
  const auto got = only<T>(in.query("SELECT " + column + " FROM things"));
  if constexpr (std::is_same_v<T, double>) return std::isnan(value) ? std::isnan(got) : got == value;
  return got == value;
}

inline void check_types(database& in) {
  SECTION("a parameter of every type comes back as what it was, and null as null") {
    const sql_timestamp moment{std::chrono::microseconds{1'700'000'000'123'456}};
    const std::string all = "INSERT INTO things VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    REQUIRE(in.execute(all, {1, true, 7, 0.5, "text", payload("bytes"), sql_json{"{\"a\": 1}"}, moment}));
    REQUIRE(in.execute(all, {2, {}, {}, {}, {}, {}, {}, {}}));
    const auto got = in.query("SELECT * FROM things ORDER BY id").value();
    REQUIRE(got.rows.size() == 2);
    const auto [id, truth, whole, number, words, bytes, doc, when] =
        got.rows[0]
            .as<std::int64_t, bool, std::int64_t, double, std::string, payload, sql_json, sql_timestamp>()
            .value();
    CHECK((id == 1 && truth && whole == 7 && number == 0.5 && words == "text" && bytes == "bytes"));
    CHECK((doc.text == "{\"a\": 1}" && when == moment));
    for (std::size_t i = 1; i < 8; ++i) CHECK(std::holds_alternative<std::monostate>(got.rows[1].values()[i]));
    CHECK(got.rows[1].get<std::optional<bool>>("truth").value() == std::nullopt);
    CHECK(got.rows[0].get<std::optional<bool>>("truth").value() == true);
    CHECK(refused(got.rows[1].get<bool>("truth"), invalid, failure_reason::payload_type));
  }
  SECTION("numbers keep every bit of theirs") {
    using whole = std::numeric_limits<std::int64_t>;
    for (const std::int64_t each : {whole::min(), whole::max(), std::int64_t{0}, std::int64_t{-1}, whole::max() - 1}) {
      CHECK(stored(in, "whole", each) == each);
    }
    using number = std::numeric_limits<double>;
    for (const double each : {0.1, number::denorm_min(), number::min(), number::max(), number::lowest(),
                              number::epsilon(), 9007199254740993.0, 3.0, -0.0}) {
      CHECK(stored(in, "number", each) == each);
    }
    CHECK(kept_or_refused(in, "number", number::infinity()));
    CHECK(kept_or_refused(in, "number", -number::infinity()));
    CHECK(kept_or_refused(in, "number", number::quiet_NaN()));
    CHECK(!stored(in, "truth", false));
  }
  SECTION("timestamps keep their microseconds, before 1970 too") {
    for (const auto each :
         std::vector<std::int64_t>{-1, 0, 1, 1'700'000'000'000'001, -62'135'596'800'000'000, 253'402'300'799'999'999}) {
      const sql_timestamp moment{std::chrono::microseconds{each}};
      CHECK(stored(in, "moment", moment) == moment);
    }
  }
}

inline void check_bytes(database& in) {
  SECTION("text and bytes keep every byte, the empty ones are not null") {
    for (const std::string_view each : {std::string_view(""), std::string_view("\xf0\x9f\x90\xad '\"\\\n")}) {
      CHECK(stored(in, "words", std::string(each)) == each);
    }
    for (const std::string_view each :
         {std::string_view(""), std::string_view("\0", 1), std::string_view("a\0\xff", 3)}) {
      CHECK(stored(in, "bytes", payload(each)) == each);
    }
    CHECK(kept_or_refused(in, "words", std::string("a\0b", 3)));
    CHECK(kept_or_refused(in, "words", std::string("\0", 1)));
    CHECK(kept_or_refused(in, "words", std::string("\xff\xfe")));
  }
  SECTION("a value of the limit is kept, one of a byte more is not sent") {
    std::string large(database::value_bytes_max, 'x');
    large.back() = 'y';
    CHECK(stored(in, "bytes", payload(large)).text() == large);
    large += 'z';
    const auto beyond = in.execute("INSERT INTO things (id, words) VALUES (2, ?)", {large});
    CHECK(refused(beyond, errc::too_large, failure_reason::value_bytes));
    CHECK(count(in, "things") == 1);
  }
  SECTION("a value never becomes SQL") {
    const std::vector<std::string> hostile{"'; DROP TABLE things; --",
                                           "\" OR 1 = 1 --",
                                           "' OR '1' = '1",
                                           "?",
                                           "$1",
                                           ":a",
                                           "\\'; DROP TABLE things; --",
                                           "%",
                                           "_",
                                           "/*",
                                           "--",
                                           "NULL",
                                           "1); DELETE"};
    std::int64_t id = 0;
    for (const auto& each : hostile) REQUIRE(in.execute("INSERT INTO things (id, words) VALUES (?, ?)", {++id, each}));
    id = 0;
    for (const auto& each : hostile) {
      CHECK(only<std::int64_t>(in.query("SELECT id FROM things WHERE words = ?", {each})) == ++id);
      CHECK(only<std::string>(in.query("SELECT words FROM things WHERE id = ?", {id})) == each);
    }
    CHECK(count(in, "things") == static_cast<std::int64_t>(hostile.size()));
  }
  SECTION("a question mark in quotes or in a comment is no parameter") {
    const auto got = in.query("SELECT '?', CAST(? AS TEXT) AS \"a?\" -- ?", {"value"}).value();
    REQUIRE(got.rows.size() == 1);
    const auto [mark, value] = got.rows[0].as<std::string, std::string>().value();
    CHECK((mark == "?" && value == "value" && got.names.at(1) == "a?"));
  }
}

inline void check_values(const database_harness& harness) {
  const auto in = with_things(harness);
  check_types(*in);
  check_bytes(*in);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::database_conformance
