#include "self_feeding.hpp"

#include "closing_table.hpp"
#include "feeder.hpp"
#include "host.hpp"
#include "performance.hpp"
#include "temporary_folder.hpp"
#include "text_format.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>
#include <vector>

namespace watch_folder {

namespace {

using namespace std::chrono_literals;

feeder_options few_files() {
  return {.repository_files_max = 30, .generated_files = 30, .small_bytes_max = 4'000, .large_bytes_max = 100'000};
}

}  // namespace

int feed_and_watch(const self_feeding_options& options) {
  const temporary_folder place;
  const auto inbox = place.path() / "inbox";
  std::filesystem::create_directory(inbox);
  auto rows = open_rows(options.store, place.path());
  if (!rows) {
    fmt::print(stderr, "watch_folder: cannot open the table: {}\n", dormouse::to_string(rows.error()));
    return EXIT_FAILURE;
  }
  host app(inbox, std::move(*rows), {.idle_timeout = options.quick ? 200ms : 500ms});
  feeder food(inbox, options.quick ? few_files() : feeder_options{});
  if (const auto watched = app.watch(); !watched) {
    fmt::print(stderr, "watch_folder: cannot watch: {}\n", dormouse::to_string(watched.error()));
    return EXIT_FAILURE;
  }

  // run() puts the dispositions back that it found: a second Ctrl-C, while the files are removed, changes nothing.
  const std::vector<int> stop_signals{SIGINT, SIGTERM, SIGHUP};
  for (const int each : stop_signals) std::signal(each, SIG_IGN);

  // The main thread is lent to the library, which then needs none of its own to wait for files. What is shown goes on
  // in a thread of this host.
  fmt::print("watching {}: {} files will be dropped in {} bursts; rows go to {}\n", inbox.string(),
             grouped(food.planned()), bursts, name_of(options.store));
  performance show(app, food,
                   {.burst = options.quick ? 0ms : 2'000ms,
                    .rest = options.quick ? 100ms : 1'000ms,
                    .chart = options.quick ? place.path() / "demo.svg" : options.chart,
                    .keeps_chart = !options.quick});
  std::jthread feeding([&](const std::stop_token& stop) {
    name_this_thread("feeder");
    show.play(stop);
    app.runtime.stop();
  });
  const auto left = app.runtime.run({.stop_on = stop_signals, .drain_for = 5s});
  feeding.request_stop();
  feeding.join();

  if (!left) {
    fmt::print(stderr, "watch_folder: cannot run: {}\n", dormouse::to_string(left.error()));
    return EXIT_FAILURE;
  }
  for (const auto& broken : show.broken()) fmt::print(stderr, "watch_folder: {}\n", broken);
  return show.broken().empty() ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace watch_folder
