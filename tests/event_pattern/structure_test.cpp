// SPDX-License-Identifier: MIT
// Fields, arrays, "$or", and names with dots.

#include "support/catch.hpp"

#include "event_pattern/pattern_checks.hpp"

#include <string>

using namespace dormouse;
using testing::asked;
using testing::said;

TEST_CASE("all fields must match, wherever they are", "[event_pattern]") {
  const auto* const pattern = R"({"a": ["x"], "b": {"c": [1], "d": {"e": [null]}}})";
  CHECK(asked(pattern, R"({"a": "x", "b": {"c": 1, "d": {"e": null, "f": 1}, "g": 2}, "h": 3})"));
  CHECK(!asked(pattern, R"({"a": "y", "b": {"c": 1, "d": {"e": null}}})"));
  CHECK(!asked(pattern, R"({"a": "x", "b": {"c": 2, "d": {"e": null}}})"));
  CHECK(!asked(pattern, R"({"a": "x", "b": {"c": 1, "d": {"f": null}}})"));
  CHECK(!asked(pattern, R"({"a": "x", "b": {"c": 1, "d": "e"}})"));
  CHECK(!asked(pattern, R"({"a": "x"})"));
  CHECK(!asked(R"({"": ["x"]})", R"({"a": "x"})"));
  CHECK(asked(R"({"": ["x"]})", R"({"": "x"})"));
}

TEST_CASE("of an array, one element must match", "[event_pattern]") {
  CHECK(asked(R"({"a": ["x"]})", R"({"a": ["y", "x"]})"));
  CHECK(asked(R"({"a": ["x"]})", R"({"a": [["y"], [["x"]]]})"));
  CHECK(!asked(R"({"a": ["x"]})", R"({"a": ["y", {"a": "x"}]})"));
  CHECK(asked(R"({"a": [{"anything-but": "x"}]})", R"({"a": ["x", "y"]})"));
  CHECK(asked(R"({"a": {"b": ["x"]}})", R"({"a": [1, {"b": "y"}, {"b": "x"}]})"));
  CHECK(asked(R"({"a": {"b": ["x"]}})", R"({"a": [[{"b": ["y"]}], [{"b": ["y", "x"]}]]})"));
  CHECK(asked(R"({"a": ["x"], "a.b": ["y"]})", R"({"a": ["x", {"b": "y"}]})"));
}

TEST_CASE("fields below an array must match in the same element", "[event_pattern]") {
  const auto* const people = R"({"people": [{"first": "Ann", "last": "Lee"}, {"first": "Bob", "last": "Ray"}]})";
  CHECK(asked(R"({"people": {"first": ["Ann"], "last": ["Lee"]}})", people));
  CHECK(!asked(R"({"people": {"first": ["Ann"], "last": ["Ray"]}})", people));
  CHECK(!asked(R"({"people.first": ["Ann"], "people.last": ["Ray"]})", people));
  CHECK(!asked(R"({"people": {"first": ["Ann"], "$or": [{"last": ["Ray"]}, {"age": [1]}]}})", people));
  CHECK(asked(R"({"people": {"first": ["Bob"], "$or": [{"last": ["Ray"]}, {"age": [1]}]}})", people));
  // In arrays in arrays, at each level; in arrays that are not within each other, in any.
  const auto* const nested = R"({"a": [{"b": [{"c": 1, "d": 1}, {"c": 2, "d": 2}]}, {"b": [{"c": 3, "d": 3}]}]})";
  CHECK(asked(R"({"a": {"b": {"c": [2], "d": [2]}}})", nested));
  CHECK(!asked(R"({"a": {"b": {"c": [1], "d": [2]}}})", nested));
  CHECK(!asked(R"({"a": {"b": {"c": [2], "d": [3]}}})", nested));
  CHECK(asked(R"({"a": {"x": [1]}, "b": {"x": [2]}})", R"({"a": [{"x": 2}, {"x": 1}], "b": [{"x": 2}, {"x": 1}]})"));
  CHECK(asked(R"({"a": {"b": [1], "c": [2]}})", R"({"a": [[{"b": 1}], [{"b": 1, "c": [0, 2]}]]})"));
}

TEST_CASE("a field that must not be there is not there in the element of the others", "[event_pattern]") {
  const auto* const pattern = R"({"a": {"b": [{"exists": false}], "c": [2]}})";
  CHECK(asked(pattern, R"({"a": [{"b": 1, "c": 1}, {"c": 2}]})"));
  CHECK(!asked(pattern, R"({"a": [{"c": 1}, {"b": 1, "c": 2}]})"));
  // Without others, in none.
  CHECK(!asked(R"({"a": {"b": [{"exists": false}]}})", R"({"a": [{"b": 1}, {"c": 2}]})"));
  CHECK(asked(R"({"a": {"b": [{"exists": false}]}})", R"({"a": [{"d": 1}, {"c": 2}]})"));
  CHECK(asked(R"({"a": {"b": [{"exists": false}]}})", R"({"a": [1]})"));
  CHECK(asked(R"({"a": {"b": [{"exists": false}]}})", R"({"a": "x"})"));
  CHECK(asked(R"({"a": {"b": [{"exists": false}]}})", "{}"));
  // One that is allowed to be missing, and is there with a value that matches.
  CHECK(asked(R"({"a": {"b": [{"exists": false}, 2]}})", R"({"a": [{"b": 1}, {"b": 2}]})"));
  CHECK(!asked(R"({"a": {"b": [{"exists": false}, 2]}})", R"({"a": [{"b": 1}, {"c": 2}]})"));
}

