// SPDX-License-Identifier: MIT
#pragma once

// What a table stores: attributes by name, nested like a document, after DynamoDB's types.
// Threads: plain values. Errors: only std::bad_alloc.

#include <dormouse/payload.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

class attribute;
using attribute_list = std::vector<attribute>;
using attribute_map = std::map<std::string, attribute, std::less<>>;
using text_set = std::set<std::string, std::less<>>;
using number_set = std::set<std::int64_t>;

using attribute_base = std::variant<std::monostate, bool, std::int64_t, double, std::string, payload, attribute_list,
                                    attribute_map, text_set, number_set>;

// Which of them; the numbers are stable, and those of the alternatives.
enum class attribute_kind : std::uint8_t {
  null = 0,
  truth,
  whole_number,
  number,  // finite
  text,    // any bytes; UTF-8 where another system is to read it
  bytes,
  list,
  map,
  texts,    // a set
  numbers,  // a set
};

// One value: null, truth, whole number, number, text, bytes, list, map or set. std::get, std::get_if and
// std::holds_alternative work as on any variant. Of a list whose only element is a list, say
// attribute_list{attribute(attribute_list{...})}: without the inner word, some compilers take it for a copy.
class attribute : public attribute_base {
 public:
  using attribute_base::attribute_base;
  attribute() = default;
  // Text, not truth and not bytes.
  attribute(const char* text) : attribute_base(std::in_place_type<std::string>, text) {}
  attribute(std::string_view text) : attribute_base(std::in_place_type<std::string>, text) {}

  [[nodiscard]] attribute_kind kind() const noexcept { return static_cast<attribute_kind>(index()); }

  friend bool operator==(const attribute& a, const attribute& b) {
    return static_cast<const attribute_base&>(a) == static_cast<const attribute_base&>(b);
  }
};

// Attributes by name; names are 1 .. 255 bytes.
using table_item = attribute_map;

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
