// SPDX-License-Identifier: MIT

#include "support/catch.hpp"

#include <dormouse/services/condition.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

using namespace dormouse;

namespace {

const table_item ann{
    {"name", "ann"},
    {"age", std::int64_t{40}},
    {"height", 1.5},
    {"paid", true},
    {"nothing", {}},
    {"photo", payload("\x01\x80")},
    {"address", attribute_map{{"street", "Elm"}, {"houses", attribute_list{std::int64_t{3}, "b"}}}},
    {"tags", text_set{"new", "vip"}},
    {"years", number_set{1999, 2001}},
    {"list", attribute_list{"a", attribute_map{{"deep", std::int64_t{7}}}, 2.0}},
};

bool holds(const condition& what) {
  REQUIRE(what.is_within_limits());
  return what.holds(&ann);
}

const attribute kinds[]{{},
                        true,
                        std::int64_t{1},
                        1.5,
                        "1",
                        payload("1"),
                        attribute_list{std::int64_t{1}},
                        attribute_map{{"1", std::int64_t{1}}},
                        text_set{"1"},
                        number_set{1}};

// Every comparison, of one value with another: has it the truth that an order (-1, 0, 1; 2: none, unequal; 3: none,
// equal) gives it?
bool is_ordered(const attribute& a, const attribute& b, int order) {
  const operand one(a);
  const operand other(b);
  const bool equal = order == 0 || order == 3;
  return holds(one == other) == equal && holds(one != other) == !equal && holds(one < other) == (order == -1) &&
         holds(one <= other) == (order == -1 || order == 0) && holds(one > other) == (order == 1) &&
         holds(one >= other) == (order == 1 || order == 0);
}

}  // namespace

TEST_CASE("a condition that says nothing is always true", "[condition]") {
  CHECK(condition().is_always());
  CHECK(condition().holds(nullptr));
  CHECK(holds(condition()));
  CHECK_FALSE(field("name").exists().is_always());
  CHECK_FALSE((!condition()).is_always());
  CHECK_FALSE(holds(!condition()));
}

TEST_CASE("values are ordered within their kind only", "[condition]") {
  CHECK(is_ordered("a", "b", -1));
  CHECK(is_ordered("b", "b", 0));
  CHECK(is_ordered("b", "a\xff", 1));
  CHECK(is_ordered("a", "\x80", -1));  // unsigned bytes
  CHECK(is_ordered("a", "aa", -1));
  CHECK(is_ordered(payload("\x7f"), payload("\x80"), -1));
  CHECK(is_ordered(payload(std::string("a\0", 2)), payload("a"), 1));
  CHECK(is_ordered(std::int64_t{-1}, std::int64_t{1}, -1));
  CHECK(is_ordered(-1.5, 1.5, -1));
  CHECK(is_ordered({}, {}, 3));
  CHECK(is_ordered(true, true, 3));
  CHECK(is_ordered(false, true, 2));
  CHECK(is_ordered(text_set{"a"}, text_set{"a"}, 3));
  CHECK(is_ordered(text_set{"a"}, text_set{"b"}, 2));
  CHECK(is_ordered(number_set{1, 2}, number_set{2, 1}, 3));
  CHECK(is_ordered(number_set{1}, number_set{1, 2}, 2));
  for (const auto& a : kinds) {
    for (const auto& b : kinds) {
      if (a.kind() == b.kind()) continue;
      const bool numbers = a.kind() == attribute_kind::whole_number && b.kind() == attribute_kind::number;
      const bool reversed = a.kind() == attribute_kind::number && b.kind() == attribute_kind::whole_number;
      INFO(a.index() << " with " << b.index());
      CHECK(is_ordered(a, b, numbers ? -1 : reversed ? 1 : 2));
    }
  }
}

