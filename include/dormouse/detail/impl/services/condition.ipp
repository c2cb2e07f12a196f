// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/table_digest.hpp>
#include <dormouse/services/condition.hpp>

#include <algorithm>
#include <cmath>
#include <compare>
#include <optional>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

enum class condition_kind : std::uint8_t {
  beyond_limits,
  compared,
  exists,
  is,
  between,
  in,
  begins_with,
  contains,
  all_of,
  any_of,
  negation,
};

// One operator of the tree. A tree that would be beyond the limits is not built: a leaf says so in its place. So no
// walk through one goes deep, its destruction included.
struct condition_node {
  condition_kind kind = condition_kind::beyond_limits;
  std::vector<operand>
      operands{};  // of comparisons; of functions of an attribute: that attribute, and for between, its ends
  operand::comparison how{};
  attribute_kind type{};
  std::vector<attribute> values{};  // in: which; begins_with, contains: the one
  std::vector<std::shared_ptr<const condition_node>> parts{};
  std::size_t operators = 1;
  std::size_t levels = 1;

  static condition make(condition_node&& node);
  static condition joined(condition_kind kind, const condition& a, const condition& b);
  static condition negated(const condition& a);
  [[nodiscard]] bool holds(const table_item* item) const;
  void add_to(table_digest& all) const noexcept;

 private:
  void add_part(const std::shared_ptr<const condition_node>& part);
  [[nodiscard]] bool compares(const table_item* item) const;
};

// Null: it is not there.
DORMOUSE_INLINE const attribute* find_member(const attribute_map* map, std::string_view name) {
  const auto found = map != nullptr ? map->find(name) : attribute_map::const_iterator{};
  return map != nullptr && found != map->end() ? &found->second : nullptr;
}
DORMOUSE_INLINE const attribute* find_element(const attribute_list* list, std::size_t position) {
  return list != nullptr && position < list->size() ? &(*list)[position] : nullptr;
}
DORMOUSE_INLINE const attribute* find_attribute(const table_item* item, const attribute_path& path) {
  const attribute* at = nullptr;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (i != 0 && at == nullptr) return nullptr;
    if (const auto* name = std::get_if<std::string>(&path[i])) {
      at = find_member(i == 0 ? item : std::get_if<attribute_map>(at), *name);
    } else {
      at = find_element(i == 0 ? nullptr : std::get_if<attribute_list>(at), std::get<std::size_t>(path[i]));
    }
  }
  return at;
}

// By value, not after a conversion: 2^53 + 1 is greater than 2^53 as a number.
DORMOUSE_INLINE std::partial_ordering compare_numbers(std::int64_t a, double b) noexcept {
  if (std::isnan(b)) return std::partial_ordering::unordered;
  if (b >= 0x1p63) return std::partial_ordering::less;
  if (b < -0x1p63) return std::partial_ordering::greater;
  const auto whole = static_cast<std::int64_t>(b);  // towards zero
  if (a != whole) return a <=> whole;
  return static_cast<double>(whole) <=> b;
}

// Numbers, texts and bytes have an order; with what is of another kind, or has none: unordered.
DORMOUSE_INLINE std::partial_ordering compare_attributes(const attribute& a, const attribute& b) noexcept {
  constexpr auto none = std::partial_ordering::unordered;
  if (const auto* whole = std::get_if<std::int64_t>(&a)) {
    if (const auto* other = std::get_if<std::int64_t>(&b)) return *whole <=> *other;
    if (const auto* other = std::get_if<double>(&b)) return compare_numbers(*whole, *other);
    return none;
  }
  if (const auto* number = std::get_if<double>(&a)) {
    if (const auto* other = std::get_if<double>(&b)) return *number <=> *other;
    if (const auto* other = std::get_if<std::int64_t>(&b)) return 0 <=> compare_numbers(*other, *number);
    return none;
  }
  if (a.index() != b.index()) return none;
  if (const auto* text = std::get_if<std::string>(&a)) return text->compare(std::get<std::string>(b)) <=> 0;
  if (const auto* data = std::get_if<payload>(&a)) return data->text().compare(std::get<payload>(b).text()) <=> 0;
  return none;
}

DORMOUSE_INLINE bool equal_attributes(const attribute& a, const attribute& b) {
  if (compare_attributes(a, b) == 0) return true;
  if (a.index() != b.index()) return false;
  if (const auto* list = std::get_if<attribute_list>(&a)) {
    const auto& other = std::get<attribute_list>(b);
    return std::equal(list->begin(), list->end(), other.begin(), other.end(), equal_attributes);
  }
  if (const auto* map = std::get_if<attribute_map>(&a)) {
    const auto& other = std::get<attribute_map>(b);
    return std::equal(map->begin(), map->end(), other.begin(), other.end(), [](const auto& one, const auto& another) {
      return one.first == another.first && equal_attributes(one.second, another.second);
    });
  }
  return a == b;
}

