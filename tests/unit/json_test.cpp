// SPDX-License-Identifier: MIT

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <dormouse/json.hpp>
#include <dormouse/runtime.hpp>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace shop {
struct order {
  std::string what{};
  int count = 0;
  std::vector<double> prices{};
  friend bool operator==(const order&, const order&) = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(order, what, count, prices)

// A type that checks its own invariant when it is read.
struct positive {
  int value = 1;
};
inline void to_json(nlohmann::json& out, const positive& from) { out = from.value; }
inline void from_json(const nlohmann::json& in, positive& to) {
  to.value = in.get<int>();
  if (to.value <= 0) throw std::invalid_argument("must be positive");
}
}  // namespace shop
template <>
struct dormouse::codec<shop::order> : dormouse::json_codec<shop::order> {};
template <>
struct dormouse::codec<shop::positive> : dormouse::json_codec<shop::positive> {};

using namespace dormouse;

namespace {
std::string nested(std::size_t depth, std::string_view inside = "") {
  return std::string(depth, '[') + std::string(inside) + std::string(depth, ']');
}
std::string nested_objects(std::size_t depth) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += R"({"a":)";
  return text + "1" + std::string(depth, '}');
}
void check_refused(const failure& why) {
  CHECK(why.code == errc::invalid_argument);
  CHECK(why.reason == failure_reason::payload_type);
  CHECK(why.effect == effect_kind::not_applied);
  CHECK_FALSE(why.detail.empty());
}
}  // namespace

TEST_CASE("a type of one's own travels as JSON, there and back", "[json]") {
  const shop::order given{.what = "t\xc3\xa9 \"gr\xc3\xbcn\"\n\x01", .count = -2, .prices = {0.1, 1e300, 0}};
  const auto bytes = codec<shop::order>::encode(given);
  REQUIRE(bytes);
  const auto back = codec<shop::order>::decode({.type = "t", .data = *bytes});
  REQUIRE(back);
  CHECK(*back == given);
  runtime host;
  host.define("echo", [](const shop::order& order) { return order; });
  const auto got = host.invoke("echo", {.type = "t", .data = *bytes});
  REQUIRE(got);
  CHECK(nlohmann::json::parse(got->text()) == nlohmann::json::parse(bytes->text()));
  CHECK(got->content_type == "application/json");
}

TEST_CASE("any JSON can be taken as it is", "[json]") {
  runtime host;
  host.define("echo", [](nlohmann::json any) { return any; });
  for (const char* text : {"null", "true", "-0", "1e2", R"("")", "[]", "{}", R"({"a":[1,{"b":null}]})", " 7 "}) {
    INFO(text);
    const auto got = host.invoke("echo", {.type = "t", .data = text});
    REQUIRE(got);
    CHECK(nlohmann::json::parse(got->text()) == nlohmann::json::parse(text));
  }
}

TEST_CASE("text that is not JSON is refused with its place", "[json]") {
  const std::string bad =
      GENERATE(as<std::string>{}, "", " ", "{", "[1,]", "{} x", "nul", "'a'", "01", "1.", "+1", "NaN", "Infinity",
               "\"a", "\"\x01\"", R"({"a":1,})", R"({a:1})", "// c\n1", "\xff", "\"\xc3\x28\"");
  INFO(bad);
  const auto got = parse_json(bad);
  REQUIRE(!got);
  check_refused(got.error());
  CHECK(got.error().detail.find("column") != std::string::npos);
}

TEST_CASE("JSON is parsed to its end, not to the first NUL", "[json]") {
  CHECK(!parse_json(std::string("{}\0", 3)));
  CHECK(!parse_json(std::string("{}\0 and more", 12)));
  CHECK(!parse_json(std::string("\0{}", 3)));
  CHECK(parse_json("\"a\\u0000b\"")->get<std::string>() == std::string("a\0b", 3));
}

