// SPDX-License-Identifier: MIT
#pragma once

// Writes that must not happen twice. Part of table_conformance.hpp.

#include <dormouse/testing/services/table_harness.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance {

inline void check_no_tokens(table& store) {
  SECTION("undeclared tokens are refused") {
    const table_key key{"k", ""};
    REQUIRE(store.put(key, number_item(1)));
    CHECK(refused(store.put(key, {}, {.token = "t"}), errc::unsupported));
    CHECK(refused(store.erase(key, {.token = "t"}), errc::unsupported));
    if (store.capabilities().updates) CHECK(refused(store.update(key, {}, {.token = "t"}), errc::unsupported));
    if (store.capabilities().transactions) {
      CHECK(refused(store.transact({erase_write(key)}, {.token = "t"}), errc::unsupported));
    }
    CHECK((stored(store, key) == number_item(1)));
  }
}

inline void check_repetitions(table& store) {
  const table_key key{"k", ""};
  SECTION("a put that is repeated does nothing, and gives the first answer") {
    std::optional<stored_item> former;
    REQUIRE(store.put(key, number_item(0)));
    const auto first = store.put(key, number_item(1), {.token = "t", .former = nullptr}).value();
    REQUIRE(store.put(key, number_item(2)));
    former = stored_item{};
    CHECK(store.put(key, number_item(1), {.token = "t", .former = &former}).value() == first);
    CHECK(!former.has_value());
    CHECK(number_at(store, key) == 2);
    CHECK(store.erase(key).value());
    CHECK(store.put(key, number_item(1), {.token = "t"}).value() == first);
    CHECK(!is_there(store, key));
  }
  SECTION("an erase") {
    REQUIRE(store.put(key, number_item(1)));
    CHECK(store.erase(key, {.token = "t"}).value());
    REQUIRE(store.put(key, number_item(2)));
    CHECK(store.erase(key, {.token = "t"}).value());
    CHECK(number_at(store, key) == 2);
    CHECK(!store.erase({"none", ""}, {.token = "u"}).value());
    REQUIRE(store.put({"none", ""}, {}));
    CHECK(!store.erase({"none", ""}, {.token = "u"}).value());
    CHECK(is_there(store, {"none", ""}));
  }
  if (store.capabilities().updates) {
    SECTION("an update") {
      const auto update = table_update().increment(field("n"), 1);
      const auto first = store.update(key, update, {.token = "t"}).value();
      REQUIRE(store.update(key, update, {.token = "u"}));
      const auto again = store.update(key, update, {.token = "t"}).value();
      CHECK((again.item == number_item(1) && again.version == first.version));
      CHECK(number_at(store, key) == 2);
    }
  }
  if (store.capabilities().transactions) {
    SECTION("a transaction") {
      const std::vector<table_write> writes{put_write(key, number_item(1)), put_write({"l", ""}, {}),
                                            erase_write({"m", ""})};
      const auto first = store.transact(writes, {.token = "t"}).value();
      REQUIRE(store.put(key, number_item(2)));
      CHECK((store.transact(writes, {.token = "t"}).value() == first));
      CHECK(number_at(store, key) == 2);
      auto other = writes;
      other.pop_back();
      CHECK(is_invalid(store.transact(other, {.token = "t"})));
      CHECK(is_invalid(store.put(key, number_item(1), {.token = "t"})));
    }
  }
}

inline void check_token_limits(const table_harness& harness, table& store) {
  const table_key key{"k", ""};
  SECTION("another call with the token is refused, and does nothing") {
    REQUIRE(store.put(key, number_item(1), {.token = "t"}));
    CHECK(is_invalid(store.put(key, number_item(2), {.token = "t"})));
    CHECK(is_invalid(store.put({"k", "2"}, number_item(1), {.token = "t"})));
    CHECK(is_invalid(store.erase(key, {.token = "t"})));
    if (store.capabilities().conditions) {
      CHECK(is_invalid(store.put(key, number_item(1), {.when = {.if_exists = true}, .token = "t"})));
      CHECK(is_invalid(store.put(key, number_item(1), {.when = {.holds = field("n") == 1}, .token = "t"})));
    }
    if (store.capabilities().updates) CHECK(is_invalid(store.update(key, {}, {.token = "t"})));
    CHECK((everything(store) == texts{"k/"} && number_at(store, key) == 1));
  }
  SECTION("tokens are any 64 bytes; none is none") {
    const std::string longest = std::string("\0\xff", 2) + std::string(table::token_bytes_max - 2, 't');
    const auto first = store.put(key, {}, {.token = longest}).value();
    CHECK(store.put(key, {}, {.token = longest}).value() == first);
    CHECK(is_invalid(store.put(key, {}, {.token = longest + "t"})));
    CHECK(store.put(key, {}, {.token = longest.substr(1)}).value() != first);
    const auto version = store.put(key, {}).value();
    CHECK(store.put(key, {}).value() != version);
  }
  SECTION("after 10 minutes a token is forgotten, and not before") {
    const auto first = store.put(key, number_item(1), {.token = "t"}).value();
    harness.advance(std::chrono::minutes(10) - std::chrono::milliseconds(1));
    CHECK(store.put(key, number_item(1), {.token = "t"}).value() == first);
    harness.advance(std::chrono::milliseconds(2));
    const auto second = store.put(key, number_item(2), {.token = "t"});
    REQUIRE(second);
    CHECK((second.value() != first && number_at(store, key) == 2));
    CHECK(store.put(key, number_item(2), {.token = "t"}).value() == second.value());
  }
}

inline void check_tokens(const table_harness& harness) {
  const auto store = open(harness);
  if (!store->capabilities().tokens) return check_no_tokens(*store);
  check_repetitions(*store);
  check_token_limits(harness, *store);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing::table_conformance