DORMOUSE_INLINE std::optional<std::size_t> size_of_attribute(const attribute& of) noexcept {
  switch (of.kind()) {
    case attribute_kind::text: return std::get<std::string>(of).size();
    case attribute_kind::bytes: return std::get<payload>(of).size();
    case attribute_kind::list: return std::get<attribute_list>(of).size();
    case attribute_kind::map: return std::get<attribute_map>(of).size();
    case attribute_kind::texts: return std::get<text_set>(of).size();
    case attribute_kind::numbers: return std::get<number_set>(of).size();
    default: return std::nullopt;
  }
}

// The text of a text, the bytes of bytes; nothing when `a` and `b` are not two of the same.
DORMOUSE_INLINE std::optional<std::pair<std::string_view, std::string_view>> two_texts(const attribute& a,
                                                                                       const attribute& b) noexcept {
  if (a.index() != b.index()) return std::nullopt;
  if (const auto* text = std::get_if<std::string>(&a)) {
    return std::pair<std::string_view, std::string_view>(*text, std::get<std::string>(b));
  }
  if (const auto* data = std::get_if<payload>(&a)) return std::pair(data->text(), std::get<payload>(b).text());
  return std::nullopt;
}

DORMOUSE_INLINE bool contains_attribute(const attribute& in, const attribute& part) {
  if (const auto two = two_texts(in, part)) return two->first.find(two->second) != std::string_view::npos;
  if (const auto* list = std::get_if<attribute_list>(&in)) {
    return std::any_of(list->begin(), list->end(), [&](const auto& each) { return equal_attributes(each, part); });
  }
  if (const auto* texts = std::get_if<text_set>(&in)) {
    const auto* text = std::get_if<std::string>(&part);
    return text != nullptr && texts->contains(*text);
  }
  if (const auto* numbers = std::get_if<number_set>(&in)) {
    return std::any_of(numbers->begin(), numbers->end(), [&](auto each) { return equal_attributes(each, part); });
  }
  return false;
}

// `room` is for a size.
DORMOUSE_INLINE const attribute* look_up(const operand& what, const table_item* item, attribute& room) {
  if (what.from() == operand::source::value) return &what.value();
  const attribute* const found = find_attribute(item, what.path());
  if (found == nullptr || what.from() == operand::source::attribute) return found;
  const auto size = size_of_attribute(*found);
  if (!size) return nullptr;
  room = static_cast<std::int64_t>(*size);
  return &room;
}

DORMOUSE_INLINE bool condition_node::compares(const table_item* item) const {
  attribute rooms[2];
  const attribute* const a = look_up(operands[0], item, rooms[0]);
  const attribute* const b = look_up(operands[1], item, rooms[1]);
  const bool there = a != nullptr && b != nullptr;
  if (how == operand::comparison::equal) return there && equal_attributes(*a, *b);
  if (how == operand::comparison::unequal) return !there || !equal_attributes(*a, *b);
  if (!there) return false;
  const auto order = compare_attributes(*a, *b);
  switch (how) {
    case operand::comparison::less: return order < 0;
    case operand::comparison::not_greater: return order <= 0;
    case operand::comparison::greater: return order > 0;
    default: return order >= 0;
  }
}

DORMOUSE_INLINE bool condition_node::holds(const table_item* item) const {
  const auto part_holds = [&](const auto& part) { return part->holds(item); };
  switch (kind) {
    case condition_kind::beyond_limits: return false;
    case condition_kind::compared: return compares(item);
    case condition_kind::all_of: return std::all_of(parts.begin(), parts.end(), part_holds);
    case condition_kind::any_of: return std::any_of(parts.begin(), parts.end(), part_holds);
    case condition_kind::negation: return !std::all_of(parts.begin(), parts.end(), part_holds);
    default: break;
  }
  const attribute* const of = find_attribute(item, operands[0].path());
  if (of == nullptr) return false;
  switch (kind) {
    case condition_kind::is: return of->kind() == type;
    case condition_kind::in:
      return std::any_of(values.begin(), values.end(), [&](const auto& each) { return equal_attributes(*of, each); });
    case condition_kind::contains: return contains_attribute(*of, values[0]);
    case condition_kind::begins_with: {
      const auto two = two_texts(*of, values[0]);
      return two && two->first.starts_with(two->second);
    }
    case condition_kind::between: {
      attribute rooms[2];
      const attribute* const low = look_up(operands[1], item, rooms[0]);
      const attribute* const high = look_up(operands[2], item, rooms[1]);
      return low != nullptr && high != nullptr && compare_attributes(*low, *of) <= 0 &&
             compare_attributes(*of, *high) <= 0;
    }
    default: return true;  // exists
  }
}

