// SPDX-License-Identifier: MIT

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <dormouse/adapters/sqlite_messaging.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/queue_conformance.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <string>

using namespace dormouse;

namespace {

// Each in a file of its own, which is opened anew together with it.
class sqlite_queues {
 public:
  testing::queue_harness on_files() {
    auto harness = with_clock();
    harness.make = [this](const auto& settings) { return open(folder_ / (std::to_string(made_++) + ".db"), settings); };
    harness.reopen = [this](std::unique_ptr<queue> closed, const auto& settings) {
      const std::filesystem::path path = paths_.at(closed.get());
      closed.reset();
      return open(path, settings);
    };
    return harness;
  }

  testing::queue_harness in_memory() {
    auto harness = with_clock();
    harness.make = [this](const auto& settings) {
      return open_sqlite_queue(open_sqlite_file({.time = &time_}).value(), {.settings = settings}).value();
    };
    return harness;
  }

 private:
  testing::queue_harness with_clock() {
    testing::queue_harness harness;
    harness.now = [this] { return time_.now(); };
    harness.advance = [this](auto by) { time_.advance(by); };
    harness.wall = [this] { return time_.wall(); };
    return harness;
  }
  std::unique_ptr<queue> open(const std::filesystem::path& path, const queue_settings& settings) {
    auto file = open_sqlite_file({.path = path, .durability = durability_level::process, .time = &time_}).value();
    auto opened = open_sqlite_queue(std::move(file), {.settings = settings}).value();
    paths_[opened.get()] = path;
    return opened;
  }

  testing::manual_clock time_{};
  support::temporary_folder folder_{};
  std::map<const queue*, std::filesystem::path> paths_{};
  int made_ = 0;
};

}  // namespace

TEST_CASE("queues in SQLite files conform", "[adapter][queue][sqlite]") {
  sqlite_queues all;
  testing::check_queue_conformance(all.on_files());
}

TEST_CASE("queues in SQLite's memory conform", "[adapter][queue][sqlite]") {
  sqlite_queues all;
  testing::check_queue_conformance(all.in_memory());
}
