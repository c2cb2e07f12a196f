// SPDX-License-Identifier: MIT

#include "support/catch.hpp"

#include <dormouse/adapters/memory_object_store.hpp>
#include <dormouse/testing/manual_clock.hpp>
#include <dormouse/testing/services/object_store_conformance.hpp>

#include <stdexcept>

using namespace dormouse;

TEST_CASE("memory_object_store conforms", "[adapter][object_store][memory]") {
  testing::manual_clock time;
  testing::check_object_store_conformance(
      {.make_empty = [&] { return std::make_unique<memory_object_store>(memory_object_store_options{.time = &time}); },
       .now = [&] { return time.now(); },
       .advance = [&](auto by) { time.advance(by); }});
}

TEST_CASE("memory_object_store keeps its last changes, and says when some are gone", "[object_store][memory]") {
  memory_object_store store({.changes_max = 3});
  for (const char* key : {"a", "b", "c", "d"}) REQUIRE(store.put(key, ""));
  CHECK(testing::refused(store.changes(0), errc::expired));
  REQUIRE(store.changes(1).value().size() == 3);
  CHECK(store.changes(1).value()[0].info.key == "b");
  CHECK_THROWS_AS(memory_object_store({.changes_max = 0}), std::invalid_argument);
}

TEST_CASE("memory_object_store keeps the positions of a thousand readers", "[object_store][memory]") {
  memory_object_store store;
  for (int who = 0; who < 1'000; ++who) REQUIRE(store.remember(std::to_string(who), 1));
  CHECK(testing::refused(store.remember("one_more", 1), errc::limit_exceeded, failure_reason::store_full));
  CHECK(store.position("one_more").value() == std::nullopt);
  REQUIRE(store.remember("7", 2));
  CHECK(store.position("7").value() == 2U);
}

TEST_CASE("memory_object_store is bounded, and a put beyond a bound changes nothing", "[object_store][memory]") {
  memory_object_store store({.objects_max = 2, .bytes_max = 100});
  REQUIRE(store.put("a", std::string(50, 'x')));
  REQUIRE(store.put("b", ""));
  const auto full = [](const auto& got) {
    return testing::refused(got, errc::limit_exceeded, failure_reason::store_full);
  };
  CHECK(full(store.put("c", "")));
  CHECK(full(store.put("b", std::string(60, 'x'))));
  CHECK(full(store.copy("a", "b")));
  CHECK(testing::refused(store.put("b", std::string(101, 'x')), errc::too_large, failure_reason::value_bytes));
  CHECK(store.head("b").value().size == 0);
  REQUIRE(store.put("a", std::string(98, 'x')));  // in the place of the former one
  CHECK(store.erase("a").value());
  REQUIRE(store.put("b", std::string(99, 'x')));
  CHECK(store.size() == 1);
  CHECK_THROWS_AS(memory_object_store({.objects_max = 0}), std::invalid_argument);
  CHECK_THROWS_AS(memory_object_store({.bytes_max = 0}), std::invalid_argument);
}