DORMOUSE_INLINE void condition_node::add_to(table_digest& all) const noexcept {
  for (const std::size_t each :
       {std::size_t(kind), std::size_t(how), std::size_t(type), operands.size(), values.size(), parts.size()}) {
    all.add(std::uint64_t{each});
  }
  for (const operand& each : operands) {
    all.add(static_cast<std::uint64_t>(each.from()));
    all.add(each.value());
    all.add(each.path());
  }
  for (const attribute& each : values) all.add(each);
  for (const auto& each : parts) each->add_to(all);
}

DORMOUSE_INLINE condition condition_node::make(condition_node&& node) {
  const bool within = node.operators <= condition::operators_max && node.levels <= condition::levels_max;
  return condition(std::make_shared<const condition_node>(within ? std::move(node) : condition_node{}));
}

// What is of the same kind is not put below but beside: a && b && c is one level, whichever two came first.
DORMOUSE_INLINE void condition_node::add_part(const std::shared_ptr<const condition_node>& part) {
  const bool beside = part->kind == kind;
  levels = std::max(levels, part->levels + (beside ? 0 : 1));
  operators += part->operators;
  if (beside) {
    parts.insert(parts.end(), part->parts.begin(), part->parts.end());
  } else {
    parts.push_back(part);
  }
}

DORMOUSE_INLINE condition condition_node::joined(condition_kind kind, const condition& a, const condition& b) {
  for (const condition* each : {&a, &b}) {
    if (!each->is_within_limits()) return *each;
  }
  if (a.is_always() || b.is_always()) return (kind == condition_kind::all_of) == a.is_always() ? b : a;
  condition_node node{.kind = kind};
  // Before any copy is made: a chain of any length costs no more than one of the longest that is allowed.
  if (a.root_->operators + b.root_->operators >= condition::operators_max) return make(condition_node{});
  node.add_part(a.root_);
  node.add_part(b.root_);
  return make(std::move(node));
}

DORMOUSE_INLINE condition condition_node::negated(const condition& a) {
  if (!a.is_within_limits()) return a;
  condition_node node{.kind = condition_kind::negation};
  if (!a.is_always()) {
    node.levels = a.root_->levels + 1;
    node.operators = a.root_->operators + 1;
    node.parts.push_back(a.root_);
  }
  return make(std::move(node));
}

}  // namespace detail

DORMOUSE_INLINE bool condition::holds(const table_item* item) const { return root_ == nullptr || root_->holds(item); }

DORMOUSE_INLINE bool condition::is_within_limits() const noexcept {
  return root_ == nullptr || root_->kind != detail::condition_kind::beyond_limits;
}

DORMOUSE_INLINE std::uint64_t condition::fingerprint() const noexcept {
  if (root_ == nullptr) return 0;
  detail::table_digest all;
  root_->add_to(all);
  return all.value();
}

DORMOUSE_INLINE condition operator&&(const condition& a, const condition& b) {
  return detail::condition_node::joined(detail::condition_kind::all_of, a, b);
}
DORMOUSE_INLINE condition operator||(const condition& a, const condition& b) {
  return detail::condition_node::joined(detail::condition_kind::any_of, a, b);
}
DORMOUSE_INLINE condition operator!(const condition& a) { return detail::condition_node::negated(a); }

DORMOUSE_INLINE condition operand::compared(const operand& a, comparison how, const operand& b) {
  return detail::condition_node::make({.kind = detail::condition_kind::compared, .operands = {a, b}, .how = how});
}

DORMOUSE_INLINE field field::operator[](std::string name) const {
  auto longer = path();
  longer.emplace_back(std::move(name));
  return field(std::move(longer));
}
DORMOUSE_INLINE field field::operator[](std::size_t position) const {
  auto longer = path();
  longer.emplace_back(position);
  return field(std::move(longer));
}

DORMOUSE_INLINE condition field::exists() const {
  return detail::condition_node::make({.kind = detail::condition_kind::exists, .operands = {*this}});
}
DORMOUSE_INLINE condition field::is(attribute_kind kind) const {
  return detail::condition_node::make({.kind = detail::condition_kind::is, .operands = {*this}, .type = kind});
}
DORMOUSE_INLINE condition field::between(const operand& low, const operand& high) const {
  return detail::condition_node::make({.kind = detail::condition_kind::between, .operands = {*this, low, high}});
}
DORMOUSE_INLINE condition field::in(std::vector<attribute> values) const {
  if (values.empty() || values.size() > 100) return detail::condition_node::make({});
  return detail::condition_node::make(
      {.kind = detail::condition_kind::in, .operands = {*this}, .values = std::move(values)});
}
DORMOUSE_INLINE condition field::begins_with(attribute prefix) const {
  return detail::condition_node::make(
      {.kind = detail::condition_kind::begins_with, .operands = {*this}, .values = {std::move(prefix)}});
}
DORMOUSE_INLINE condition field::contains(attribute part) const {
  return detail::condition_node::make(
      {.kind = detail::condition_kind::contains, .operands = {*this}, .values = {std::move(part)}});
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