TEST_CASE("of the objects of $or, one must match", "[event_pattern]") {
  const auto* const pattern = R"({"a": [1], "$or": [{"b": [1]}, {"c": [1], "d": [1]}, {"e": {"f": [1]}}]})";
  CHECK(asked(pattern, R"({"a": 1, "b": 1})"));
  CHECK(asked(pattern, R"({"a": 1, "c": 1, "d": 1})"));
  CHECK(asked(pattern, R"({"a": 1, "e": {"f": 1}})"));
  CHECK(!asked(pattern, R"({"a": 1, "c": 1})"));
  CHECK(!asked(pattern, R"({"b": 1, "c": 1, "d": 1})"));
  // In each other, beside each other, and below fields.
  const auto* const nested = R"({"$or": [{"a": [1]}, {"b": [1], "$or": [{"c": [1]}, {"d": [1]}]}]})";
  CHECK(asked(nested, R"({"a": 1})"));
  CHECK(asked(nested, R"({"b": 1, "d": 1})"));
  CHECK(!asked(nested, R"({"b": 1})"));
  CHECK(!asked(nested, R"({"d": 1})"));
  const auto* const two = R"({"x": {"$or": [{"a": [1]}, {"b": [1]}]}, "y": {"$or": [{"a": [1]}, {"b": [1]}]}})";
  CHECK(asked(two, R"({"x": {"a": 1}, "y": {"b": 1}})"));
  CHECK(!asked(two, R"({"x": {"a": 1, "b": 1}})"));
  CHECK(asked(R"({"$or": [{"a": [{"exists": false}]}, {"b": [1]}]})", "{}"));

  CHECK(said(R"({"a": {"$or": {"b": [1]}}})").find("a.$or: must be an array of two") != std::string::npos);
  CHECK(said(R"({"$or": [{"a": [1]}]})").find("$or: must be an array of two") != std::string::npos);
  CHECK(said(R"({"$or": [{"a": [1]}, [1]]})").find("$or[1]: must be an object") != std::string::npos);
  CHECK(said(R"({"$or": [{"a": [1]}, {}]})").find("$or[1]: an empty object") != std::string::npos);
  CHECK(said(R"({"$or": [{"prefix": ["a"]}, {"b": [1]}]})").find("$or[0].prefix: an operator where") !=
        std::string::npos);
  CHECK(said(R"({"prefix": ["a"]})").empty());  // a field may have that name elsewhere
}

TEST_CASE("a dot in a name is a step", "[event_pattern]") {
  for (const auto* pattern : {R"({"a": {"b": {"c": [1]}}})", R"({"a.b.c": [1]})", R"({"a": {"b.c": [1]}})"}) {
    INFO(pattern);
    CHECK(asked(pattern, R"({"a": {"b": {"c": 1}}})"));
    CHECK(asked(pattern, R"({"a.b.c": 1})"));
    CHECK(asked(pattern, R"({"a.b": {"c": 1}})"));
    CHECK(asked(pattern, R"({"a": {"b.c": 1}})"));
    CHECK(!asked(pattern, R"({"a.bc": 1, "a": {"b": 1}, "a.b": 1, "b.c": 1, "a.b.c.d": 1})"));
  }
  // All spellings of a path count, also when some of it are arrays.
  CHECK(asked(R"({"a": {"b": [1], "c": [2]}})", R"({"a.b": 1, "a.c": 2})"));
  CHECK(asked(R"({"a": {"b": [1], "c": [2]}})", R"({"a.b": 1, "a": {"c": 2}, "a-b": 0})"));
  CHECK(asked(R"({"a": {"b": [1], "c": [2]}})", R"({"a.b": 1, "a": [{"c": 1}, {"c": 2}]})"));
  CHECK(asked(R"({"a": {"b": [1]}})", R"({"a.b": 2, "a": {"b": 1}})"));
  CHECK(asked(R"({"a": {"b": [1], "c": [1], "d": [1]}})", R"({"a.b": 1, "a.c": 1, "a.d": 1, "a": 1})"));
  CHECK(asked(R"({"a": ["y"]})", R"({"a": "x", "a": "y", "a": "z"})"));  // a name that comes twice
  // A dot at an end is a step without a name.
  CHECK(asked(R"({"a.": [1]})", R"({"a": {"": 1}})"));
  CHECK(asked(R"({"a": {"": [1]}})", R"({"a.": 1})"));
  CHECK(!asked(R"({"a": [1]})", R"({"a.": 1})"));
}

TEST_CASE("a pattern that is no pattern is refused with its place", "[event_pattern]") {
  CHECK(said("").find("no JSON") != std::string::npos);
  CHECK(said("{").find("no JSON") != std::string::npos);
  CHECK(said("{} {}").find("no JSON") != std::string::npos);
  CHECK(said(std::string("{\"a\": [1]}\0", 11)).find("NUL") != std::string::npos);
  CHECK(said("{\"a\": [\"\xff\"]}").find("no JSON") != std::string::npos);
  CHECK(said("[]").find("the pattern: must be an object") != std::string::npos);
  CHECK(said("{}").find("the pattern: an empty object") != std::string::npos);
  CHECK(said(R"({"a": {}})").find("a: an empty object") != std::string::npos);
  CHECK(said(R"({"a": {"b": []}})").find("a.b: an empty array") != std::string::npos);
  CHECK(said(R"({"a": {"b": "x"}})").find("a.b: must be an object or an array") != std::string::npos);
  CHECK(said(R"({"a": {"b": [1]}, "a.b": [2]})").find("a.b: stands twice") != std::string::npos);
  CHECK(said(R"({"a": [1], "a": [2]})").find("a: stands twice") != std::string::npos);
  CHECK(said(R"({"a": ["x"]})").empty());
}
