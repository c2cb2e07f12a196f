// SPDX-License-Identifier: MIT
// A table without any function: a plain main that stores under conditions, counts, asks and changes several at once.

#include <dormouse/adapters/memory_table.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <variant>

using dormouse::field;

namespace {

// The orders of a customer lie together, by number. It knows no adapter.
dormouse::table_key order_key(const std::string& customer, std::int64_t number) {
  return {customer, dormouse::sort_number(number)};
}

dormouse::result<void> use(dormouse::table& orders) {
  // A counter that many may count at; then an order of that number, if nobody has stored one.
  const auto counted = orders.update({"numbers", ""}, dormouse::table_update().increment(field("last"), 1));
  if (!counted) return counted.error();
  const auto number = std::get<std::int64_t>(counted->item.at("last"));
  const dormouse::table_write_options only_new{.when = {.if_absent = true}};
  const auto stored = orders.put(order_key("ann", number), {{"state", "open"}, {"total", 120}}, only_new);
  if (!stored) return stored.error();
  const auto again = orders.put(order_key("ann", number), {}, only_new);
  if (again || again.error().code != dormouse::errc::condition_failed) {
    return dormouse::failure{.code = dormouse::errc::internal, .detail = "an order was stored over another"};
  }
  fmt::print("{}\n", dormouse::to_string(again.error()));

  for (const std::int64_t each : {10, 2, 30}) {
    if (auto put = orders.put(order_key("ann", each), {{"state", "open"}, {"total", each * 10}}); !put) {
      return put.error();
    }
  }

  // The numbers from 2 on, in their order, of those that are worth it.
  const auto large =
      orders.query({.partition = "ann", .sort = {.from = dormouse::sort_number(2)}, .filter = field("total") >= 100});
  if (!large) return large.error();
  for (const auto& each : large->entries) {
    fmt::print("order {} of {}\n", dormouse::sort_number_of(each.key.sort),
               std::get<std::int64_t>(each.item.at("total")));
  }

  // Both or none: the order is paid if it is open and the money is there.
  const auto paid = orders.transact(
      {dormouse::put_write({"purse", "ann"}, {{"left", 0}}, {.if_absent = true}),
       dormouse::update_write(order_key("ann", number), dormouse::table_update().set(field("state"), "paid"),
                              {.if_version = *stored, .holds = field("state") == "open"})},
      {.token = "payment-1"});  // and only once, however often it is tried
  if (!paid) return paid.error();
  const auto order = orders.get(order_key("ann", number));
  if (!order) return order.error();
  fmt::print("order {} is {}\n", number, std::get<std::string>((*order)->item.at("state")));
  return {};
}

}  // namespace

int main() {
  dormouse::memory_table orders;
  const auto used = use(orders);
  if (!used) fmt::print("{}\n", dormouse::to_string(used.error()));
  return used ? 0 : 1;
}
