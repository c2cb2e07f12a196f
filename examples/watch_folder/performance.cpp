#include "performance.hpp"

#include "closing_table.hpp"
#include "reference_digests.hpp"
#include "rows.hpp"
#include "text_format.hpp"

#include <fmt/format.h>

#include <exception>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>

namespace watch_folder {

namespace {

using namespace std::chrono_literals;

}  // namespace

performance::performance(host& app, feeder& food, performance_options options)
    : app_(app), food_(food), options_(std::move(options)), meter_(app.runtime, [this](const moment& now) {
        view_.show(now, {.done = std::min(app_.measured.count("summary"), food_.planned()), .total = food_.planned()});
      }) {}

void performance::play(const std::stop_token& stop) noexcept {
  stop_ = stop;
  try {
    play_all();
  } catch (const std::exception& why) {
    meter_.stop();
    view_.close();
    broken_.emplace_back(why.what());
  }
}

void performance::play_all() {
  wait_until("main has lent its thread", 20s, [&] { return is_zero(); });
  meter_.start();
  sleep_to_zero();
  for (int number = 1; number <= bursts; ++number) {
    burst(number);
    sleep_to_zero();
  }
  meter_.stop();
  view_.close();
  print_closing();
  print_zero();
  drop_one_more();
}

void performance::burst(int number) {
  const std::size_t count = food_.planned() * static_cast<std::size_t>(number) / bursts - food_.dropped();
  const auto label = fmt::format("burst {}: {} files", number, grouped(count));
  marks_.push_back({.at = meter_.now(), .label = label});
  view_.enter(fmt::format("burst {}", number));
  food_.drop(count, options_.burst, stop_);
  wait_until("all dropped files are in the table", 60s, [&] {
    return app_.measured.count("summary") >= food_.dropped() && app_.runtime.stats().queued == 0 &&
           count_rows(*app_.rows) == food_.dropped();
  });
}

void performance::sleep_to_zero() {
  marks_.push_back({.at = meter_.now()});
  if (!is_zero()) view_.enter("nothing to do");
  wait_until("the library is at zero", 20s, [&] { return is_zero(); });
  view_.enter("zero");
  const auto rested = std::chrono::steady_clock::now() + options_.rest;
  wait_until("the pause is over", 20s, [&] { return std::chrono::steady_clock::now() >= rested; });
#if !defined(DORMOUSE_PORTABLE_PLATFORM)  // which has to look at the folder every second
  if (!is_zero()) broken_.emplace_back("the library did not stay at zero, though nothing happened");
#endif
}

void performance::print_closing() {
  const auto totals = read_rows(*app_.rows).value();
  const auto reference = run_sha256sum(app_.folder(), totals.digests);
  const auto equal = count_equal(totals.digests, reference);
  const auto planned = food_.planned();
  print_closing_table({.measured = app_.measured,
                       .totals = totals,
                       .history = meter_.history(),
                       .files_expected = planned,
                       .digests = fmt::format("{} of {} equal to sha256sum", grouped(equal), grouped(planned))});
  write_svg(options_.chart,
            {.title = fmt::format("{} files are dropped into a folder, in two bursts", grouped(planned)),
             .history = meter_.history(),
             .marks = marks_});
  if (options_.keeps_chart) fmt::print("chart       {}\n", options_.chart.string());
  if (totals.digests.size() != planned) {
    broken_.push_back(fmt::format("{} files dropped, {} in the table", planned, totals.digests.size()));
  }
  if (equal != planned || reference.size() != planned) {
    broken_.push_back(fmt::format("sha256sum knows {} files; {} digests are equal", reference.size(), equal));
  }
  if (const auto failed = app_.measured.failures(); failed > 0) {
    broken_.push_back(fmt::format("{} invocations failed", failed));
  }
}

// The folder is still watched.
void performance::print_zero() {
  wait_until("only the host's own threads are left", 20s, [&] { return is_zero() && process_threads().size() == 2; });
  const auto stats = app_.runtime.stats();
  std::string names;
  for (const auto& each : process_threads()) names += (names.empty() ? "" : ", ") + each;
  view_.print(fmt::format("zero        threads {}, instances {}; /proc/self/task: {}, the host's own ({})",
                          stats.threads, stats.instances, process_threads().size(), names));
}

void performance::drop_one_more() {
  constexpr std::string_view content = "one more file\n";
  constexpr std::string_view known = "c2c12939e2d6cab44a2f3ca62d3eddd8887bff81ef04b0f361e53bcca354380d";
  const auto key = row_key("one_more.txt");
  food_.drop("one_more.txt", content);
  wait_until("the file dropped at zero is in the table", 20s, [&] { return app_.rows->get(key).value().has_value(); });
  const auto row = app_.rows->get(key).value();
  const auto sha256 = std::get<std::string>(row->item.at("sha256"));
  const auto stats = app_.runtime.stats();
  view_.print(fmt::format("one more    one_more.txt woke it up: threads {}, instances {}, sha256 {}...", stats.threads,
                          stats.instances, sha256.substr(0, 16)));
  if (sha256 != known) broken_.emplace_back("the digest of one_more.txt is wrong");
}

void performance::wait_until(const std::string& what, std::chrono::seconds limit,
                             const std::function<bool()>& is_true) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!is_true()) {
    if (stop_.stop_requested()) throw std::runtime_error("interrupted");
    if (std::chrono::steady_clock::now() >= end) {
      throw std::runtime_error(fmt::format("waited {} s in vain: {}", limit.count(), what));
    }
    std::this_thread::sleep_for(10ms);
  }
}

bool performance::is_zero() const {
  const auto stats = app_.runtime.stats();
  return stats.threads == 0 && stats.instances == 0;
}

}  // namespace watch_folder
