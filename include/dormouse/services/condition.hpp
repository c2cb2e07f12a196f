// SPDX-License-Identifier: MIT
#pragma once

// What must be true of an item, as a value: for conditional writes and for filters.
//
//   field("state") == "paid" && field("total") >= 100 && !field("address")["street"].exists()
//
// Semantics are those of DynamoDB's condition expressions (Amazon DynamoDB Developer Guide, "Condition and filter
// expressions, operators, and functions"): values of different kinds are unequal and have no order, but whole numbers
// and numbers compare by value; an attribute that is not there is unequal to everything and in no order to anything.
// Texts and bytes are ordered as unsigned bytes. Lists, maps and sets are equal or not, and have no order.
// Threads: values; copies share an immutable tree and are cheap. Errors: only std::bad_alloc.
// Limits:  300 operators and 32 levels, of which a chain of && or of || is one; a condition beyond them is refused as
//          invalid_argument by the call it is given to.

#include <dormouse/services/attribute.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {
struct condition_node;  // services/condition.ipp
}

// From the item to one of its attributes: a name, then names of map members and positions in lists.
using attribute_path = std::vector<std::variant<std::string, std::size_t>>;

class condition {
 public:
  static constexpr std::size_t operators_max = 300;
  static constexpr std::size_t levels_max = 32;

  // Always true.
  condition() = default;
  [[nodiscard]] bool is_always() const noexcept { return root_ == nullptr; }
  // Is it true of this item? Null: of one that is not there. Precondition: is_within_limits().
  [[nodiscard]] bool holds(const table_item* item) const;
  [[nodiscard]] bool is_within_limits() const noexcept;
  // The same for conditions that were built alike, on every machine; 0 for always. Precondition: is_within_limits().
  [[nodiscard]] std::uint64_t fingerprint() const noexcept;

  friend condition operator&&(const condition& a, const condition& b);
  friend condition operator||(const condition& a, const condition& b);
  friend condition operator!(const condition& a);

 private:
  friend struct detail::condition_node;
  explicit condition(std::shared_ptr<const detail::condition_node> root) noexcept : root_(std::move(root)) {}
  std::shared_ptr<const detail::condition_node> root_{};
};

// One side of a comparison: a value, an attribute of the item, or the size of one.
class operand {
 public:
  enum class source : std::uint8_t { value, attribute, size };

  template <class T>
  requires(std::constructible_from<attribute, T> && !std::derived_from<std::remove_cvref_t<T>, operand>)
      operand(T&& value)  // implicit: a value stands for itself
      : value_(std::forward<T>(value)) {}

  [[nodiscard]] source from() const noexcept { return from_; }
  [[nodiscard]] const attribute& value() const noexcept { return value_; }
  [[nodiscard]] const attribute_path& path() const noexcept { return path_; }

  // Friends with their bodies here: nothing but operands finds them.
  friend condition operator==(const operand& a, const operand& b) { return compared(a, comparison::equal, b); }
  friend condition operator!=(const operand& a, const operand& b) { return compared(a, comparison::unequal, b); }
  friend condition operator<(const operand& a, const operand& b) { return compared(a, comparison::less, b); }
  friend condition operator<=(const operand& a, const operand& b) { return compared(a, comparison::not_greater, b); }
  friend condition operator>(const operand& a, const operand& b) { return compared(a, comparison::greater, b); }
  friend condition operator>=(const operand& a, const operand& b) { return compared(a, comparison::not_less, b); }

 protected:
  operand(source from, attribute_path path) : from_(from), path_(std::move(path)) {}

 private:
  friend struct detail::condition_node;
  enum class comparison : std::uint8_t { equal = 1, unequal, less, not_greater, greater, not_less };
  static condition compared(const operand& a, comparison how, const operand& b);

  source from_ = source::value;
  attribute value_{};
  attribute_path path_{};
};

// An attribute of the item.
class field : public operand {
 public:
  // A top-level one.
  explicit field(std::string name) : operand(source::attribute, {std::move(name)}) {}
  // A member of a map; an element of a list, from 0.
  [[nodiscard]] field operator[](std::string name) const;
  [[nodiscard]] field operator[](std::size_t position) const;

  [[nodiscard]] condition exists() const;
  // Is it there, and of that kind?
  [[nodiscard]] condition is(attribute_kind kind) const;
  // Both ends are in.
  [[nodiscard]] condition between(const operand& low, const operand& high) const;
  // One of 1 .. 100 values.
  [[nodiscard]] condition in(std::vector<attribute> values) const;
  // Of a text or of bytes, with a value of the same kind.
  [[nodiscard]] condition begins_with(attribute prefix) const;
  // A text or bytes with these in it; a list or set with this element.
  [[nodiscard]] condition contains(attribute part) const;
  // Bytes of a text or of bytes, elements of a list, map or set; others have no size and compare as if not there.
  [[nodiscard]] operand size() const { return sized(path()); }

 private:
  explicit field(attribute_path path) : operand(source::attribute, std::move(path)) {}
  struct sized : operand {
    explicit sized(attribute_path path) : operand(source::size, std::move(path)) {}
  };
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/services/condition.ipp>
#endif
