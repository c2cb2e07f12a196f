// SPDX-License-Identifier: MIT
#pragma once

// What is to be done to an item's attributes, atomically, without reading it first: counters, lists and sets.
//
//   store.update({"ann", ""}, table_update().increment(field("visits"), 1).set(field("seen"), "today"));
//
// Semantics are those of DynamoDB's update expressions (Amazon DynamoDB Developer Guide, "Update expressions"): all
// actions see the item as it was before; one whose path cannot be followed (no such map, list or position) makes the
// whole update invalid_argument, and so do two actions of which one's path begins with the other's.
// Threads: a plain value. Errors: only std::bad_alloc; what is wrong with an update is said by the call it is given to.
// Limits:  100 actions; what they make must be an item within the table's limits.

#include <dormouse/result.hpp>
#include <dormouse/services/attribute.hpp>
#include <dormouse/services/condition.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

enum class update_kind : std::uint8_t {
  set = 1,
  set_if_absent,
  remove,
  increment,
  append,
  add_to_set,
  remove_from_set
};

struct update_action {
  update_kind kind = update_kind::set;
  attribute_path path{};
  attribute value{};  // what the action needs
};

class table_update {
 public:
  static constexpr std::size_t actions_max = 100;

  // Replaces the attribute, or adds it: to the item, to a map, or to a list at its end if the position is beyond it.
  table_update& set(const field& where, attribute value);
  // Does nothing if it is there.
  table_update& set_if_absent(const field& where, attribute value);
  // It need not be there, but its map or list must. An element that leaves a list moves those behind it.
  table_update& remove(const field& where);
  // Adds a number to a number, from 0 if it is not there; two whole numbers make a whole one, which must not overflow.
  table_update& increment(const field& where, attribute by);
  // To a list, at its end; to an empty one if it is not there.
  table_update& append(const field& where, attribute_list values);
  // With text_set or number_set, of the kind that is there; from an empty one if it is not there. A set that becomes
  // empty is removed.
  table_update& add_to_set(const field& where, text_set values);
  table_update& add_to_set(const field& where, number_set values);
  table_update& remove_from_set(const field& where, text_set values);
  table_update& remove_from_set(const field& where, number_set values);

  [[nodiscard]] const std::vector<update_action>& actions() const noexcept { return actions_; }
  // Does it to `item`; on failure the item is as it was. Fails: invalid_argument, saying which action and why.
  result<void> apply(table_item& item) const;
  // What can be said without an item: their number, overlapping paths, values of the wrong kind. Fails so.
  [[nodiscard]] result<void> check() const;

 private:
  table_update& add(update_kind kind, const field& where, attribute value);
  std::vector<update_action> actions_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/services/table_update.ipp>
#endif
