#include "svg_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <fstream>
#include <string_view>
#include <system_error>

namespace watch_folder {

namespace {

// All in pixels.
constexpr double width = 900;
constexpr double height = 360;
constexpr double left = 44;
constexpr double right = width - 16;
constexpr double top = 84;
constexpr double bottom = height - 44;

// No background, and nothing but middle tones: readable on white and on black.
constexpr std::string_view head =
    R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}"
     font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="13" fill="#7d8590">
<title>Threads and instances of the library over time</title>
)";
constexpr std::string_view threads_colour = "#e8710a";
constexpr std::string_view instances_colour = "#2f81f7";

struct scale {
  double seconds = 1;  // the whole time
  double count = 1;    // the highest, a multiple of:
  double count_step = 1;
  [[nodiscard]] double x(double at) const { return left + (right - left) * at / seconds; }
  [[nodiscard]] double y(double value) const { return bottom - (bottom - top) * value / count; }
};

// 1, 2 or 5 times a power of ten: about `wanted` steps.
double round_step(double range, double wanted) {
  const double raw = range / wanted;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (raw <= factor * power * 1.0001) return factor * power;
  }
  return 10 * power;
}

std::string text(double x, double y, std::string_view anchor, std::string_view words, std::string_view more = {}) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y, anchor, more, words);
}

std::string axes(const scale& to) {
  std::string svg;
  for (double count = 0; count <= to.count; count += to.count_step) {
    svg += fmt::format("<path d=\"M{:.1f} {:.1f}H{:.1f}\" stroke=\"#7d8590\" stroke-opacity=\"{}\"/>\n", left,
                       to.y(count), right, count > 0 ? "0.22" : "1");
    svg += text(left - 10, to.y(count) + 4, "end", fmt::format("{}", count));
  }
  const double time_step = round_step(to.seconds, 10);
  for (double at = 0; at <= to.seconds; at += time_step) {
    svg += text(to.x(at), bottom + 20, "middle", fmt::format("{:g} s", at));
  }
  return svg;
}

std::string bands(const scale& to, const std::vector<mark>& marks) {
  std::string svg;
  for (std::size_t i = 0; i < marks.size(); ++i) {
    if (marks[i].label.empty()) continue;
    const double from = to.x(marks[i].at.count());
    const double end = to.x(i + 1 < marks.size() ? marks[i + 1].at.count() : to.seconds);
    svg += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"#7d8590\" fill-opacity=\"0.1\"/>\n",
        from, top - 22, end - from, bottom - top + 22);
    svg += text(from + 4, top - 8, "start", marks[i].label);
  }
  return svg;
}

// A count holds until the next moment.
std::string steps(const scale& to, const std::vector<moment>& history, std::size_t moment::*count) {
  std::string path = fmt::format("M{:.1f} {:.1f}", to.x(0), to.y(static_cast<double>(history.front().*count)));
  for (std::size_t i = 1; i < history.size(); ++i) {
    if (history[i].*count == history[i - 1].*count) continue;
    path += fmt::format("H{:.1f}V{:.1f}", to.x(history[i].at.count()), to.y(static_cast<double>(history[i].*count)));
  }
  return path + fmt::format("H{:.1f}", right);
}

std::string curves(const scale& to, const std::vector<moment>& history) {
  const auto instances = steps(to, history, &moment::instances);
  return fmt::format("<path d=\"{}V{:.1f}H{:.1f}Z\" fill=\"{}\" fill-opacity=\"0.22\"/>\n", instances, bottom, left,
                     instances_colour) +
         fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\"/>\n", instances,
                     instances_colour) +
         fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2.2\" stroke-linejoin=\"round\"/>\n",
                     steps(to, history, &moment::threads), threads_colour);
}

// Where nothing is alive for a third of a second or longer, the chart says so.
std::string zeros(const scale& to, const std::vector<moment>& history) {
  std::string svg;
  const seconds shortest{0.33};
  const auto is_zero = [](const moment& each) { return each.threads + each.instances == 0; };
  for (auto from = history.begin(); from != history.end();) {
    from = std::find_if(from, history.end(), is_zero);
    const auto until = std::find_if_not(from, history.end(), is_zero);
    if (from != history.end()) {
      const auto end = until == history.end() ? seconds{to.seconds} : until->at;
      const double middle = to.x((from->at.count() + end.count()) / 2);
      if (end - from->at >= shortest) svg += text(middle, bottom - 10, "middle", "zero", " font-weight=\"600\"");
    }
    from = until;
  }
  return svg;
}

std::string legend(std::string_view title) {
  const auto entry = [](double x, std::string_view colour, std::string_view words) {
    return fmt::format("<rect x=\"{}\" y=\"36\" width=\"14\" height=\"4\" rx=\"2\" fill=\"{}\"/>\n", x, colour) +
           text(x + 20, 42, "start", words);
  };
  return text(left, 22, "start", title, " font-size=\"16\" font-weight=\"600\"") +
         entry(left, threads_colour, "threads of the library") +
         entry(left + 190, instances_colour, "instances of functions");
}

}  // namespace

void write_svg(const std::filesystem::path& file, const svg_chart& chart) {
  const auto& history = chart.history;
  if (history.empty()) return;
  scale to{.seconds = std::max(0.1, history.back().at.count())};
  for (const auto& each : history) {
    to.count = std::max(to.count, static_cast<double>(std::max(each.threads, each.instances)));
  }
  to.count_step = std::max(1.0, round_step(to.count, 6));
  to.count = std::ceil(to.count / to.count_step) * to.count_step;
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path());
  std::ofstream out(file, std::ios::binary);
  out << fmt::format(head, width, height) << legend(chart.title) << bands(to, chart.marks) << axes(to)
      << curves(to, history) << zeros(to, history) << "</svg>\n";
  out.close();
  if (!out) throw std::system_error(errno, std::generic_category(), "cannot write " + file.string());
}

}  // namespace watch_folder
