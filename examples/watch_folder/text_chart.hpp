#pragma once

// A count over time, drawn with characters.

#include "meter.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace watch_folder {

// Prints moment::*count: a column shows the highest count of its time.
void print_text_chart(std::string_view name, const std::vector<moment>& history, std::size_t moment::*count);

}  // namespace watch_folder