TEST_CASE("whole numbers and numbers compare by exact value", "[condition]") {
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t greatest = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t beyond = (std::int64_t{1} << 53U) + 1;
  const std::pair<std::pair<std::int64_t, double>, int> all[]{
      {{1, 1.0}, 0},
      {{0, -0.0}, 0},
      {{1, 1.5}, -1},
      {{2, 1.5}, 1},
      {{-1, -1.5}, 1},
      {{-2, -1.5}, -1},
      {{0, 0.5}, -1},
      {{0, -0.5}, 1},
      {{0, std::numeric_limits<double>::denorm_min()}, -1},
      {{beyond, 0x1p53}, 1},  // equal, if it were made a double
      {{beyond, 0x1p53 + 2}, -1},
      {{beyond - 1, 0x1p53}, 0},
      {{greatest, 0x1p63}, -1},
      {{greatest, 0x1.fffffffffffffp62}, 1},
      {{least, -0x1p63}, 0},
      {{least, -0x1.0000000000001p63}, 1},
      {{greatest, std::numeric_limits<double>::infinity()}, -1},
      {{least, -std::numeric_limits<double>::infinity()}, 1},
  };
  for (const auto& [two, order] : all) {
    INFO(two.first << " with " << two.second);
    CHECK(is_ordered(two.first, two.second, order));
    CHECK(is_ordered(two.second, two.first, -order));
    CHECK(holds(operand(attribute_list{two.first}) == operand(attribute_list{two.second})) == (order == 0));
    CHECK(holds(operand(attribute_map{{"n", two.first}}) == operand(attribute_map{{"n", two.second}})) == (order == 0));
  }
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(is_ordered(std::int64_t{0}, nan, 2));
  CHECK(is_ordered(nan, std::int64_t{0}, 2));
  CHECK(is_ordered(nan, 0.0, 2));
}

TEST_CASE("lists and maps are equal when all that is in them is", "[condition]") {
  CHECK(is_ordered(attribute_list{"a", 1.0}, attribute_list{"a", std::int64_t{1}}, 3));
  CHECK(is_ordered(attribute_list{"a"}, attribute_list{"a", "b"}, 2));
  CHECK(is_ordered(attribute_list{"a", "b"}, attribute_list{"b", "a"}, 2));
  CHECK(is_ordered(attribute_list{}, attribute_list{}, 3));
  CHECK(is_ordered(attribute_map{{"a", attribute_list{1.0}}}, attribute_map{{"a", attribute_list{1}}}, 3));
  CHECK(is_ordered(attribute_map{{"a", 1}}, attribute_map{{"b", 1}}, 2));
  CHECK(is_ordered(attribute_map{{"a", 1}}, attribute_map{{"a", 1}, {"b", 1}}, 2));
}

TEST_CASE("attributes are compared with values, and with each other", "[condition]") {
  CHECK(holds(field("name") == "ann"));
  CHECK(holds("ann" == field("name")));
  CHECK(holds(field("name") == std::string("ann")));
  CHECK(holds(field("age") >= 40));
  CHECK(holds(39 < field("age")));
  CHECK(holds(field("age") > field("height")));
  CHECK(holds(field("age") == field("age")));
  CHECK_FALSE(holds(field("age") == field("name")));
  CHECK(holds(field("paid") == true));
  CHECK_FALSE(holds(field("paid") == 1));
  CHECK(holds(field("nothing") == attribute()));
  CHECK(holds(field("photo") == payload("\x01\x80")));
  CHECK_FALSE(holds(field("photo") == "\x01\x80"));
  CHECK(holds(field("tags") == text_set{"vip", "new"}));
}

TEST_CASE("an attribute that is not there is unequal to everything and in no order to anything", "[condition]") {
  const std::vector<field> absent{field("x"),
                                  field("x")["y"],
                                  field("address")["x"],
                                  field("address")[0],
                                  field("list")["a"],
                                  field("list")[3],
                                  field("list")[std::numeric_limits<std::size_t>::max()],
                                  field("name")["a"],
                                  field("name")[0],
                                  field("")};
  for (const auto& each : absent) {
    for (const operand& other : {operand("ann"), operand(attribute()), operand(field("name")), operand(field("x"))}) {
      CHECK_FALSE(holds(each == other));
      CHECK(holds(each != other));
      CHECK(holds(other != each));
      CHECK_FALSE(holds(each < other));
      CHECK_FALSE(holds(each <= other));
      CHECK_FALSE(holds(each > other));
      CHECK_FALSE(holds(each >= other));
      CHECK_FALSE(holds(other < each));
    }
    CHECK_FALSE(holds(each.exists()));
    CHECK_FALSE(holds(each.is(attribute_kind::null)));
    CHECK_FALSE(holds(each.between("", "z")));
    CHECK_FALSE(holds(each.in({attribute()})));
    CHECK_FALSE(holds(each.begins_with("")));
    CHECK_FALSE(holds(each.contains("")));
    CHECK_FALSE(holds(each.size() >= 0));
    CHECK(holds(each.size() != 0));
  }
}

