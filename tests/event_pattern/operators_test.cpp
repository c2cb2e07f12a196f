// SPDX-License-Identifier: MIT
// What each operator holds of, and what is refused of it.

#include "support/catch.hpp"

#include "event_pattern/pattern_checks.hpp"

#include <string>

using namespace dormouse;
using testing::one;
using testing::said_of;

TEST_CASE("values match those that are equal to them", "[event_pattern]") {
  CHECK(one(R"("x")", R"("x")"));
  CHECK(!one(R"("x")", R"("X")"));
  CHECK(!one(R"("x")", R"("xx")"));
  CHECK(one(R"("")", R"("")"));
  CHECK(one("\"\xf0\x9f\x9a\x80 \"", "\"\\ud83d\\ude80 \""));
  CHECK(one("null", "null"));
  CHECK(!one("null", R"("null")"));
  CHECK(!one("null", "false"));
  CHECK(one("true", "true"));
  CHECK(!one("true", "false"));
  CHECK(!one("false", "0"));
  CHECK(!one("1", R"("1")"));
  CHECK(!one(R"("1")", "1"));
  CHECK(one(R"("x", 2, null)", "2"));
  CHECK(!one(R"("x", 2, null)", "3"));
}

TEST_CASE("numbers are equal whatever their spelling, to six decimals", "[event_pattern]") {
  CHECK(one("300", "300.0"));
  CHECK(one("3.0e2", "300"));
  CHECK(one("-0", "0"));
  CHECK(one("0.1", "0.1000001"));
  CHECK(!one("0.1", "0.100001"));
  // Beyond 5e9 exactly, as far as 64 bits go: 2^53 and the next.
  CHECK(one("123456789012", "123456789012"));
  CHECK(!one("9007199254740993", "9007199254740992"));
  CHECK(!one("123456789012", "-123456789012"));
  CHECK(!one("9007199254740992", "-9007199254740992"));
  CHECK(one("-9223372036854775808", "-9223372036854775808"));
  CHECK(!one("-9223372036854775808", "-9223372036854775807"));
  CHECK(one("18446744073709551615", "18446744073709551615"));
  CHECK(one("1e10", "10000000000"));
}

TEST_CASE("prefix and suffix are of strings", "[event_pattern]") {
  CHECK(one(R"({"prefix": "ab"})", R"("abc")"));
  CHECK(one(R"({"prefix": "ab"})", R"("ab")"));
  CHECK(!one(R"({"prefix": "ab"})", R"("a")"));
  CHECK(!one(R"({"prefix": "ab"})", R"("cab")"));
  CHECK(!one(R"({"prefix": "AB"})", R"("abc")"));
  CHECK(!one(R"({"prefix": "1"})", "12"));
  CHECK(one(R"({"prefix": ""})", R"("")"));
  CHECK(!one(R"({"prefix": ""})", "null"));
  CHECK(one(R"({"suffix": "bc"})", R"("abc")"));
  CHECK(!one(R"({"suffix": "bc"})", R"("abcd")"));
  CHECK(!one(R"({"suffix": "abc"})", R"("bc")"));
  CHECK(one(R"({"prefix": {"equals-ignore-case": "aB"}})", R"("AbC")"));
  CHECK(!one(R"({"prefix": {"equals-ignore-case": "aB"}})", R"("A")"));
  CHECK(one(R"({"suffix": {"equals-ignore-case": "Bc"}})", R"("ABC")"));
  CHECK(!one(R"({"suffix": {"equals-ignore-case": "Bc"}})", R"("ABCD")"));
}

