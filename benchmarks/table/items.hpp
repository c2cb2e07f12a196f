// SPDX-License-Identifier: MIT
#pragma once

// An order as an item, and back: for every contender that keeps items.

#include <dormouse/services/attribute.hpp>

#include "table/workload.hpp"

#include <utility>

namespace bench {

inline dormouse::table_item to_item(const order& from) {
  return {
      {"state", from.state}, {"note", from.note}, {"total", from.total}, {"weight", from.weight}, {"paid", from.paid}};
}

inline order to_order(std::string_view name, dormouse::table_item item) {
  return {.name = std::string(name),
          .state = std::move(std::get<std::string>(item.find("state")->second)),
          .note = std::move(std::get<std::string>(item.find("note")->second)),
          .total = std::get<std::int64_t>(item.find("total")->second),
          .weight = std::get<double>(item.find("weight")->second),
          .paid = std::get<bool>(item.find("paid")->second)};
}

// Any dormouse::table.
template <class Table>
void put_into(Table& store, const order& what) {
  require(store.put({what.name, ""}, to_item(what)).has_value(), "a put failed");
}
template <class Table>
order get_from(Table& store, std::string_view name) {
  auto found = store.get({std::string(name), ""});
  require(found && found->has_value(), "an order is not there");
  return to_order(name, std::move((**found).item));
}

}  // namespace bench