TEST_CASE("of an item that is not there, no attribute is", "[condition]") {
  CHECK_FALSE(field("name").exists().holds(nullptr));
  CHECK((!field("name").exists()).holds(nullptr));
  CHECK((field("name") != "ann").holds(nullptr));
  CHECK_FALSE((field("name") == "ann").holds(nullptr));
  CHECK((operand("a") < "b").holds(nullptr));
}

TEST_CASE("paths lead through maps and lists", "[condition]") {
  CHECK(holds(field("address")["street"] == "Elm"));
  CHECK(holds(field("address")["houses"][0] == 3));
  CHECK(holds(field("address")["houses"][1] == "b"));
  CHECK(holds(field("list")[1]["deep"] > field("address")["houses"][0]));
  CHECK((field("list")[1]["deep"].path() == attribute_path{std::string("list"), std::size_t{1}, std::string("deep")}));
  const field list("list");
  CHECK(holds(list[0] == "a" && list[2] == 2));  // `list` itself stays as it is
}

TEST_CASE("functions of an attribute", "[condition]") {
  SECTION("exists and is") {
    CHECK(holds(field("nothing").exists()));
    const std::pair<const char*, attribute_kind> all[]{
        {"nothing", attribute_kind::null},  {"paid", attribute_kind::truth},  {"age", attribute_kind::whole_number},
        {"height", attribute_kind::number}, {"name", attribute_kind::text},   {"photo", attribute_kind::bytes},
        {"list", attribute_kind::list},     {"address", attribute_kind::map}, {"tags", attribute_kind::texts},
        {"years", attribute_kind::numbers}};
    for (const auto& [name, kind] : all) {
      for (const auto& [other_name, other] : all) CHECK(holds(field(name).is(other)) == (kind == other));
    }
  }
  SECTION("between: both ends are in") {
    CHECK(holds(field("age").between(40, 41)));
    CHECK(holds(field("age").between(39.5, 40.0)));
    CHECK_FALSE(holds(field("age").between(41, 50)));
    CHECK_FALSE(holds(field("age").between(50, 30)));
    CHECK_FALSE(holds(field("age").between("", 50)));
    CHECK(holds(field("age").between(field("years").size(), field("age"))));
    CHECK_FALSE(holds(field("age").between(field("x"), 50)));
    CHECK_FALSE(holds(field("age").between(0, field("x"))));
    CHECK_FALSE(holds(field("paid").between(false, true)));
  }
  SECTION("in: 1 to 100 values") {
    CHECK(holds(field("name").in({"bob", "ann"})));
    CHECK(holds(field("age").in({"bob", 40.0})));
    CHECK_FALSE(holds(field("name").in({"bob"})));
    CHECK(holds(field("list").in({attribute(attribute_list{"a", attribute_map{{"deep", 7}}, 2})})));
    CHECK(field("name").in(std::vector<attribute>(100, "ann")).is_within_limits());
    CHECK_FALSE(field("name").in(std::vector<attribute>(101, "ann")).is_within_limits());
    CHECK_FALSE(field("name").in({}).is_within_limits());
    CHECK_FALSE(field("name").in({}).holds(&ann));
  }
  SECTION("begins_with") {
    CHECK(holds(field("name").begins_with("an")));
    CHECK(holds(field("name").begins_with("")));
    CHECK(holds(field("name").begins_with("ann")));
    CHECK_FALSE(holds(field("name").begins_with("anna")));
    CHECK_FALSE(holds(field("name").begins_with("n")));
    CHECK_FALSE(holds(field("name").begins_with(payload("an"))));
    CHECK(holds(field("photo").begins_with(payload("\x01"))));
    CHECK_FALSE(holds(field("photo").begins_with("\x01")));
    CHECK_FALSE(holds(field("age").begins_with(4)));
    CHECK_FALSE(holds(field("list").begins_with("a")));
  }
  SECTION("contains") {
    CHECK(holds(field("name").contains("nn")));
    CHECK_FALSE(holds(field("name").contains("na")));
    CHECK_FALSE(holds(field("name").contains(payload("nn"))));
    CHECK(holds(field("photo").contains(payload("\x80"))));
    CHECK(holds(field("list").contains("a")));
    CHECK(holds(field("list").contains(2)));
    CHECK(holds(field("list").contains(attribute_map{{"deep", 7.0}})));
    CHECK_FALSE(holds(field("list").contains(7)));
    CHECK(holds(field("tags").contains("vip")));
    CHECK_FALSE(holds(field("tags").contains("vi")));
    CHECK_FALSE(holds(field("tags").contains(1)));
    CHECK(holds(field("years").contains(1999)));
    CHECK(holds(field("years").contains(1999.0)));
    CHECK_FALSE(holds(field("years").contains(1999.5)));
    CHECK_FALSE(holds(field("years").contains("1999")));
    CHECK_FALSE(holds(field("age").contains(40)));
    CHECK_FALSE(holds(field("address").contains("street")));
  }
  SECTION("size") {
    CHECK(holds(field("name").size() == 3));
    CHECK(holds(field("photo").size() == 2));
    CHECK(holds(field("list").size() == 3));
    CHECK(holds(field("address").size() == 2));
    CHECK(holds(field("tags").size() > 1));
    CHECK(holds(field("years").size() <= field("name").size()));
    CHECK(holds(field("address")["houses"].size() == 2));
    for (const char* sizeless : {"age", "height", "paid", "nothing"}) {
      CHECK_FALSE(holds(field(sizeless).size() >= 0));
      CHECK(holds(field(sizeless).size() != 0));
    }
  }
}