TEST_CASE("JSON of the wrong shape is refused, and the handler is not entered", "[json]") {
  runtime host;
  int entered = 0;
  auto take = host.define("take", [&entered](const shop::order&) { ++entered; });
  for (const char* bad : {"null", "[]", "7", R"({"what":"tea","count":2})", R"({"what":1,"count":2,"prices":[]})",
                          R"({"what":"tea","count":"2","prices":[]})", R"({"what":"tea","count":2,"prices":["x"]})"}) {
    INFO(bad);
    const auto got = host.invoke("take", {.type = "t", .data = bad});
    REQUIRE(!got);
    check_refused(got.error());
  }
  CHECK(entered == 0);
  CHECK(take.stats().function_failures == 0);
}

// A codec's decode() promises to throw nothing but bad_alloc, and a handler that was not entered has not failed.
TEST_CASE("what a type's own from_json throws is a refusal of the data, not a failure of the function", "[json]") {
  runtime host;
  int entered = 0;
  auto take = host.define("take", [&entered](shop::positive) { ++entered; });
  REQUIRE(host.invoke("take", {.type = "t", .data = "1"}));
  const auto got = host.invoke("take", {.type = "t", .data = "-1"});
  REQUIRE(!got);
  check_refused(got.error());
  CHECK(got.error().detail.find("must be positive") != std::string::npos);
  CHECK(entered == 1);
  CHECK(take.stats().function_failures == 0);
}

TEST_CASE("a refusal of JSON is short and shows no control bytes, whatever came", "[json]") {
  const std::string bad = GENERATE(as<std::string>{}, "\"\x1b[31m\n\"", "\"a\x7f\x1f",
                                   "\xc2\x9b"
                                   "31m",
                                   std::string("\"").append(100'000, 'x'));
  const auto got = parse_json(bad);
  REQUIRE(!got);
  INFO(got.error().detail.substr(0, 200));
  CHECK(got.error().detail.size() < 500);
  bool control = false;
  for (const char c : got.error().detail) {
    const auto byte = static_cast<unsigned char>(c);
    control = control || byte < 0x20 || byte >= 0x7f;
  }
  CHECK_FALSE(control);
}

TEST_CASE("nesting is bounded at 64, arrays and objects alike", "[json]") {
  STATIC_REQUIRE(json_depth_max == 64);
  CHECK(parse_json(nested(64)));
  CHECK(parse_json(nested(64, "1")));
  CHECK(parse_json(nested_objects(64)));
  for (const std::string& text : {nested(65), nested(65, "1"), nested_objects(65), nested(1, nested(64))}) {
    INFO(text);
    const auto got = parse_json(text);
    REQUIRE(!got);
    check_refused(got.error());
    CHECK(got.error().detail.find("64") != std::string::npos);
  }
  CHECK(!parse_json(nested(1'000'000)));
  CHECK(!parse_json(std::string(1'000'000, '[')));
}

TEST_CASE("what cannot be written as JSON is refused on the way out", "[json]") {
  const auto got = codec<nlohmann::json>::encode(nlohmann::json("\xff"));
  REQUIRE(!got);
  CHECK(got.error().code == errc::invalid_argument);
}

TEST_CASE("JSONTestSuite: what must parse parses, what may go either way does no harm", "[json][cases]") {
  const auto folder = std::filesystem::path(DORMOUSE_CASES_DIR) / "json" / "JSONTestSuite" / "test_parsing";
  if (!std::filesystem::exists(folder)) DORMOUSE_SKIP("the shared cases are not here (json/JSONTestSuite)");
  int must = 0;
  int either = 0;
  int files = 0;
  for (const auto& each : std::filesystem::directory_iterator(folder)) {
    ++files;
    const std::string name = each.path().filename().string();
    INFO(name);
    const auto parsed = parse_json(support::read_file(each.path()));
    if (name.starts_with("y_")) {
      CHECK(parsed);
      ++must;
    } else if (name.starts_with("i_")) {
      if (!parsed) check_refused(parsed.error());
      ++either;
    }
  }
  WARN("JSONTestSuite: " << must + either << " executed (" << must << " must parse, " << either << " either way), "
                         << files << " in the folder");
  CHECK(must == 95);
  CHECK(either == 35);
  CHECK(must + either == files);
}
