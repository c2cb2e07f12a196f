// SPDX-License-Identifier: MIT
// Hash and comparison of names: every byte of every length counts, and neighbours spread over a table.

#include "support/catch.hpp"

#include <dormouse/detail/name_hash.hpp>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

using dormouse::detail::name_hash;
using dormouse::detail::same_name;

TEST_CASE("names are the same when every byte is, whatever their length", "[names]") {
  for (std::size_t size = 0; size <= 130; ++size) {
    const std::string one(size, 'a');
    std::string other(size, 'a');
    REQUIRE(same_name(one, other));
    REQUIRE(name_hash(one) == name_hash(other));
    REQUIRE_FALSE(same_name(one, other + 'a'));
    for (char& each : other) {
      each = 'b';
      REQUIRE_FALSE(same_name(one, other));
      REQUIRE(name_hash(one) != name_hash(other));
      each = 'a';
    }
  }
}

TEST_CASE("names that are numbered spread over a table, and hash apart", "[names]") {
  constexpr std::size_t count = 1U << 16U;
  std::vector<unsigned> places(count);
  std::unordered_set<std::uint32_t> all;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t hash = name_hash("function-" + std::to_string(i));
    ++places[hash % count];
    all.insert(hash);
  }
  // Random places: 1/e of them stay empty, none has more than some ten; random hashes: half a pair meets.
  const auto empty = static_cast<std::size_t>(std::count(places.begin(), places.end(), 0U));
  CHECK(empty > count * 35 / 100);
  CHECK(empty < count * 39 / 100);
  CHECK(*std::max_element(places.begin(), places.end()) <= 12);
  CHECK(all.size() >= count - 8);
}

TEST_CASE("the shortest names hash apart", "[names]") {
  std::set<std::uint32_t> all;
  std::size_t count = 0;
  for (char first = 'a'; first <= 'z'; ++first) {
    all.insert(name_hash(std::string{first}));
    ++count;
    for (char second = 'a'; second <= 'z'; ++second) {
      all.insert(name_hash(std::string{first, second}));
      all.insert(name_hash(std::string{first, second, second}));
      all.insert(name_hash(std::string{first, first, second}));
      count += second == first ? 2 : 3;
    }
  }
  CHECK(all.size() == count);
}
