// SPDX-License-Identifier: MIT

#include "support/catch.hpp"

#include <dormouse/adapters/memory_queue.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/queue_conformance.hpp>

#include <memory>

using namespace dormouse;

TEST_CASE("memory_queue conforms", "[adapter][queue][memory]") {
  testing::manual_clock time;
  testing::check_queue_conformance({.make =
                                        [&](const auto& settings) {
                                          return std::make_unique<memory_queue>(
                                              memory_queue_options{.settings = settings, .time = &time});
                                        },
                                    .now = [&] { return time.now(); },
                                    .advance = [&](auto by) { time.advance(by); },
                                    .wall = [&] { return time.wall(); }});
}
