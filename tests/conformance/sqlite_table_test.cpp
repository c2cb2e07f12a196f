// SPDX-License-Identifier: MIT

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <dormouse/adapters/sqlite.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/table_conformance.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <string>

using namespace dormouse;

namespace {

// Each in a file of its own, which is opened anew together with it.
class sqlite_tables {
 public:
  explicit sqlite_tables(durability_level durability) : durability_(durability) {}

  testing::table_harness on_files() {
    auto harness = with_clock();
    harness.make = [this](const auto& schema) { return open(folder_ / (std::to_string(made_++) + ".db"), schema); };
    harness.reopen = [this](std::unique_ptr<table> closed, const auto& schema) {
      const std::filesystem::path path = paths_.at(closed.get());
      closed.reset();
      return open(path, schema);
    };
    return harness;
  }

  testing::table_harness in_memory() {
    auto harness = with_clock();
    harness.make = [this](const auto& schema) {
      return open_sqlite_table(open_sqlite_file({.time = &time_}).value(), {.schema = schema}).value();
    };
    return harness;
  }

 private:
  testing::table_harness with_clock() {
    testing::table_harness harness;
    harness.now = [this] { return time_.now(); };
    harness.advance = [this](auto by) { time_.advance(by); };
    harness.wall = [this] { return time_.wall(); };
    return harness;
  }
  std::unique_ptr<table> open(const std::filesystem::path& path, const table_schema& schema) {
    auto file = open_sqlite_file({.path = path, .durability = durability_, .time = &time_}).value();
    auto opened = open_sqlite_table(std::move(file), {.schema = schema}).value();
    paths_[opened.get()] = path;
    return opened;
  }

  const durability_level durability_;
  testing::manual_clock time_{};
  support::temporary_folder folder_{};
  int made_ = 0;
  std::map<const table*, std::filesystem::path> paths_{};
};

}  // namespace

TEST_CASE("a table of a SQLite file conforms", "[adapter][table][sqlite]") {
  sqlite_tables tables(durability_level::process);
  testing::check_table_conformance(tables.on_files());
}

TEST_CASE("a table of a SQLite file that syncs every commit conforms", "[adapter][table][sqlite]") {
  sqlite_tables tables(durability_level::power);
  testing::check_table_conformance(tables.on_files());
}

TEST_CASE("a table of a SQLite file in memory conforms", "[adapter][table][sqlite]") {
  sqlite_tables tables(durability_level::process);
  testing::check_table_conformance(tables.in_memory());
}
