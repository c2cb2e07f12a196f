#include "user_folder.hpp"

#include "closing_table.hpp"
#include "host.hpp"
#include "reference_digests.hpp"
#include "svg_chart.hpp"
#include "temporary_folder.hpp"
#include "text_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace watch_folder {

namespace {

using namespace std::chrono_literals;

// Of any size: sha256sum reads it all again while the user waits.
std::string compare_digests(const row_totals& totals, const std::filesystem::path& folder) {
  constexpr std::int64_t bytes_max = 1'000'000'000;
  if (totals.sums.bytes > bytes_max) return "not compared with sha256sum: more than 1 GB";
  const auto equal = count_equal(totals.digests, run_sha256sum(folder, totals.digests));
  return fmt::format("{} of {} equal to sha256sum", grouped(equal), grouped(totals.digests.size()));
}

void print_unfinished(const std::vector<dormouse::unfinished>& unfinished) {
  if (!unfinished.empty()) fmt::print("{} invocations had not ended and were given up\n", unfinished.size());
}

}  // namespace

int watch_until_interrupted(const std::filesystem::path& folder, row_store store, const std::filesystem::path& chart) {
  const temporary_folder place;
  auto rows = open_rows(store, place.path());
  if (!rows) {
    fmt::print(stderr, "watch_folder: cannot open the table: {}\n", dormouse::to_string(rows.error()));
    return EXIT_FAILURE;
  }
  host app(folder, std::move(*rows), {});
  if (const auto watched = app.watch(); !watched) {
    fmt::print(stderr, "watch_folder: cannot watch: {}\n", dormouse::to_string(watched.error()));
    return EXIT_FAILURE;
  }
  live_view view("watching");
  view.print(fmt::format("watching {}; Ctrl-C ends", folder.string()));
  meter meter(app.runtime, [&](const moment& now) { view.show(now, {.done = app.measured.count("summary")}); });
  meter.start();
  const auto left = app.runtime.run({.stop_on = {SIGINT, SIGTERM, SIGHUP}, .drain_for = 2s});
  meter.stop();
  view.close();
  if (!left) {
    fmt::print(stderr, "watch_folder: cannot run: {}\n", dormouse::to_string(left.error()));
    return EXIT_FAILURE;
  }

  const auto totals = read_rows(*app.rows).value();
  print_closing_table({.measured = app.measured,
                       .totals = totals,
                       .history = meter.history(),
                       .digests = compare_digests(totals, folder)});
  write_svg(chart, {.title = "A folder is watched until Ctrl-C", .history = meter.history()});
  fmt::print("chart       {}\n", chart.string());
  print_unfinished(*left);
  const auto is_running = [](const auto& each) { return each.state == dormouse::unfinished_state::running; };
  if (std::any_of(left->begin(), left->end(), is_running)) {
    std::fflush(stdout);
    std::_Exit(EXIT_SUCCESS);  // a handler is still inside a large file, and uses what would be destroyed here
  }
  return EXIT_SUCCESS;
}

}  // namespace watch_folder
