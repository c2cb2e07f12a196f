#include "live_view.hpp"

#include "terminal.hpp"
#include "text_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace watch_folder {

namespace {

std::string files_text(const progress& files) {
  if (files.total == 0) return grouped(files.done);
  return fmt::format("{} of {}", grouped(files.done), grouped(files.total));
}

}  // namespace

live_view::live_view(std::string phase) : redraws_(can_redraw()), utf8_(speaks_utf8()), phase_(std::move(phase)) {}

void live_view::enter(std::string phase) {
  const std::lock_guard lock(mutex_);
  phase_ = std::move(phase);
}

void live_view::show(const moment& now, const progress& files) {
  const std::lock_guard lock(mutex_);
  if (is_closed_) return;
  if (redraws_)
    draw(now, files);
  else
    print_plain(now, files);
  std::fflush(stdout);
}

void live_view::print(std::string_view line) {
  const std::lock_guard lock(mutex_);
  erase();
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

void live_view::close() {
  const std::lock_guard lock(mutex_);
  erase();
  is_closed_ = true;
  std::fflush(stdout);
}

void live_view::draw(const moment& now, const progress& files) {
  const std::size_t width = terminal_columns() - 1;  // a line that wraps could not be erased
  const std::string lines[] = {
      fmt::format("{:6.1f} s   {}", now.at.count(), phase_).substr(0, width),
      fmt::format("files      {}", files_text(files)).substr(0, width),
      bar("threads", now.threads),
      bar("instances", now.instances),
  };
  erase();
  for (const auto& line : lines) fmt::print("{}\n", line);
  drawn_lines_ = std::size(lines);
}

std::string live_view::bar(std::string_view name, std::size_t count) const {
  constexpr std::size_t label = 16;
  const std::size_t room = std::max<std::size_t>(terminal_columns(), label + 4) - label - 2;
  const std::size_t unit = room >= 60 ? 3 : 1;
  std::string line = fmt::format("{:<9}{:>4}  ", name, count);
  for (std::size_t i = 0; i < std::min(count * unit, room); ++i) {
    line += (i + 1) % unit == 0 && unit > 1 ? " " : utf8_ ? "\u2588" : "#";
  }
  return line;
}

void live_view::erase() {
  if (drawn_lines_ > 0) fmt::print("\033[{}A\033[J", drawn_lines_);  // up, then clear to the end
  drawn_lines_ = 0;
}

void live_view::print_plain(const moment& now, const progress& files) {
  const auto line = fmt::format("{:<18}files {:<16}threads {:<4} instances {}", phase_, files_text(files), now.threads,
                                now.instances);
  const bool is_new_phase = !line.starts_with(last_line_.substr(0, 18));
  const bool is_zero = now.threads + now.instances == 0;
  if (line == last_line_ || (!is_new_phase && !is_zero && now.at - last_at_ < seconds{1})) return;
  fmt::print("{:6.1f} s   {}\n", now.at.count(), line);
  last_line_ = line;
  last_at_ = now.at;
}

}  // namespace watch_folder
