// SPDX-License-Identifier: MIT
// Whatever the text, there is an answer, the same each time and from each thread.

#include "support/catch.hpp"
#include "support/thread_checks.hpp"

#include <dormouse/event_pattern.hpp>

#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace dormouse;

namespace {

constexpr std::string_view pattern_text =
    R"({"type":["order.paid",{"prefix":"order."}],"detail":{"$or":[{"total":[{"numeric":[">",0,"<=",5]}]},)"
    R"({"ip":[{"cidr":"10.0.0.0/8"},{"cidr":"2001:db8::/32"}],"a.b":[{"exists":false}]}],)"
    R"("state":[{"anything-but":{"wildcard":["*/x*","y\\*"]}},null,true,-1.5e3]}})";
constexpr std::string_view document_text =
    R"({"type":"order.paid","detail":[{"total":4,"ip":"10.1.1.1","a":[{"b":1},{"c":[]}],"state":"a/b"},)"
    R"({"total":9.5}]})";

// Changes that keep it near to a pattern: bytes that have a meaning, pieces moved and repeated.
std::string mutated(std::string text, std::mt19937& random) {
  static constexpr char with_end[] = "{}[]\",:\\*.$-019eE/aor \0\xff\xc3";
  constexpr std::string_view bytes{with_end, sizeof with_end - 1};
  const auto below = [&](std::size_t end) { return random() % std::max<std::size_t>(end, 1); };
  for (std::size_t times = 1 + below(4); times > 0 && !text.empty(); --times) {
    const std::size_t at = below(text.size());
    const std::size_t length = below(std::min<std::size_t>(text.size() - at, 20));
    switch (below(4)) {
      case 0: text[at] = bytes[below(bytes.size())]; break;
      case 1: text.erase(at, length); break;
      case 2: text.insert(below(text.size()), text.substr(at, length)); break;
      default: text.insert(at, 1, bytes[below(bytes.size())]); break;
    }
  }
  return text;
}

}  // namespace

TEST_CASE("no text breaks the parser, and no document the question", "[event_pattern]") {
  std::mt19937 random(20261123);
  const auto whole = event_pattern::parse(pattern_text).value();
  REQUIRE(whole->matches_document(document_text));
  std::size_t accepted = 0;
  std::size_t matched = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = mutated(std::string(pattern_text), random);
    const std::string document = mutated(std::string(document_text), random);
    const auto parsed = event_pattern::parse(text);
    if (parsed) {
      ++accepted;
      matched += (*parsed)->matches_document(document_text) ? 1U : 0U;
      const bool answer = (*parsed)->matches_document(document);
      if (answer != event_pattern::parse((*parsed)->text()).value()->matches_document(document)) FAIL(text);
    } else if (parsed.error().code != errc::invalid_argument || parsed.error().detail.empty()) {
      FAIL(text << ": " << to_string(parsed.error()));
    }
    static_cast<void>(whole->matches_document(document));
  }
  // Neither all nor none: the changes were of the kind that was meant.
  CHECK(accepted > 500);
  CHECK(accepted < 19'000);
  CHECK(matched > 100);
}

TEST_CASE("threads may ask one pattern at once", "[event_pattern]") {
  const auto pattern = parse_event_pattern(pattern_text).value();
  const event yes{.type = "order.paid", .data = R"({"total": 4, "state": "a/b"})"};
  const event no{.type = "order.paid", .data = R"({"total": 6, "state": "a/b"})"};
  support::thread_checks holds;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 500; ++n) {
        holds(pattern->matches(yes) && !pattern->matches(no) && pattern->text() == pattern_text);
      }
    });
  }
  for (auto& each : threads) each.join();
}
