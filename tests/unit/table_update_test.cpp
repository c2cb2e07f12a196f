// SPDX-License-Identifier: MIT

#include "support/catch.hpp"

#include <dormouse/services/table_update.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

using namespace dormouse;

namespace {

const table_item ann{
    {"name", "ann"},
    {"visits", std::int64_t{5}},
    {"height", 1.5},
    {"tags", text_set{"new", "vip"}},
    {"years", number_set{1999}},
    {"list", attribute_list{"a", "b", "c"}},
    {"address", attribute_map{{"street", "Elm"}, {"houses", attribute_list{attribute_map{{"n", std::int64_t{3}}}}}}},
};

// ann, after it.
table_item after(const table_update& what) {
  table_item item = ann;
  REQUIRE(what.apply(item));
  return item;
}

attribute after(const table_update& what, const char* name) { return after(what).at(name); }

// Refused by apply(), with nothing done?
bool is_refused(const table_update& what) {
  table_item item = ann;
  const auto got = what.apply(item);
  return !got && got.error().code == errc::invalid_argument && got.error().effect == effect_kind::not_applied &&
         !got.error().detail.empty() && item == ann;
}

// By check() already, which sees no item?
bool is_wrong(const table_update& what) { return !what.check() && is_refused(what); }

// Only by apply()?
bool is_unfit(const table_update& what) { return what.check() && is_refused(what); }

}  // namespace

TEST_CASE("an update without actions does nothing", "[table_update]") {
  CHECK(table_update().check());
  CHECK(after(table_update()) == ann);
}

TEST_CASE("set replaces or adds, wherever there is a map or a list for it", "[table_update]") {
  CHECK(after(table_update().set(field("name"), "bob"), "name") == attribute("bob"));
  CHECK(after(table_update().set(field("name"), {}), "name") == attribute());
  CHECK(after(table_update().set(field("new"), 1.5), "new") == attribute(1.5));
  CHECK(after(table_update().set(field("new"), 1.5)).size() == ann.size() + 1);
  const auto moved = std::get<attribute_map>(after(table_update().set(field("address")["street"], "Oak"), "address"));
  CHECK((moved.at("street") == attribute("Oak") && moved.size() == 2));
  CHECK(std::get<attribute_map>(after(table_update().set(field("address")["town"], "Ulm"), "address")).size() == 3);
  CHECK(after(table_update().set(field("list")[1], "B"), "list") == attribute(attribute_list{"a", "B", "c"}));
  const auto house =
      std::get<attribute_map>(after(table_update().set(field("address")["houses"][0]["n"], 4), "address"));
  CHECK((house.at("houses") == attribute(attribute_list{attribute_map{{"n", std::int64_t{4}}}})));
}

TEST_CASE("a position beyond the end of a list is its end, several in the order of positions", "[table_update]") {
  CHECK(after(table_update().set(field("list")[3], "d"), "list") == attribute(attribute_list{"a", "b", "c", "d"}));
  CHECK(after(table_update().set(field("list")[std::numeric_limits<std::size_t>::max()], "d"), "list") ==
        attribute(attribute_list{"a", "b", "c", "d"}));
  CHECK(after(table_update().set(field("list")[9], "z").set(field("list")[4], "y").set(field("list")[0], "A"),
              "list") == attribute(attribute_list{"A", "b", "c", "y", "z"}));
  CHECK(after(table_update().increment(field("list")[7], 2), "list") ==
        attribute(attribute_list{"a", "b", "c", std::int64_t{2}}));
  CHECK(after(table_update().remove(field("list")[3])) == ann);
}

TEST_CASE("set_if_absent does nothing to what is there, null included", "[table_update]") {
  CHECK(after(table_update().set_if_absent(field("name"), "bob")) == ann);
  CHECK(after(table_update().set_if_absent(field("list")[2], "bob")) == ann);
  CHECK(after(table_update().set_if_absent(field("new"), "bob"), "new") == attribute("bob"));
  table_item item{{"null", {}}};
  REQUIRE(table_update().set_if_absent(field("null"), "bob").apply(item));
  CHECK(item.at("null") == attribute());
}

