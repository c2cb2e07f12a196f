#include "text_chart.hpp"

#include "terminal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>

namespace watch_folder {

namespace {

constexpr std::size_t columns = 80;
constexpr std::size_t rows_max = 8;

std::vector<std::size_t> highest_by_column(const std::vector<moment>& history, std::size_t moment::*count) {
  std::vector<std::size_t> highest(columns, 0);
  const double end = history.back().at.count();
  std::size_t from = 0;
  for (std::size_t i = 0; i < history.size(); ++i) {
    const double part = end > 0 ? history[i].at.count() / end : 0;
    const std::size_t to = std::min(columns - 1, static_cast<std::size_t>(part * columns));
    // A moment holds until the next one: no column is left out.
    if (i > 0) {
      for (std::size_t column = from + 1; column < to; ++column) highest[column] = history[i - 1].*count;
    }
    highest[to] = std::max(highest[to], history[i].*count);
    from = to;
  }
  return highest;
}

}  // namespace

void print_text_chart(std::string_view name, const std::vector<moment>& history, std::size_t moment::*count) {
  if (history.empty()) return;
  const auto highest = highest_by_column(history, count);
  const std::size_t top = std::max<std::size_t>(1, *std::max_element(highest.begin(), highest.end()));
  const std::size_t step = (top + rows_max - 1) / rows_max;  // counts a row
  const bool utf8 = speaks_utf8();
  for (std::size_t level = (top + step - 1) / step * step; level > 0; level -= step) {
    std::string line;
    for (const auto each : highest) line += each + step > level ? utf8 ? "\u2588" : "#" : " ";
    while (line.ends_with(' ')) line.pop_back();
    fmt::print("{:<10}{:>4} {}{}\n", level + step > top ? name : "", level, utf8 ? "\u2502" : "|", line);
  }
  std::string axis;
  for (std::size_t i = 0; i < columns; ++i) axis += utf8 ? "\u2500" : "-";
  fmt::print("{:>14} {}{}\n", 0, utf8 ? "\u2514" : "+", axis);
  fmt::print("{:16}0 s{:>{}.1f} s\n", "", history.back().at.count(), columns - 5);
}

}  // namespace watch_folder
