// SPDX-License-Identifier: MIT
#include "driver/chart.hpp"

#include "driver/tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <stdexcept>

namespace bench {

namespace {

constexpr int width = 760;
constexpr int left = 190;   // where bars begin
constexpr int right = 640;  // where the longest ends
constexpr int line = 18;

std::string escaped(const std::string& text) {
  std::string out;
  for (const char each : text) {
    out += each == '<' ? "&lt;" : each == '>' ? "&gt;" : each == '&' ? "&amp;" : std::string(1, each);
  }
  return out;
}

const char* colour(const std::string& contender) {
  return is_ours(contender) ? "#c2571a" : is_floor(contender) ? "#999999" : "#4a78a8";
}

// How long a bar is, 0 .. 1: a tenth for the least of its group.
double share_of(double value, double least, double most) {
  if (value <= 0) return 0;
  const double decades = std::max(1.0, std::log10(most / least));
  return 0.1 + 0.9 * std::log10(value / least) / decades;
}

// The bars of one measure, below each other.
std::string draw_group(const std::vector<const row*>& group, int& y) {
  std::string out = fmt::format("<text x=\"8\" y=\"{}\" font-weight=\"bold\">{}: {} [{}]</text>\n", y,
                                escaped(group.front()->key.variant), escaped(group.front()->key.metric),
                                escaped(group.front()->unit));
  double least = 0;
  double most = 0;
  for (const row* each : group) {
    if (each->median > 0) least = least == 0 ? each->median : std::min(least, each->median);
    most = std::max(most, each->median);
  }
  y += line;
  for (const row* each : group) {
    const double length = share_of(each->median, least, most) * (right - left);
    out += fmt::format(
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>"
        "<rect x=\"{}\" y=\"{}\" width=\"{:.0f}\" height=\"12\" fill=\"{}\"/>"
        "<text x=\"{:.0f}\" y=\"{}\">{:.4g}</text>\n",
        left - 6, y, escaped(each->key.contender), left, y - 10, length, colour(each->key.contender), left + length + 6,
        y, each->median);
    y += line;
  }
  y += line / 2;
  return out;
}

}  // namespace

void draw_charts(const std::vector<row>& rows, const std::string& directory) {
  std::map<std::string, std::map<std::string, std::vector<const row*>>> questions;
  for (const row& each : rows) {
    if (each.key.metric == "goal") continue;
    questions[each.key.question][each.key.variant + '\n' + each.key.metric].push_back(&each);
  }
  for (const auto& [question, groups] : questions) {
    int y = 44;
    std::string body;
    for (const auto& [measure, group] : groups) body += draw_group(group, y);
    const std::string path = directory + "/" + question + ".svg";
    std::ofstream out(path);
    out << fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
        "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"{0}\" height=\"{1}\" fill=\"white\"/>\n"
        "<text x=\"8\" y=\"22\" font-size=\"15\">{2} (medians; logarithmic)</text>\n{3}</svg>\n",
        width, y, question, body);
    if (!out.flush()) throw std::runtime_error("cannot write " + path);
  }
}

}  // namespace bench
