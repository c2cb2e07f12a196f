// SPDX-License-Identifier: MIT
#pragma once

#include "driver/programs.hpp"
#include "driver/results.hpp"

#include <string>
#include <vector>

namespace bench {

// Not a competitor: what nothing can go below.
[[nodiscard]] bool is_floor(const std::string& contender);
[[nodiscard]] bool is_ours(const std::string& contender);

// One table a question on standard output: each figure, and its ratio to the best peer's and to the floor's.
void print_tables(const std::vector<row>& rows, const std::vector<missing_contender>& missing);

// The goals with their figures, as a Markdown table between two marks of that file. Throws std::runtime_error when the
// marks are not there.
void write_readme_table(const std::vector<row>& rows, const std::string& path);

}  // namespace bench
