// SPDX-License-Identifier: MIT
#include <dormouse/event_pattern.hpp>

int main() {
  const auto wanted = dormouse::parse_event_pattern(R"({"type": ["hello"], "data": {"to": [{"prefix": "con"}]}})");
  return wanted && (*wanted)->matches({.type = "hello", .data = R"({"to": "consumer"})"}) ? 0 : 1;
}
