// SPDX-License-Identifier: MIT
// Items as bytes in a file: every kind comes back exactly, and nothing else is taken for an item.

#include "support/catch.hpp"

#include "adapters/sqlite/byte_sum.hpp"
#include "adapters/sqlite/item_codec.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

using namespace dormouse;
using namespace dormouse::sqlite;

namespace {

table_item every_kind() {
  const std::string odd("\0\xff\x80z", 4);
  return {
      {"null", attribute{}},
      {"yes", true},
      {"no", false},
      {"whole", std::int64_t{-3}},
      {"lowest", std::numeric_limits<std::int64_t>::min()},
      {"highest", std::numeric_limits<std::int64_t>::max()},
      {"number", 0.1},
      {"smallest", std::numeric_limits<double>::denorm_min()},
      {"minus nothing", -0.0},
      {"text", std::string(odd)},
      {"empty", ""},
      {"long", std::string(300, 'x')},
      {"bytes", payload(odd)},
      {"list", attribute_list{attribute{}, std::int64_t{1}, attribute_list{}, attribute_map{{"a", true}}}},
      {"map", attribute_map{{"inner", attribute_map{{odd, 1.5}}}, {"none", attribute_map{}}}},
      {"texts", text_set{"", "a", odd}},
      {"numbers", number_set{-5, 0, 7'000'000'000}},
      {odd, "a name of bytes"},
  };
}

std::string bytes_of(const table_item& item) {
  std::string bytes;
  append_item(bytes, item);
  return bytes;
}

bool is_item(std::string_view bytes) {
  table_item item;
  return read_item(bytes, item);
}

attribute nested(std::size_t levels) {
  attribute inner = true;
  for (std::size_t i = 0; i < levels; ++i) inner = attribute_list{std::move(inner)};
  return inner;
}

}  // namespace

TEST_CASE("an item of every kind comes back from its bytes exactly", "[sqlite][codec]") {
  for (const table_item& item : {every_kind(), table_item{}}) {
    table_item back{{"former", "content"}};
    REQUIRE(read_item(bytes_of(item), back));
    CHECK(back == item);
    for (const auto& [name, value] : item) CHECK(back.at(name).kind() == value.kind());
  }
  table_item back;
  REQUIRE(read_item(bytes_of(every_kind()), back));
  CHECK(std::signbit(std::get<double>(back.at("minus nothing"))));
}

TEST_CASE("the bytes of an item are those of every version before", "[sqlite][codec]") {
  const table_item item{{"b", attribute_list{std::int64_t{-1}, 1.0}}, {"a", "x"}, {"n", number_set{300}}};
  const std::string expected(
      "\x03\x01"
      "a\x04\x01x\x01"
      "b\x06\x02\x02\x01\x03\0\0\0\0\0\0\xf0\x3f\x01n\x09\x01\xd8\x04",
      27);
  CHECK(bytes_of(item) == expected);
  CHECK(byte_sum().add("").value() != byte_sum().value());
  CHECK(byte_sum().add("dormouse").add(std::string(100, 'x')).value() == 0xbb2e32f047fb7b29U);
}

TEST_CASE("bytes that are no item are refused, whatever they are", "[sqlite][codec]") {
  const std::string good = bytes_of(every_kind());
  for (std::size_t size = 0; size < good.size(); ++size) CHECK_FALSE(is_item(good.substr(0, size)));
  CHECK_FALSE(is_item(good + '\0'));
  CHECK_FALSE(
      is_item(std::string("\x01\x01"
                          "a\x0a",
                          4)));  // no such kind
  CHECK_FALSE(
      is_item(std::string("\x02\x01"
                          "b\x00\x01"
                          "a\x00",
                          7)));  // names out of order
  CHECK_FALSE(
      is_item(std::string("\x02\x01"
                          "a\x00\x01"
                          "a\x00",
                          7)));  // twice the same
  CHECK_FALSE(
      is_item("\x01\x01"
              "a\x01\x02"));                                     // neither false nor true
  CHECK_FALSE(is_item(std::string("\x81\x00", 2)));              // a count of more bytes than it needs
  CHECK_FALSE(is_item("\xff\xff\xff\xff\xff\xff\xff\xff\x7f"));  // more elements than bytes
  CHECK_FALSE(is_item("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"));
  CHECK_FALSE(is_item(bytes_of({{"n", std::numeric_limits<double>::infinity()}})));
  CHECK(is_item(bytes_of({{"deep", nested(table::item_levels_max)}})));
  CHECK_FALSE(is_item(bytes_of({{"deep", nested(table::item_levels_max + 2)}})));
  CHECK_FALSE(
      is_item("\x01\x01"
              "a" +
              std::string(100'000, '\x06')));
}

TEST_CASE("any bytes at all are read without harm", "[sqlite][codec]") {
  std::mt19937 random(7);
  const std::string good = bytes_of(every_kind());
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good;
    for (int changes = 0; changes < 3; ++changes) bytes[random() % bytes.size()] = static_cast<char>(random());
    table_item item;
    if (read_item(bytes, item)) CHECK(bytes_of(item) == bytes);  // one item, one way to write it
  }
}

TEST_CASE("a row with a changed bit, or at another key, version or time, is corrupt", "[sqlite][codec]") {
  const row_head head{.partition = "p", .sort = "s", .version = 7, .expires_at = 5};
  const table_item item{{"text", std::string(150, 'x')}, {"number", 1.5}};
  const std::string row = sealed_row(head, item);
  REQUIRE(opened_row(head, row));
  CHECK(*opened_row(head, row) == bytes_of(item));
  for (std::size_t bit = 0; bit < 8 * row.size(); ++bit) {
    std::string changed = row;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    const auto got = opened_row(head, changed);
    REQUIRE_FALSE(got);
    CHECK(got.error().code == errc::corruption);
  }
  for (std::size_t size = 0; size < row.size(); ++size) CHECK_FALSE(opened_row(head, row.substr(0, size)));
  CHECK_FALSE(opened_row({.partition = "q", .sort = "s", .version = 7, .expires_at = 5}, row));
  CHECK_FALSE(opened_row({.partition = "ps", .sort = "", .version = 7, .expires_at = 5}, row));
  CHECK_FALSE(opened_row({.partition = "p", .sort = "s", .version = 8, .expires_at = 5}, row));
  CHECK_FALSE(opened_row({.partition = "p", .sort = "s", .version = 7, .expires_at = 6}, row));
  CHECK_FALSE(opened_row({.partition = "p", .sort = "s", .version = 7}, row));
}

TEST_CASE("a record that belongs to something else is corrupt", "[sqlite][codec]") {
  const table_item item{{"a", std::int64_t{1}}};
  const std::string record = sealed_record("orders", item);
  REQUIRE(opened_record("orders", record));
  CHECK(*opened_record("orders", record) == item);
  CHECK_FALSE(opened_record("order", record));
  CHECK_FALSE(opened_record("orders", "orders"));
}
