// SPDX-License-Identifier: MIT
// The library: its table in a SQLite file.

#include <dormouse/adapters/sqlite.hpp>

#include "table/items.hpp"

#include <memory>

namespace {

struct file_table {
  file_table(const std::filesystem::path& path, bool power) {
    const auto level = power ? dormouse::durability_level::power : dormouse::durability_level::process;
    store =
        dormouse::open_sqlite_table(dormouse::open_sqlite_file({.path = path, .durability = level}).value()).value();
  }
  void put(const bench::order& what) { bench::put_into(*store, what); }
  bench::order get(std::string_view name) { return bench::get_from(*store, name); }
  std::unique_ptr<dormouse::table> store;
};

}  // namespace

int main(int argc, char** argv) { return bench::run_trials(argc, argv, bench::file_trials<file_table>()); }