TEST_CASE("conditions are joined and turned round", "[condition]") {
  const condition yes = field("name").exists();
  const condition no = field("x").exists();
  CHECK(holds(yes && yes));
  CHECK_FALSE(holds(yes && no));
  CHECK_FALSE(holds(no && yes));
  CHECK(holds(yes || no));
  CHECK(holds(no || yes));
  CHECK_FALSE(holds(no || no));
  CHECK_FALSE(holds(!yes));
  CHECK(holds(!no));
  CHECK(holds(!!yes));
  CHECK(holds(!(yes && no)));
  CHECK_FALSE(holds(!(yes || no)));
  CHECK(holds((no && no) || yes));  // not one chain
  CHECK_FALSE(holds(no && (no || yes)));
  CHECK(holds(no || (yes && (yes || no) && yes)));
  CHECK(holds(condition() && yes));
  CHECK_FALSE(holds(no && condition()));
  CHECK((condition() || no).is_always());
  CHECK((no || condition()).is_always());
  CHECK((condition() && condition()).is_always());
}

TEST_CASE("a condition has at most 300 operators and 32 levels", "[condition]") {
  const condition yes = field("name").exists();
  SECTION("operators: a chain of && or || is one level") {
    condition all = yes;
    condition any = yes;
    condition before = yes;
    for (int i = 1; i < 150; ++i) {
      all = all && yes;
      any = yes || any;
      before = i % 2 == 0 ? before && yes : yes && before;
    }
    CHECK(holds(all));  // 150 of yes, 149 of &&
    CHECK(holds(any));
    CHECK(holds(before));
    CHECK_FALSE(holds(!all));  // 300
    CHECK_FALSE((!!all).is_within_limits());
    CHECK_FALSE((all && yes).is_within_limits());
    CHECK_FALSE((yes || any).is_within_limits());
    CHECK_FALSE((all && all).is_within_limits());
  }
  SECTION("levels") {
    condition deep = yes;
    for (int i = 1; i < 32; ++i) deep = !deep;
    CHECK(!holds(deep));
    CHECK_FALSE((!deep).is_within_limits());
    CHECK_FALSE((deep && yes).is_within_limits());
    CHECK_FALSE((yes || deep).is_within_limits());
    condition nested = yes;
    for (int i = 1; i < 32; ++i) nested = i % 2 == 0 ? nested && yes : nested || yes;
    CHECK(holds(nested));
    CHECK_FALSE((nested && yes).is_within_limits());
  }
  SECTION("what is beyond stays beyond, whatever is put to it") {
    const condition beyond = field("name").in({});
    for (const auto& each : {!beyond, beyond && yes, yes && beyond, beyond || yes, yes || beyond, beyond && condition(),
                             beyond || condition(), condition() || beyond}) {
      CHECK_FALSE(each.is_within_limits());
      CHECK_FALSE(each.holds(&ann));
    }
  }
}

TEST_CASE("a chain of 100,000 conditions is refused, and neither it nor its end takes a deep stack", "[condition]") {
  const condition yes = field("name").exists();
  condition all = yes;
  condition any = yes;
  condition no = yes;
  condition mixed = yes;
  for (int i = 0; i < 100'000; ++i) {
    all = all && yes;
    any = yes || any;
    no = !no;
    mixed = i % 2 == 0 ? mixed && yes : yes || mixed;
  }
  for (const auto& each : {all, any, no, mixed}) {
    CHECK_FALSE(each.is_within_limits());
    CHECK_FALSE(each.holds(&ann));
  }
}