TEST_CASE("remove takes away what is there", "[table_update]") {
  CHECK(after(table_update().remove(field("name"))).count("name") == 0);
  CHECK(after(table_update().remove(field("x"))) == ann);
  CHECK(after(table_update().remove(field("address")["x"])) == ann);
  CHECK(std::get<attribute_map>(after(table_update().remove(field("address")["street"]), "address")).size() == 1);
  CHECK(after(table_update().remove(field("list")[0]), "list") == attribute(attribute_list{"b", "c"}));
  CHECK(after(table_update().remove(field("list")[0]).remove(field("list")[1]), "list") ==
        attribute(attribute_list{"c"}));
  CHECK(after(table_update().remove(field("list")[2]).remove(field("list")[0]), "list") ==
        attribute(attribute_list{"b"}));
}

TEST_CASE("increment adds numbers, from 0 if there is none", "[table_update]") {
  const auto sum = [](const char* name, attribute by) {
    return after(table_update().increment(field(name), std::move(by)), name);
  };
  CHECK(sum("visits", 1) == attribute(std::int64_t{6}));
  CHECK(sum("visits", -7) == attribute(std::int64_t{-2}));
  CHECK(sum("visits", 0.5) == attribute(5.5));
  CHECK(sum("height", 1) == attribute(2.5));
  CHECK(sum("height", 0.25) == attribute(1.75));
  CHECK(sum("new", 3) == attribute(std::int64_t{3}));
  CHECK(sum("new", 0.5) == attribute(0.5));
  for (const char* other : {"name", "tags", "list", "address"})
    CHECK(is_unfit(table_update().increment(field(other), 1)));
  CHECK(is_wrong(table_update().increment(field("visits"), "1")));
  CHECK(is_wrong(table_update().increment(field("visits"), {})));
  CHECK(is_wrong(table_update().increment(field("visits"), true)));
  CHECK(is_wrong(table_update().increment(field("visits"), std::numeric_limits<double>::quiet_NaN())));
  CHECK(is_wrong(table_update().increment(field("visits"), std::numeric_limits<double>::infinity())));
}

TEST_CASE("a sum that overflows is refused", "[table_update]") {
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t greatest = std::numeric_limits<std::int64_t>::max();
  constexpr double largest = std::numeric_limits<double>::max();
  const auto sum = [](attribute from, attribute by) -> result<attribute> {
    table_item item{{"n", from}};
    if (auto done = table_update().increment(field("n"), std::move(by)).apply(item); !done) {
      CHECK(item.at("n") == from);
      return done.error();
    }
    return item.at("n");
  };
  CHECK(sum(greatest - 1, 1).value() == attribute(greatest));
  CHECK(sum(least + 1, -1).value() == attribute(least));
  CHECK(sum(greatest, least).value() == attribute(std::int64_t{-1}));
  CHECK(sum(std::int64_t{-1}, least + 1).value() == attribute(least));
  CHECK(sum(largest, -largest).value() == attribute(0.0));
  CHECK_FALSE(sum(greatest, 1));
  CHECK_FALSE(sum(least, -1));
  CHECK_FALSE(sum(std::int64_t{-1}, least));
  CHECK_FALSE(sum(std::int64_t{1}, greatest));
  CHECK_FALSE(sum(largest, largest));
}

TEST_CASE("append adds to the end of a list, or to an empty one", "[table_update]") {
  CHECK(after(table_update().append(field("list"), {"d", 1}), "list") ==
        attribute(attribute_list{"a", "b", "c", "d", std::int64_t{1}}));
  CHECK(after(table_update().append(field("list"), {})) == ann);
  CHECK(after(table_update().append(field("new"), {"d"}), "new") == attribute(attribute_list{"d"}));
  CHECK(after(table_update().append(field("new"), {}), "new") == attribute(attribute_list{}));
  CHECK(is_unfit(table_update().append(field("name"), {"d"})));
  CHECK(is_unfit(table_update().append(field("tags"), {"d"})));
}

TEST_CASE("sets take elements of their own kind, and are no more when they are empty", "[table_update]") {
  CHECK(after(table_update().add_to_set(field("tags"), text_set{"a", "vip"}), "tags") ==
        attribute(text_set{"a", "new", "vip"}));
  CHECK(after(table_update().add_to_set(field("years"), number_set{1}), "years") == attribute(number_set{1, 1999}));
  CHECK(after(table_update().add_to_set(field("new"), number_set{1}), "new") == attribute(number_set{1}));
  CHECK(after(table_update().add_to_set(field("new"), text_set{})) == ann);
  CHECK(after(table_update().remove_from_set(field("tags"), text_set{"new", "x"}), "tags") ==
        attribute(text_set{"vip"}));
  CHECK(after(table_update().remove_from_set(field("tags"), text_set{"new", "vip"})).count("tags") == 0);
  CHECK(after(table_update().remove_from_set(field("years"), number_set{1999})).count("years") == 0);
  CHECK(after(table_update().remove_from_set(field("new"), number_set{1})) == ann);
  CHECK(is_unfit(table_update().add_to_set(field("tags"), number_set{1})));
  CHECK(is_unfit(table_update().add_to_set(field("years"), text_set{"1"})));
  CHECK(is_unfit(table_update().remove_from_set(field("years"), text_set{"1"})));
  CHECK(is_unfit(table_update().add_to_set(field("list"), text_set{"1"})));
  CHECK(is_unfit(table_update().remove_from_set(field("name"), text_set{"1"})));
}

