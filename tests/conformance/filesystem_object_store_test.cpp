// SPDX-License-Identifier: MIT

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <dormouse/adapters/filesystem_object_store.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/object_store_conformance.hpp>

#include <memory>
#include <string>

using namespace dormouse;

TEST_CASE("the file system's object store conforms", "[adapter][object_store][filesystem]") {
  const auto durability = GENERATE(durability_level::power, durability_level::process);
  testing::manual_clock time;
  const support::temporary_folder folder;
  int made = 0;
  const auto open = [&] {
    const auto root = folder / std::to_string(made);
    return open_filesystem_object_store({.root = root, .durability = durability, .time = &time}).value();
  };
  testing::check_object_store_conformance({.make_empty =
                                               [&] {
                                                 ++made;
                                                 return open();
                                               },
                                           .now = [&] { return time.now(); },
                                           .advance = [&](auto by) { time.advance(by); },
                                           .reopen =
                                               [&](std::unique_ptr<object_store> closed) {
                                                 closed.reset();
                                                 return open();
                                               }});
}
