// SPDX-License-Identifier: MIT
#pragma once

// A pattern asked of a document.

#include "event_pattern/json_document.hpp"
#include "event_pattern/pattern_tree.hpp"

namespace dormouse_event_pattern {

// May throw std::bad_alloc. False, too, when it would take more than steps_max.
[[nodiscard]] bool matches_tree(const pattern_node& pattern, const json_value& document);

}  // namespace dormouse_event_pattern
