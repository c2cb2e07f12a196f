// SPDX-License-Identifier: MIT
// Puts every question to every contender, round by round and in random order, and says what came out.

#include "driver/chart.hpp"
#include "driver/goals.hpp"
#include "driver/programs.hpp"
#include "driver/results.hpp"
#include "driver/tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace {

struct run_settings {
  std::string manifest;
  std::string directory;
  double effort = 1;
  std::size_t rounds = 5;
  std::set<std::string> only;  // questions; empty: all
};

void measure_round(const std::vector<const bench::task*>& tasks, std::size_t round, double effort,
                   bench::measurements& to) {
  for (const bench::task* each : tasks) {
    if (each->rounds_max != 0 && round >= each->rounds_max) continue;
    for (const auto& found : bench::run_task(*each, effort)) {
      to.add(round, {each->question, each->contender, each->variant, found.metric}, found.unit, found.value);
    }
  }
}

// Question by question, so that what is compared was measured within seconds; in each round in another order.
bench::measurements measure(const bench::suite& all, const run_settings& settings) {
  std::map<std::string, std::vector<const bench::task*>> questions;
  for (const auto& each : all.tasks) {
    if (settings.only.empty() || settings.only.contains(each.question)) questions[each.question].push_back(&each);
  }
  bench::measurements found;
  std::mt19937 random(std::random_device{}());
  for (auto& [question, tasks] : questions) {
    const auto begun = std::chrono::steady_clock::now();
    for (std::size_t round = 0; round < settings.rounds; ++round) {
      std::shuffle(tasks.begin(), tasks.end(), random);
      measure_round(tasks, round, settings.effort, found);
    }
    const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    fmt::print(stderr, "{}: {} trials, {} rounds, {:.0f} s\n", question, tasks.size(), settings.rounds, took);
  }
  return found;
}

int run(const run_settings& settings) {
  const auto all = bench::read_suite(settings.manifest);
  for (const auto& gone : all.missing) fmt::print(stderr, "missing: {} (install {})\n", gone.name, gone.package);
  auto found = measure(all, settings);
  bench::add_goal_figures(found);
  const auto rows = found.summary();
  if (rows.empty()) {
    fmt::print(stderr, "nothing was measured\n");
    return 1;
  }
  std::filesystem::create_directories(settings.directory);
  bench::write_json(settings.directory + "/results.json", rows);
  bench::draw_charts(rows, settings.directory);
  bench::print_tables(rows, all.missing);
  fmt::print("\nresults.json and a chart a question: {}\n", settings.directory);
  return 0;
}

int usage(const char* program) {
  fmt::print(stderr,
             "usage: {0} run MANIFEST DIRECTORY EFFORT ROUNDS [QUESTION...]\n"
             "       {0} check RESULTS.json\n"
             "       {0} readme RESULTS.json README.md\n",
             program);
  return 2;
}

}  // namespace

int main(int argc, char** argv) try {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() >= 5 && words[0] == "run") {
    return run({.manifest = words[1],
                .directory = words[2],
                .effort = std::stod(words[3]),
                .rounds = std::stoul(words[4]),
                .only = {words.begin() + 5, words.end()}});
  }
  if (words.size() == 2 && words[0] == "check") {
    const auto all = bench::print_goals(bench::read_json(words[1]));
    fmt::print("{} missed, {} not measured\n", all.missed, all.not_measured);
    return 0;
  }
  if (words.size() == 3 && words[0] == "readme") {
    bench::write_readme_table(bench::read_json(words[1]), words[2]);
    return 0;
  }
  return usage(argv[0]);
} catch (const std::exception& why) {
  fmt::print(stderr, "{}\n", why.what());
  return 1;
}
