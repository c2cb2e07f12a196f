// SPDX-License-Identifier: MIT

#include "support/catch.hpp"

#include <dormouse/codec.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

using namespace dormouse;

namespace {
template <class T>
result<T> decode(std::string text) {
  return codec<T>::decode({.type = "t", .data = std::move(text)});
}
template <class T>
std::string encode(const T& value) {
  return std::string(codec<T>::encode(value).value().text());
}
// Refused before anything was done, as data of the wrong type?
template <class T>
bool refuses(const std::string& text) {
  const auto got = decode<T>(text);
  return !got && got.error().code == errc::invalid_argument && got.error().effect == effect_kind::not_applied &&
         got.error().reason == failure_reason::payload_type;
}
bool has_control_byte(const std::string& text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f) return true;
  }
  return false;
}
struct plain_struct {
  int x;
};
enum class colour { red };
}  // namespace

TEMPLATE_TEST_CASE("every number comes back from its own text", "[codec]", signed char, unsigned char, short,
                   unsigned short, int, unsigned, long, unsigned long, long long, unsigned long long, float, double,
                   long double) {
  using limits = std::numeric_limits<TestType>;
  // Not denorm_min: the standard library refuses that of long double.
  const TestType values[] = {TestType{0},
                             TestType{1},
                             limits::min(),
                             limits::max(),
                             limits::lowest(),
                             limits::epsilon(),
                             static_cast<TestType>(100) / 3};
  for (const TestType each : values) {
    const std::string text = encode(each);
    INFO(text);
    const auto back = decode<TestType>(text);
    REQUIRE(back);
    CHECK(*back == each);
  }
}

