// SPDX-License-Identifier: MIT

#include "support/catch.hpp"

#include <dormouse/adapters/memory_table.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/table_conformance.hpp>

using namespace dormouse;

TEST_CASE("memory_table conforms", "[adapter][table][memory]") {
  testing::manual_clock time;
  testing::check_table_conformance({.make =
                                        [&](const auto& schema) {
                                          return std::make_unique<memory_table>(
                                              memory_table_options{.schema = schema, .time = &time});
                                        },
                                    .now = [&] { return time.now(); },
                                    .advance = [&](auto by) { time.advance(by); },
                                    .wall = [&] { return time.wall(); }});
}
