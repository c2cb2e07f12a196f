// SPDX-License-Identifier: MIT
// Schedules, and a day of them in a moment: the clock is one that we move.

#include <dormouse/runtime.hpp>
#include <dormouse/testing/simulation.hpp>
#include <dormouse/triggers/on_schedule.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>

using namespace std::chrono_literals;

int main() {
  int reports = 0;
  int beats = 0;
  dormouse::testing::simulation day(1);  // elsewhere: dormouse::runtime runtime;
  dormouse::runtime& runtime = day.host();

  auto report = runtime.define("report", [&](const dormouse::schedule_event& run) {
    ++reports;
    fmt::print("{:%a %H:%M}{}\n", std::chrono::floor<std::chrono::seconds>(run.nominal), run.past_due ? ", late" : "");
  });
  auto beat = runtime.define("beat", [&] { ++beats; });
  runtime.attach(dormouse::on_schedule("0 8-18/2 * * Mon-Fri"), report).value();
  runtime.attach(dormouse::on_schedule("@every 30s"), beat).value();

  day.advance(24h);
  day.time().advance(7 * 24h);  // the machine sleeps for a week: of what was missed, the latest is run
  day.run_ready();
  fmt::print("{} reports, {} beats\n", reports, beats);

  // A bad expression never gets that far.
  fmt::print("{}\n", dormouse::schedule::parse("0 25 * * *").error().detail);
  return reports == 7 && beats == 2 * 60 * 24 + 1 ? 0 : 1;
}
