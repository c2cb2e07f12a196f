// SPDX-License-Identifier: MIT
#pragma once

// A pattern, compiled: fields by the steps of their paths. A dot in a name of the pattern separates steps, as it does
// in the events' names, so that {"a": {"b": ...}} and {"a.b": ...} are the same.

#include "event_pattern/json_document.hpp"
#include "event_pattern/value_tests.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dormouse_event_pattern {

// What one field's array asks for: one of these must be so.
struct field_tests {
  value_tests any_of{};
  std::vector<value_tests> anything_but{};
  bool present = false;  // {"exists": true}
  bool absent = false;   // {"exists": false}

  [[nodiscard]] std::size_t size() const noexcept {
    std::size_t sum = 1 + any_of.others.size();
    for (const auto& each : anything_but) sum += 1 + each.others.size();
    return sum;
  }
};

// All of it must be so.
struct pattern_node {
  std::string name{};
  std::string name_and_dot{};
  std::optional<field_tests> tests{};
  std::vector<pattern_node> fields{};
  // Of each "$or", one of its objects; they stand for further fields of this node.
  std::vector<std::vector<pattern_node>> alternatives{};
};

class compiled {
 public:
  pattern_node root{};
  std::vector<std::string> asked{};  // names at the top, sorted
};

struct refusal;

// May throw std::bad_alloc. False: `why` says why.
[[nodiscard]] bool compile_pattern(const json_value& document, compiled& into, refusal& why);

}  // namespace dormouse_event_pattern
