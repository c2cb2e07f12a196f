// SPDX-License-Identifier: MIT

#include "support/catch.hpp"

#include <dormouse/result.hpp>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using namespace dormouse;

namespace {
const failure odd{.code = errc::invalid_argument, .effect = effect_kind::not_applied, .detail = "odd"};

result<int> half(int n) {
  if (n % 2 != 0) return odd;
  return n / 2;
}
result<std::string> literal() { return "a literal"; }

struct no_default {
  explicit no_default(int given, int more = 0) : value(given + more) {}
  int value;
};
using box = std::unique_ptr<int>;
}  // namespace

TEST_CASE("a result is a value or the failure that prevented it", "[result]") {
  const result<int> good = half(4);
  REQUIRE(good);
  CHECK(good.has_value());
  CHECK(*good == 2);
  CHECK(good.value() == 2);
  CHECK(good.value_or(9) == 2);
  const result<int> bad = half(3);
  REQUIRE(!bad);
  CHECK_FALSE(bad.has_value());
  CHECK(bad.error() == odd);
  CHECK(bad.value_or(9) == 9);
}

TEST_CASE("a result is made from what its value can be made from", "[result]") {
  CHECK(*result<int>{} == 0);
  CHECK(*literal() == "a literal");
  CHECK(*result<std::string>(std::in_place, 3, 'x') == "xxx");
  CHECK(result<no_default>(std::in_place, 3, 4)->value == 7);
  const result<std::shared_ptr<const int>> base = std::make_shared<int>(5);
  CHECK(**base == 5);
  STATIC_REQUIRE_FALSE(std::is_default_constructible_v<result<no_default>>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<int, result<no_default>>);  // its constructor is explicit
  STATIC_REQUIRE_FALSE(std::is_convertible_v<result<int>, result<long>>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<result<int>, bool>);  // only where a condition stands
  STATIC_REQUIRE(std::is_constructible_v<bool, result<int>>);
  STATIC_REQUIRE(std::is_same_v<result<int>::value_type, int>);
  STATIC_REQUIRE(std::is_same_v<result<int>::error_type, failure>);
  STATIC_REQUIRE(is_result<result<int>>);
  STATIC_REQUIRE_FALSE(is_result<int>);
}

TEST_CASE("a value is reached and changed in place", "[result]") {
  result<std::string> text = std::string("abc");
  *text += "d";
  text->push_back('e');
  text.value() += "f";
  const auto& fixed = text;
  CHECK(*fixed == "abcdef");
  CHECK(fixed->size() == 6);
  CHECK(fixed.value() == "abcdef");
  CHECK(*std::move(text) == "abcdef");
}

TEST_CASE("results are copied, moved and assigned across value and failure", "[result]") {
  result<std::string> one = std::string(100, 'x');
  result<std::string> two = failure{.code = errc::conflict, .detail = std::string(100, 'd')};
  const auto copy_of_one = one;
  const auto copy_of_two = two;
  CHECK(*copy_of_one == *one);
  CHECK(copy_of_two.error() == two.error());
  std::swap(one, two);
  CHECK(one.error() == copy_of_two.error());
  CHECK(*two == *copy_of_one);
  one = copy_of_one;
  CHECK(*one == std::string(100, 'x'));
  one = failure{.code = errc::expired};
  CHECK(one.error().code == errc::expired);
  const failure taken = std::move(copy_of_two).error();
  CHECK(taken.detail.size() == 100);
}

TEST_CASE("value() on a failure throws it, with the same words", "[result]") {
  result<int> bad = half(3);
  const auto& fixed = bad;
  CHECK_THROWS_AS(bad.value(), bad_result_access);
  CHECK_THROWS_AS(fixed.value(), bad_result_access);
  CHECK_THROWS_AS(half(3).value(), bad_result_access);
  CHECK_THROWS_AS(bad.value(), std::logic_error);
  try {
    bad.value();
    FAIL("value() returned");
  } catch (const bad_result_access& thrown) {
    CHECK(thrown.error() == odd);
    CHECK(std::string(thrown.what()) == to_string(odd));
  }
  CHECK(bad.error() == odd);  // asking took nothing away
}

TEST_CASE("a result holds what can only be moved", "[result]") {
  const auto make = [](int n) -> result<box> {
    if (n < 0) return odd;
    return std::make_unique<int>(n);
  };
  box from_value = make(7).value();
  CHECK(*from_value == 7);
  box from_star = *make(8);
  CHECK(*from_star == 8);
  CHECK(*make(9).value_or(nullptr) == 9);
  CHECK(make(-1).value_or(nullptr) == nullptr);
  result<box> moved = make(10);
  result<box> target = std::move(moved);
  CHECK(**target == 10);
  const auto add_one = [](box given) -> result<box> { return std::make_unique<int>(*given + 1); };
  CHECK(**make(1).and_then(add_one).and_then(add_one) == 3);
  CHECK(*make(4).transform([](box given) { return *given; }) == 4);
  CHECK(**make(-1).or_else([&](const failure&) { return make(5); }) == 5);
  CHECK(**make(6).or_else([&](const failure&) { return make(5); }) == 6);
}

TEST_CASE("and_then goes on with a value, and the first failure goes through to the end", "[result]") {
  CHECK(*half(8).and_then(half).and_then(half) == 1);
  int entered = 0;
  const auto counted = [&entered](int n) { return ++entered, half(n); };
  CHECK(half(6).and_then(counted).and_then(counted).error() == odd);
  CHECK(entered == 1);
  const result<int> kept = half(8);
  CHECK(*kept.and_then(half) == 2);
  CHECK(*kept == 4);
  CHECK(half(4).and_then([](int) -> result<void> { return odd; }).error() == odd);
  CHECK(*half(4).and_then([](int n) -> result<std::string> { return std::to_string(n); }) == "2");
}

TEST_CASE("transform changes a value and leaves a failure alone", "[result]") {
  CHECK(*half(8).transform([](int n) { return std::to_string(n); }) == "4");
  int seen = 0;
  const result<void> done = half(8).transform([&seen](int n) { seen = n; });
  CHECK(done);
  CHECK(seen == 4);
  CHECK(half(3).transform([&seen](int n) { return seen = n; }).error() == odd);
  CHECK(seen == 4);
}

TEST_CASE("or_else mends a failure and leaves a value alone", "[result]") {
  CHECK(*half(3).or_else([](const failure& why) -> result<int> { return why == odd ? 1 : 2; }) == 1);
  CHECK(half(3)
            .or_else([](failure why) -> result<int> {
              why.code = errc::internal;
              return why;
            })
            .error()
            .code == errc::internal);
  bool asked = false;
  CHECK(*half(2).or_else([&asked](const failure&) { return asked = true, half(4); }) == 1);
  CHECK_FALSE(asked);
}

TEST_CASE("a result of nothing says only whether it went well", "[result]") {
  const result<void> good;
  REQUIRE(good);
  CHECK(good.has_value());
  CHECK_NOTHROW(good.value());
  *good;
  result<void> bad = odd;
  REQUIRE(!bad);
  CHECK(bad.error() == odd);
  CHECK_THROWS_AS(bad.value(), bad_result_access);
  CHECK(*good.and_then([] { return half(2); }) == 1);
  bool entered = false;
  CHECK(bad.and_then([&entered] { return entered = true, half(2); }).error() == odd);
  CHECK_FALSE(entered);
  CHECK(std::move(bad).error().detail == "odd");
  bad = result<void>{};
  CHECK(bad);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<result<void>, bool>);
}
