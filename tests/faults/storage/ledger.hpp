// SPDX-License-Identifier: MIT
#pragma once

// What the parent knows of a worker's writes, from the lines it said before it was killed; and the comparison of that
// with what the stores have. It lies outside of what is tested: a store cannot talk it into believing.

#include "operations.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace storage {

class ledger {
 public:
  // Lines as the worker said them; the last one may be cut.
  void read(std::string_view lines);
  // Compares. What is found to be there of writes that had not returned counts as done from now on.
  void compare(const stores& with);

  [[nodiscard]] const std::vector<std::string>& complaints() const noexcept { return complaints_; }
  [[nodiscard]] std::uint64_t acknowledged() const noexcept { return acknowledged_; }
  [[nodiscard]] std::uint64_t in_flight() const noexcept { return in_flight_; }  // when killed, over all rounds

 private:
  // A place that is written: its last acknowledged write, and the one that was on its way.
  struct place {
    std::int64_t kept = 0;  // 0 or negative: nothing is there
    std::optional<std::int64_t> open{};
  };
  using place_id = std::pair<store_kind, int>;

  void read_line(std::string_view line);
  void compare_place(const place_id& which, std::optional<std::int64_t> found);
  void compare_rows(const stores& with);
  void compare_money(const stores& with);
  void compare_objects(const stores& with);
  void compare_books(const stores& with);
  void compare_changes(const stores& with);
  void compare_orders(const stores& with);
  void complain(std::string text) { complaints_.push_back(std::move(text)); }

  std::map<place_id, place> places_{};
  std::set<std::int64_t> booked_{};
  std::set<std::int64_t> sent_{};  // orders: each is in one place, once
  std::set<std::int64_t> done_{};
  std::map<std::string, std::uint64_t> row_writes_{};  // acknowledged puts of a row this round: each must be a change
  std::uint64_t changes_seen_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t in_flight_ = 0;
  std::vector<std::string> complaints_{};
};

}  // namespace storage
