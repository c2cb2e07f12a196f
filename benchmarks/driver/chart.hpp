// SPDX-License-Identifier: MIT
#pragma once

#include "driver/results.hpp"

#include <string>
#include <vector>

namespace bench {

// One picture a question, DIRECTORY/QUESTION.svg: bars on a logarithmic scale, grouped by what was measured.
void draw_charts(const std::vector<row>& rows, const std::string& directory);

}  // namespace bench
