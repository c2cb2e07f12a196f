// SPDX-License-Identifier: MIT

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <dormouse/adapters/sqlite.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/database_conformance.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

using namespace dormouse;

namespace {

std::unique_ptr<database> open(const std::filesystem::path& path, const dormouse::clock& time) {
  return open_sqlite_database(open_sqlite_file({.path = path, .time = &time}).value()).value();
}

}  // namespace

TEST_CASE("sqlite_database conforms, in a file", "[adapter][database][sqlite]") {
  const support::temporary_folder folder;
  testing::manual_clock time;
  int made = 0;
  const auto path = [&] { return folder / (std::to_string(made) + ".db"); };
  testing::check_database_conformance({.make_empty =
                                           [&] {
                                             ++made;
                                             return open(path(), time);
                                           },
                                       .now = [&] { return time.now(); },
                                       .advance = [&](auto by) { time.advance(by); },
                                       .reopen =
                                           [&](std::unique_ptr<database> former) {
                                             former.reset();
                                             return open(path(), time);
                                           }});
}

TEST_CASE("sqlite_database conforms, in memory", "[adapter][database][sqlite]") {
  testing::manual_clock time;
  testing::check_database_conformance({.make_empty = [&] { return open({}, time); },
                                       .now = [&] { return time.now(); },
                                       .advance = [&](auto by) { time.advance(by); }});
}