TEST_CASE("a path that cannot be followed makes the whole update invalid", "[table_update]") {
  for (const field& where :
       {field("x")["y"], field("x")[0], field("name")["y"], field("name")[0], field("list")["y"], field("address")[0],
        field("list")[3]["y"], field("address")["x"]["y"], field("address")["houses"][1]["n"]}) {
    CHECK(is_unfit(table_update().set(field("good"), 1).set(where, 1)));
    CHECK(is_unfit(table_update().set_if_absent(where, 1)));
    CHECK(is_unfit(table_update().remove(where)));
    CHECK(is_unfit(table_update().increment(where, 1)));
    CHECK(is_unfit(table_update().append(where, {1})));
    CHECK(is_unfit(table_update().add_to_set(where, text_set{"1"})));
    CHECK(is_unfit(table_update().remove_from_set(where, text_set{"1"})));
  }
}

TEST_CASE("two actions of which one's path begins with the other's are refused", "[table_update]") {
  CHECK(is_wrong(table_update().set(field("a"), 1).set(field("a"), 1)));
  CHECK(is_wrong(table_update().set(field("a"), 1).remove(field("a"))));
  CHECK(is_wrong(table_update().set(field("list")[1], 1).set(field("b"), 1).append(field("list"), {1})));
  CHECK(is_wrong(table_update().set(field("address"), 1).set(field("address")["houses"][0]["n"], 1)));
  CHECK(is_wrong(table_update().set(field("list")[9], 1).set(field("list")[9], 1)));
  CHECK(table_update().set(field("ab"), 1).set(field("a"), 1).set(field("a.b"), 1).check());
  CHECK(table_update().set(field("address")["a"], 1).set(field("address")["ab"], 1).check());
  CHECK(table_update().set(field("list")[1], 1).set(field("list")[10], 1).check());
}

TEST_CASE("all actions see the item as it was before", "[table_update]") {
  SECTION("positions in lists are those before") {
    CHECK(after(table_update().remove(field("list")[0]).set(field("list")[1], "B").set(field("list")[8], "z"),
                "list") == attribute(attribute_list{"B", "c", "z"}));
    CHECK(after(table_update().set(field("list")[8], "z").remove(field("list")[2]).remove(field("list")[1]), "list") ==
          attribute(attribute_list{"a", "z"}));
    CHECK(after(table_update().remove(field("list")[3]).set(field("list")[4], "z"), "list") ==
          attribute(attribute_list{"a", "b", "c", "z"}));
  }
  SECTION("also in lists within them") {
    table_item item{{"l", attribute_list{"a", attribute_list{"b", "c", "d"}, attribute_map{{"e", 1}, {"f", 2}}}}};
    const auto l = field("l");
    REQUIRE(table_update()
                .remove(l[0])
                .remove(l[1][0])
                .set(l[1][2], "D")
                .remove(l[2]["e"])
                .increment(l[2]["f"], 1)
                .apply(item));
    CHECK((item.at("l") == attribute(attribute_list{attribute_list{"c", "D"}, attribute_map{{"f", std::int64_t{3}}}})));
  }
  SECTION("so one cannot go into what another makes") {
    CHECK(is_unfit(table_update().set(field("new"), attribute_map{}).set(field("other")["x"], 1)));
  }
}

TEST_CASE("an update has at most 100 actions", "[table_update]") {
  table_update update;
  for (std::size_t i = 0; i < table_update::actions_max; ++i) update.set(field(std::to_string(i)), 1);
  CHECK(update.check());
  CHECK(after(update).size() == ann.size() + 100);
  update.set(field("one more"), 1);
  CHECK(update.actions().size() == 101);
  CHECK(is_wrong(update));
}
