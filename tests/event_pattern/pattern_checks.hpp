// SPDX-License-Identifier: MIT
#pragma once

// Short ways to ask, for tables of cases.

#include <dormouse/event_pattern.hpp>

#include <string>
#include <string_view>

namespace dormouse::testing {

// Throws for a pattern that is refused.
inline bool asked(std::string_view pattern, std::string_view document) {
  return event_pattern::parse(pattern).value()->matches_document(document);
}

// {"a": [TEST]} of {"a": VALUE}.
inline bool one(std::string_view test, std::string_view value) {
  return asked(R"({"a":[)" + std::string(test) + "]}", R"({"a":)" + std::string(value) + "}");
}

// What is said of a pattern that is refused; nothing when it is not.
inline std::string said(std::string_view pattern) {
  const auto parsed = event_pattern::parse(pattern);
  return parsed ? "" : to_string(parsed.error());
}
// The same of {"a": [TEST]}.
inline std::string said_of(std::string_view test) { return said(R"({"a":[)" + std::string(test) + "]}"); }

}  // namespace dormouse::testing
