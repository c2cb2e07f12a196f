// SPDX-License-Identifier: MIT
// Patterns and events with the verdict that was recorded at EventBridge.

#include "support/catch.hpp"

#include <dormouse/event_pattern.hpp>

#include <nlohmann/json.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

using namespace dormouse;

namespace {

std::string verdict(const std::string& pattern, const std::string& document) {
  const auto parsed = event_pattern::parse(pattern);
  if (!parsed) {
    INFO(to_string(parsed.error()));
    CHECK(parsed.error().effect == effect_kind::not_applied);
    CHECK(parsed.error().detail.size() > std::string("event pattern: ").size());
    return "invalid";
  }
  return (*parsed)->matches_document(document) ? "match" : "no-match";
}

}  // namespace

TEST_CASE("recorded verdicts on event patterns", "[event_pattern][cases]") {
  const auto file = std::filesystem::path(DORMOUSE_CASES_DIR) / "eventbridge" / "patterns.json";
  if (!exists(file)) {
    WARN("SKIPPED: no recorded cases at " << file.string());
    return;
  }
  const auto all = nlohmann::json::parse(std::ifstream(file));
  std::size_t ran = 0;
  for (const auto& each : all) {
    INFO(each.at("name").get<std::string>() << ": " << each.at("pattern").dump());
    CHECK(verdict(each.at("pattern").dump(), each.at("event").dump()) == each.at("expect").get<std::string>());
    ++ran;
  }
  std::printf("event patterns: %zu of %zu recorded cases executed\n", ran, all.size());
  CHECK(ran == all.size());
  CHECK(ran == 78);
}