TEST_CASE("case is that of ASCII letters", "[event_pattern]") {
  CHECK(one(R"({"equals-ignore-case": "aZ-@["})", R"("Az-@[")"));
  CHECK(!one(R"({"equals-ignore-case": "@["})", R"("`{")"));
  CHECK(!one(R"({"equals-ignore-case": "ab"})", R"("abc")"));
  CHECK(!one(R"({"equals-ignore-case": "ä"})", R"("Ä")"));
  CHECK(!one(R"({"equals-ignore-case": "1"})", "1"));
}

TEST_CASE("a wildcard stands for any bytes, or none", "[event_pattern]") {
  CHECK(one(R"({"wildcard": "a*c"})", R"("ac")"));
  CHECK(one(R"({"wildcard": "a*c"})", R"("abcbc")"));
  CHECK(!one(R"({"wildcard": "a*c"})", R"("abcd")"));
  CHECK(one(R"({"wildcard": "*"})", R"("")"));
  CHECK(!one(R"({"wildcard": "*"})", "1"));
  CHECK(one(R"({"wildcard": "abc"})", R"("abc")"));
  CHECK(!one(R"({"wildcard": "abc"})", R"("abcd")"));
  CHECK(!one(R"({"wildcard": "ab*ba"})", R"("aba")"));
  CHECK(!one(R"({"wildcard": "*ab*bc*"})", R"("abc")"));
  CHECK(one(R"({"wildcard": "*ab*bc*"})", R"("xabbcx")"));
  CHECK(!one(R"({"wildcard": "*aa*aa*aa*"})", R"("aaaaa")"));
  CHECK(one(R"({"wildcard": "*aa*aa*aa*"})", R"("aaaaaa")"));
  // A part that fits and then does not must be taken up in its midst.
  CHECK(one(R"({"wildcard": "*aab*"})", R"("aaab")"));
  CHECK(one(R"({"wildcard": "*abcabd*"})", R"("abcabcabd")"));
  CHECK(one(R"({"wildcard": "*abacabab*"})", R"("abacabacabab")"));
  CHECK(!one(R"({"wildcard": "*abacabab*"})", R"("abacabacabaab")"));
  // Stars and backslashes themselves.
  CHECK(one(R"({"wildcard": "a\\*b*"})", R"("a*bc")"));
  CHECK(!one(R"({"wildcard": "a\\*b*"})", R"("axbc")"));
  CHECK(one(R"({"wildcard": "\\\\*\\**"})", R"("\\x*y")"));
  CHECK(said_of(R"({"wildcard": "a**b"})").find("a[0].wildcard: two wildcards in succession") != std::string::npos);
  CHECK(said_of(R"({"wildcard": "**"})").find("in succession") != std::string::npos);
  CHECK(said_of(R"({"wildcard": "a\\b"})").find("backslash") != std::string::npos);
  CHECK(said_of(R"({"wildcard": "a\\"})").find("backslash") != std::string::npos);
}

TEST_CASE("anything-but matches all else that is there", "[event_pattern]") {
  CHECK(one(R"({"anything-but": "x"})", R"("y")"));
  CHECK(!one(R"({"anything-but": "x"})", R"("x")"));
  CHECK(one(R"({"anything-but": "x"})", "1"));
  CHECK(one(R"({"anything-but": "1"})", "1"));
  CHECK(one(R"({"anything-but": 1})", R"("1")"));
  CHECK(!one(R"({"anything-but": 1})", "1.0"));
  CHECK(!one(R"({"anything-but": [1, 2]})", "2"));
  CHECK(!one(R"({"anything-but": ["x", "y"]})", R"("y")"));
  CHECK(one(R"({"anything-but": ["x", "y"]})", R"("z")"));
  CHECK(!one(R"({"anything-but": ["x"]})", "[]"));
  CHECK(!one(R"({"anything-but": ["x"]})", "{}"));
  CHECK(!one(R"({"anything-but": {"prefix": "ab"}})", R"("abc")"));
  CHECK(one(R"({"anything-but": {"prefix": "ab"}})", R"("bc")"));
  CHECK(!one(R"({"anything-but": {"suffix": ["b", "c"]}})", R"("abc")"));
  CHECK(!one(R"({"anything-but": {"equals-ignore-case": ["B", "c"]}})", R"("C")"));
  CHECK(one(R"({"anything-but": {"equals-ignore-case": "ab"}})", R"("a")"));
  CHECK(!one(R"({"anything-but": {"wildcard": "*/lib/*"}})", R"("a/lib/b")"));
  CHECK(one(R"({"anything-but": {"wildcard": ["*/lib/*", "x*"]}})", R"("a/bin/b")"));
  // One of them is enough, and each counts by itself.
  CHECK(one(R"({"anything-but": "x"}, {"anything-but": "y"})", R"("x")"));
  CHECK(one(R"("x", {"anything-but": ["x", "y"]})", R"("x")"));

  CHECK(said_of(R"({"anything-but": [1, "x"]})").find("a[0].anything-but: must be all strings") != std::string::npos);
  CHECK(said_of(R"({"anything-but": [1, null]})").find("a[0].anything-but[1]: must be") != std::string::npos);
  CHECK(said_of(R"({"anything-but": []})").find("an empty array") != std::string::npos);
  CHECK(said_of(R"({"anything-but": {"prefix": []}})").find("an empty array") != std::string::npos);
  CHECK(said_of(R"({"anything-but": true})").find("must be a string or a number") != std::string::npos);
  CHECK(said_of(R"({"anything-but": 6e9})").find("5e9") != std::string::npos);
  CHECK(said_of(R"({"anything-but": {"cidr": "10.0.0.0/8"}})").find("must be a value") != std::string::npos);
  CHECK(said_of(R"({"anything-but": {"prefix": "a", "suffix": "b"}})").find("one operator") != std::string::npos);
  CHECK(said_of(R"({"anything-but": {"prefix": ["a", ""]}})").find("prefix[1]: must not be empty") !=
        std::string::npos);
}

TEST_CASE("ranges of numbers", "[event_pattern]") {
  CHECK(one(R"({"numeric": ["=", 5]})", "5.0"));
  CHECK(!one(R"({"numeric": ["=", 5]})", "5.1"));
  CHECK(!one(R"({"numeric": ["<", 5]})", "5"));
  CHECK(one(R"({"numeric": ["<", 5]})", "4.999999"));
  CHECK(one(R"({"numeric": ["<=", 5]})", "5"));
  CHECK(!one(R"({"numeric": ["<=", 5]})", "5.000001"));
  CHECK(!one(R"({"numeric": [">", -5]})", "-5"));
  CHECK(one(R"({"numeric": [">", -5]})", "-4.999999"));
  CHECK(one(R"({"numeric": [">=", -5, "<", 5]})", "-5"));
  CHECK(!one(R"({"numeric": [">=", -5, "<", 5]})", "5"));
  CHECK(!one(R"({"numeric": [">", 0, "<=", 5]})", "0"));
  CHECK(!one(R"({"numeric": [">", 0]})", R"("1")"));
  CHECK(one(R"({"numeric": ["<=", 5e9]})", "5000000000"));
  CHECK(!one(R"({"numeric": [">", 0]})", "5000000001"));
  CHECK(!one(R"({"numeric": ["<", 0]})", "-1e300"));

  CHECK(said_of(R"({"numeric": []})").find("a[0].numeric: must be an array") != std::string::npos);
  CHECK(said_of(R"({"numeric": [">", "0"]})").find("a[0].numeric[1]: must be a number") != std::string::npos);
  CHECK(said_of(R"({"numeric": [">", 0, "<"]})").find("a[0].numeric[3]: must be a number") != std::string::npos);
  CHECK(said_of(R"({"numeric": [">", 0, ">", 1]})").find("a[0].numeric[2]: must be") != std::string::npos);
  CHECK(said_of(R"({"numeric": ["<", 5, ">", 1]})").find("a[0].numeric[2]: must be") != std::string::npos);
  CHECK(said_of(R"({"numeric": ["=", 5, "<", 6]})").find("a[0].numeric[2]: must be") != std::string::npos);
  CHECK(said_of(R"({"numeric": [">", 0, "<", 5, "<", 6]})").find("a[0].numeric[4]: must be") != std::string::npos);
  CHECK(said_of(R"({"numeric": ["!=", 5]})").find("a[0].numeric[0]: must be") != std::string::npos);
  CHECK(said_of(R"({"numeric": [5]})").find("a[0].numeric[0]: must be") != std::string::npos);
  CHECK(said_of(R"({"numeric": [">", 5, "<", 5]})").find("no number is in that range") != std::string::npos);
  CHECK(said_of(R"({"numeric": [">", 5000000001]})").find("-5e9 .. 5e9") != std::string::npos);
  CHECK(said_of(R"({"numeric": [">", 5e9]})").find("no number is in that range") != std::string::npos);
}

TEST_CASE("exists looks at what is a value", "[event_pattern]") {
  CHECK(one(R"({"exists": true})", "null"));
  CHECK(one(R"({"exists": true})", "[[1]]"));
  CHECK(!one(R"({"exists": true})", "[]"));
  CHECK(!one(R"({"exists": true})", R"({"b": 1})"));
  CHECK(!one(R"({"exists": false})", "null"));
  CHECK(one(R"({"exists": false})", "[]"));
  CHECK(one(R"({"exists": false})", R"({"b": 1})"));
  CHECK(testing::asked(R"({"a": [{"exists": false}]})", "{}"));
  CHECK(!testing::asked(R"({"a": [{"exists": true}]})", "{}"));
  CHECK(testing::asked(R"({"a": ["x", {"exists": false}]})", "{}"));
  CHECK(!testing::asked(R"({"a": ["x", {"exists": false}]})", R"({"a": "y"})"));
  CHECK(said_of(R"({"exists": 1})").find("a[0].exists: must be true or false") != std::string::npos);
}

TEST_CASE("blocks of addresses", "[event_pattern]") {
  CHECK(one(R"({"cidr": "10.0.0.0/8"})", R"("10.255.255.255")"));
  CHECK(!one(R"({"cidr": "10.0.0.0/8"})", R"("11.0.0.0")"));
  CHECK(one(R"({"cidr": "10.0.0.128/25"})", R"("10.0.0.200")"));
  CHECK(!one(R"({"cidr": "10.0.0.128/25"})", R"("10.0.0.127")"));
  CHECK(one(R"({"cidr": "10.1.2.3/8"})", R"("10.0.0.0")"));  // the bits behind the mask do not count
  CHECK(one(R"({"cidr": "0.0.0.0/0"})", R"("255.0.0.1")"));
  CHECK(one(R"({"cidr": "10.0.0.1/32"})", R"("10.0.0.1")"));
  CHECK(!one(R"({"cidr": "10.0.0.1/32"})", R"("10.0.0.0")"));
  CHECK(!one(R"({"cidr": "0.0.0.0/0"})", R"("::1")"));
  CHECK(!one(R"({"cidr": "::/0"})", R"("10.0.0.1")"));
  CHECK(!one(R"({"cidr": "0.0.0.0/0"})", R"("10.0.0.1.2")"));
  CHECK(!one(R"({"cidr": "0.0.0.0/0"})", R"("10.0.0")"));
  CHECK(!one(R"({"cidr": "0.0.0.0/0"})", R"("10.0.0.1\u0000")"));
  CHECK(!one(R"({"cidr": "0.0.0.0/0"})", '"' + std::string(10'000, '1') + '"'));
  CHECK(one(R"({"cidr": "2001:db8::/33"})", R"("2001:db8:7fff::1")"));
  CHECK(!one(R"({"cidr": "2001:db8::/33"})", R"("2001:db8:8000::1")"));
  CHECK(one(R"({"cidr": "::1/128"})", R"("0:0:0:0:0:0:0:1")"));
  CHECK(one(R"({"cidr": "1111:2222:3333:4444:5555:6666:255.255.255.255/128"})",
            R"("1111:2222:3333:4444:5555:6666:255.255.255.255")"));

  CHECK(said_of(R"({"cidr": "10.0.0.0"})").find("a[0].cidr: an address and a number of bits") != std::string::npos);
  CHECK(said_of(R"({"cidr": "10.0.0/8"})").find("no address") != std::string::npos);
  CHECK(said_of(R"({"cidr": "/8"})").find("no address") != std::string::npos);
  for (const auto* bits : {"33", "-1", "", "8x", "8/8", " 8", "99999999999999999999"}) {
    INFO(bits);
    CHECK(said_of(std::string(R"({"cidr": "10.0.0.0/)") + bits + "\"}").find("0 .. 32") != std::string::npos);
  }
  CHECK(said_of(R"({"cidr": "::/129"})").find("0 .. 128") != std::string::npos);
  CHECK(said_of(R"({"cidr": 8})").find("must be a string") != std::string::npos);
}

TEST_CASE("what is no operator is refused with its place", "[event_pattern]") {
  CHECK(said_of(R"({"prefixes": "a"})").find("a[0].prefixes: no such operator") != std::string::npos);
  CHECK(said_of(R"("x", {})").find("a[1]: must have one operator") != std::string::npos);
  CHECK(said_of(R"({"prefix": "a", "suffix": "b"})").find("a[0]: must have one operator") != std::string::npos);
  CHECK(said_of(R"(["x"])").find("a[0]: must be a value or an operator") != std::string::npos);
  CHECK(said_of(R"({"prefix": 1})").find("a[0].prefix: must be a string") != std::string::npos);
  CHECK(said_of(R"({"prefix": {"equals-ignore-case": 1}})").find("prefix.equals-ignore-case: must be a string") !=
        std::string::npos);
  CHECK(said_of(R"({"suffix": {"prefix": "a"}})").find("a[0].suffix: must be") != std::string::npos);
  CHECK(said_of(R"({"equals-ignore-case": null})").find("must be a string") != std::string::npos);
}