TEST_CASE("numbers are decimal text", "[codec]") {
  CHECK(decode<int>("42").value() == 42);
  CHECK(decode<int>("-42").value() == -42);
  CHECK(decode<int>("007").value() == 7);
  CHECK(decode<std::int8_t>("65").value() == 65);  // a small number, not the letter A
  CHECK(decode<double>("2.5e3").value() == 2500.0);
  CHECK(decode<double>("-0.5").value() == -0.5);
  CHECK(encode(std::uint8_t{65}) == "65");
  CHECK(encode(0.1) == "0.1");
  CHECK(encode(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
}

TEST_CASE("a number is the whole input or none", "[codec]") {
  const std::string bad = GENERATE(as<std::string>{}, "", " ", "-", "+1", " 1", "1 ", "1\n", "12x", "x12", "0x1f",
                                   "1,5", "1'000", "--1", "\xd9\xa1");  // the last is an Arabic one
  INFO(bad);
  CHECK(refuses<int>(bad));
  CHECK(refuses<std::uint64_t>(bad));
  CHECK(refuses<double>(bad));
  CHECK(refuses<int>(std::string("1\0", 2)));
  CHECK(refuses<int>("1.0"));
  CHECK(refuses<int>("1e3"));
  CHECK(refuses<double>("1.0.0"));
  CHECK(refuses<double>("1e"));
}

TEST_CASE("a number out of its type's range is refused, not wrapped or rounded to the edge", "[codec]") {
  CHECK(decode<std::uint8_t>("255").value() == 255);
  CHECK(refuses<std::uint8_t>("256"));
  CHECK(refuses<std::int8_t>("128"));
  CHECK(refuses<std::int8_t>("-129"));
  CHECK(refuses<unsigned>("-1"));
  CHECK(refuses<std::uint64_t>("-1"));
  CHECK(refuses<std::uint64_t>("18446744073709551616"));
  CHECK(refuses<std::int64_t>("9223372036854775808"));
  CHECK(refuses<int>(std::string(100'000, '9')));
  CHECK(refuses<double>("1e999"));
  CHECK(refuses<double>("1e-999"));
  CHECK(refuses<float>("1e39"));
}

TEST_CASE("infinity and not-a-number have a text and come back", "[codec]") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  CHECK(encode(infinity) == "inf");
  CHECK(encode(-infinity) == "-inf");
  CHECK(encode(std::numeric_limits<double>::quiet_NaN()) == "nan");
  CHECK(decode<double>("inf").value() == infinity);
  CHECK(decode<double>("-inf").value() == -infinity);
  CHECK(std::isnan(decode<double>("nan").value()));
  CHECK(refuses<int>("inf"));
  CHECK(refuses<int>("nan"));
}

TEST_CASE("truth has four spellings", "[codec]") {
  CHECK(decode<bool>("true").value());
  CHECK(decode<bool>("1").value());
  CHECK_FALSE(decode<bool>("false").value());
  CHECK_FALSE(decode<bool>("0").value());
  for (const char* bad : {"", "TRUE", "True", "yes", "no", "2", "01", "-1", " true", "true ", "t"}) {
    INFO(bad);
    CHECK(refuses<bool>(bad));
  }
  CHECK(encode(true) == "true");
  CHECK(encode(false) == "false");
}

TEST_CASE("text and bytes are taken as they are", "[codec]") {
  const std::string bytes("a\0\xff\n", 4);
  CHECK(decode<std::string>(bytes).value() == bytes);
  CHECK(decode<std::string>("").value().empty());
  CHECK(decode<payload>(bytes).value() == bytes);
  CHECK(encode(bytes) == bytes);
  CHECK(encode(payload(bytes)) == bytes);
  CHECK(encode(std::string_view(bytes)) == bytes);
  CHECK(encode(std::as_bytes(std::span<const char>(bytes))) == bytes);
}

TEST_CASE("a view looks at the event's own bytes, and a payload shares them", "[codec]") {
  const event message{.type = "t", .data = std::string(1'000, 'x')};
  CHECK(codec<std::string_view>::decode(message)->data() == message.data.data());
  CHECK(static_cast<const void*>(codec<std::span<const std::byte>>::decode(message)->data()) == message.data.data());
  CHECK(codec<payload>::decode(message)->data() == message.data.data());
}

TEST_CASE("a string that is given away is not copied into its reply", "[codec]") {
  std::string text(1'000, 'x');
  const char* const where = text.data();
  CHECK(codec<std::string>::encode(std::move(text))->data() == where);
}

TEST_CASE("an event is taken with all its attributes", "[codec]") {
  const event message{.type = "t", .source = "s", .subject = "u", .id = "i", .data = "d", .extensions = {{"e", "v"}}};
  const auto got = codec<event>::decode(message);
  REQUIRE(got);
  CHECK(got->subject == "u");
  CHECK(got->id == "i");
  CHECK(got->data == "d");
  CHECK(got->extensions == message.extensions);
}

TEST_CASE("a reply says what its bytes are", "[codec]") {
  CHECK(codec<std::string>::content_type == "text/plain; charset=utf-8");
  CHECK(codec<int>::content_type == codec<std::string>::content_type);
  CHECK(codec<bool>::content_type == codec<std::string>::content_type);
  CHECK(codec<payload>::content_type == "application/octet-stream");
}

TEST_CASE("a refusal shows what came and how much, but no control bytes of it", "[codec]") {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  for (std::size_t at = 0; at < all.size(); at += 16) {
    const auto got = decode<int>(all.substr(at));
    REQUIRE(!got);
    INFO(got.error().detail);
    CHECK_FALSE(has_control_byte(got.error().detail));
  }
  const auto got = decode<bool>("maybe" + std::string(100'000, 'x'));
  REQUIRE(!got);
  CHECK(got.error().detail.find("maybe") != std::string::npos);
  CHECK(got.error().detail.find("100005 bytes") != std::string::npos);
  CHECK(got.error().detail.size() < 200);
}

TEST_CASE("nothing is a codec by accident: no struct, no character, no pointer, no container", "[codec]") {
  STATIC_REQUIRE_FALSE(decodable<plain_struct>);
  STATIC_REQUIRE_FALSE(encodable<plain_struct>);
  STATIC_REQUIRE_FALSE(decodable<colour>);
  STATIC_REQUIRE_FALSE(decodable<char>);
  STATIC_REQUIRE_FALSE(decodable<wchar_t>);
  STATIC_REQUIRE_FALSE(decodable<char8_t>);
  STATIC_REQUIRE_FALSE(decodable<char32_t>);
  STATIC_REQUIRE_FALSE(decodable<const char*>);
  STATIC_REQUIRE_FALSE(encodable<const char*>);
  STATIC_REQUIRE_FALSE(decodable<std::span<std::byte>>);  // it could write into shared bytes
  STATIC_REQUIRE_FALSE(decodable<std::span<const int>>);
  STATIC_REQUIRE_FALSE(decodable<std::vector<int>>);
  STATIC_REQUIRE_FALSE(decodable<std::optional<int>>);
  STATIC_REQUIRE_FALSE(decodable<std::unique_ptr<int>>);
  STATIC_REQUIRE_FALSE(encodable<event>);  // an event has no one form as bytes
  STATIC_REQUIRE(decodable<event>);
  STATIC_REQUIRE(decodable<std::string_view>);
  STATIC_REQUIRE(encodable<std::span<const std::byte>>);
}
