#pragma once

// The chart of threads and instances over time, as a picture for light and dark backgrounds.

#include "meter.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace watch_folder {

// What went on from that time until the next mark. Without a label: nothing worth a word.
struct mark {
  seconds at{0};
  std::string label{};
};

struct svg_chart {
  std::string title{};  // plain text without < and &
  const std::vector<moment>& history;
  std::vector<mark> marks{};
};

// Throws std::system_error naming the file when it cannot be written.
void write_svg(const std::filesystem::path& file, const svg_chart& chart);

}  // namespace watch_folder
