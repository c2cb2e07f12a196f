#pragma once

// What is printed at the end: files, digests, cold and warm starts with their times, and the chart.

#include "measurements.hpp"
#include "meter.hpp"
#include "rows.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace watch_folder {

struct closing_facts {
  const measurements& measured;
  const row_totals& totals;
  const std::vector<moment>& history;
  std::size_t files_expected = 0;  // zero: nobody knows how many there were
  std::string digests{};           // what the comparison said
};

void print_closing_table(const closing_facts& facts);

}  // namespace watch_folder
