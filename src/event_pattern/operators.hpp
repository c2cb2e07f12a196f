// SPDX-License-Identifier: MIT
#pragma once

// The operators of a field's array, read and checked.

#include <dormouse/detail/compiled_event_pattern.hpp>

#include "event_pattern/pattern_tree.hpp"

#include <string>

namespace dormouse_event_pattern {

// Thrown within the compiler only.
struct refused_rule {
  refusal why;
};

[[noreturn]] void refuse(const std::string& place, const std::string& rule, refusal::kind what = refusal::kind::rule);

// `value` is one of the array's.
void add_value(field_tests& to, const json_value& value, const std::string& place);

// No field inside "$or" may have such a name: it would be an operator in the wrong place.
[[nodiscard]] bool is_operator(std::string_view name) noexcept;

}  // namespace dormouse_event_pattern
