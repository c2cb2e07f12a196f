// SPDX-License-Identifier: MIT
// The limits, at them and one beyond.

#include "support/catch.hpp"

#include "event_pattern/pattern_checks.hpp"

#include <chrono>
#include <memory_resource>
#include <string>

using namespace dormouse;
using testing::asked;

namespace {

std::string repeated(std::string_view text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

std::string nested(std::size_t depth) { return repeated(R"({"a":)", depth) + "[1]" + repeated("}", depth); }

}  // namespace

TEST_CASE("a pattern's text is bounded", "[event_pattern][limits]") {
  const std::string frame = R"({"a":[""]})";
  const auto of_size = [&](std::size_t bytes) {
    return R"({"a":[")" + std::string(bytes - frame.size(), 'x') + R"("]})";
  };
  REQUIRE(of_size(event_pattern::text_bytes_max).size() == event_pattern::text_bytes_max);
  CHECK(event_pattern::parse(of_size(event_pattern::text_bytes_max)));
  const auto more = event_pattern::parse(of_size(event_pattern::text_bytes_max + 1));
  REQUIRE(!more);
  CHECK(more.error().code == errc::too_large);
  CHECK(more.error().effect == effect_kind::not_applied);
  CHECK(more.error().detail.find("16384 bytes") != std::string::npos);
}

TEST_CASE("a pattern's depth is bounded", "[event_pattern][limits]") {
  CHECK(event_pattern::parse(nested(event_pattern::depth_max)));
  std::string dots = "a";
  while (dots.size() < 2 * event_pattern::depth_max - 1) dots += ".a";
  CHECK(event_pattern::parse("{\"" + dots + "\":[1]}"));
  // A field and its "$or", each of them one.
  const auto alternatives = [](std::size_t depth) {
    return repeated(R"({"a":{"$or":[{"b":[1]},)", depth) + R"({"c":[1]})" + repeated("]}}", depth);
  };
  CHECK(event_pattern::parse(alternatives((event_pattern::depth_max - 1) / 2)));
  for (const auto& text :
       {nested(event_pattern::depth_max + 1), "{\"" + dots + ".a\":[1]}", nested(event_pattern::document_depth_max),
        nested(2500), alternatives(event_pattern::depth_max / 2)}) {
    const auto refused = event_pattern::parse(text);
    REQUIRE(!refused);
    CHECK(refused.error().code == errc::limit_exceeded);
    CHECK(refused.error().reason == failure_reason::depth);
  }
}

TEST_CASE("wildcards in a string are bounded", "[event_pattern][limits]") {
  CHECK(event_pattern::parse(R"({"a":[{"wildcard":"*a*a*a*a*"}]})"));
  CHECK(event_pattern::parse(R"({"a":[{"wildcard":"*a*a*a*a*\\*"}]})"));
  for (const auto* text :
       {R"({"a":[{"wildcard":"*a*a*a*a*a*"}]})", R"({"a":[{"anything-but":{"wildcard":["x","*a*a*a*a*a*"]}}]})"}) {
    const auto refused = event_pattern::parse(text);
    REQUIRE(!refused);
    CHECK(refused.error().code == errc::limit_exceeded);
    CHECK(refused.error().reason == failure_reason::none);
    CHECK(refused.error().detail.find("more than 5 wildcards") != std::string::npos);
  }
}

TEST_CASE("a document is bounded in bytes, depth and values", "[event_pattern][limits]") {
  const auto padded = [](std::size_t bytes) { return R"({"a":1})" + std::string(bytes - 7, ' '); };
  CHECK(asked(R"({"a":[1]})", padded(event_pattern::document_bytes_max)));
  CHECK(!asked(R"({"a":[1]})", padded(event_pattern::document_bytes_max + 1)));

  const auto arrays = [](std::size_t depth) {
    return R"({"a":1,"b":)" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  CHECK(asked(R"({"a":[1]})", arrays(event_pattern::document_depth_max)));
  CHECK(!asked(R"({"a":[1]})", arrays(event_pattern::document_depth_max + 1)));
  CHECK(!asked(R"({"a":[1]})", arrays(100'000)));

  // The object, the array and `a` are values, too.
  const auto values = [](std::size_t count) { return R"({"a":1,"b":[0)" + repeated(",0", count - 4) + "]}"; };
  CHECK(asked(R"({"a":[1]})", values(event_pattern::document_values_max)));
  CHECK(!asked(R"({"a":[1]})", values(event_pattern::document_values_max + 1)));

  // Data beyond the limits is not taken for a string.
  const event large{.data = padded(event_pattern::document_bytes_max + 1)};
  CHECK(!event_pattern::parse(R"({"data":[{"exists":true}]})").value()->matches(large));
  CHECK(!event_pattern::parse(R"({"data":{"b":[{"exists":false}]}})").value()->matches(large));
}

TEST_CASE("no pattern takes long for any document", "[event_pattern][limits]") {
  // The worst that was found of each kind; the bound is loose, what it is to tell apart is minutes.
  const auto begin = std::chrono::steady_clock::now();
  const std::string as(event_pattern::document_bytes_max - 100, 'a');
  CHECK(!asked(R"({"a":[{"wildcard":"*)" + std::string(8000, 'a') + R"(b*"}]})", R"({"a":")" + as + "\"}"));
  CHECK(!asked(R"({"a":[{"wildcard":"*aaab*aaab*aaab*aaab*"}]})", R"({"a":")" + as + "\"}"));
  std::string many;
  while (many.size() < event_pattern::text_bytes_max - 100) many += R"({"wildcard":"*b*"},)";
  CHECK(!asked(R"({"a":[)" + many + "1]}", R"({"a":")" + as + "\"}"));

  // A path that is spelt in many ways, each with an array: their elements would be combined.
  std::string spelt;
  for (const auto* name : {"a", "a", "a", "a", "a", "a"}) {
    spelt += std::string("\"") + name + "\":[{\"b\":1}" + repeated(",{\"b\":1}", 99) + "],";
  }
  CHECK(!asked(R"({"a":{"b":[2]}})", "{" + spelt + R"("z":1})"));
  // Alternatives in arrays in arrays.
  std::string elements = R"({"x":0})";
  for (int level = 0; level < 4; ++level) elements = R"({"a":[)" + elements + repeated("," + elements, 9) + "]}";
  std::string branches = R"({"x":[1]})";
  while (branches.size() < 12'000) branches += R"(,{"x":[1],"y":[2]})";
  CHECK(!asked(R"({"a.a.a.a":{"$or":[)" + branches + "]}}", elements));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(60));
}

TEST_CASE("a question that takes too many steps is no match", "[event_pattern][limits]") {
  // Each of the 99,000 strings is compared with 100 others; the one that would match is the last.
  std::string others;
  for (int i = 0; i < 100; ++i) others += R"({"suffix":")" + std::to_string(i) + R"(x"},)";
  const auto document = [](std::size_t count) { return R"({"a":[)" + repeated(R"("y",)", count) + R"("hit"]})"; };
  const std::string pattern = R"({"a":[)" + others + R"("hit"]})";
  CHECK(asked(pattern, document(10'000)));
  CHECK(!asked(pattern, document(99'000)));
  // Long strings count for more.
  const std::string searches = R"({"a":[)" + repeated(R"({"wildcard":"*b*"},)", 700) + R"("hit"]})";
  const auto text = [](std::size_t bytes) { return R"({"a":[")" + std::string(bytes, 'y') + R"(","hit"]})"; };
  CHECK(asked(searches, text(100'000)));
  CHECK(!asked(searches, text(1'000'000)));
}

TEST_CASE("without memory for the document, the answer is no", "[event_pattern][limits]") {
  const auto pattern = event_pattern::parse(R"({"data":{"a":[1]}})").value();
  const event message{.data = R"({"a":1,"b":[0)" + repeated(",0", 1000) + "]}"};
  REQUIRE(pattern->matches(message));
  // What the stack has no room for is taken from here.
  auto* const before = std::pmr::set_default_resource(std::pmr::null_memory_resource());
  const bool matched = pattern->matches(message);
  const bool matched_document = pattern->matches_document(message.data.text());
  std::pmr::set_default_resource(before);
  CHECK(!matched);
  CHECK(!matched_document);
}
