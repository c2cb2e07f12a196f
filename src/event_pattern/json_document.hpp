// SPDX-License-Identifier: MIT
#pragma once

// A JSON text as a tree, in one piece of memory. Unlike the parser's own tree it is bounded, keeps members that are
// named twice, and has its members sorted by name, so that those that begin alike stand together.

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dormouse_event_pattern {

// Whole numbers are compared exactly, as far as 64 bits hold them, all others as double.
struct number {
  double value = 0;
  bool whole = false;
  bool negative = false;
  std::uint64_t magnitude = 0;
};

struct json_value {
  enum class kind : std::uint8_t { null, boolean, number, string, array, object };

  json_value(kind what_it_is, std::pmr::memory_resource* memory) : what(what_it_is), parts(memory) {}

  kind what;
  bool truth = false;
  number quantity{};
  std::string_view text{};
  std::string_view name{};             // as a member
  std::pmr::vector<json_value> parts;  // elements, or members by name

  [[nodiscard]] bool is_structured() const noexcept { return what == kind::array || what == kind::object; }
};

struct json_fault {
  enum class kind : std::uint8_t { malformed, size, depth, values };
  kind what = kind::malformed;
  std::string detail{};
};

// Everything in the result lives in `memory`. Fails for what is no JSON, and beyond document_*_max; `why` may be null.
// May throw std::bad_alloc.
[[nodiscard]] std::optional<json_value> parse_document(std::string_view text, std::pmr::memory_resource* memory,
                                                       json_fault* why = nullptr);

// The members that do not come before `name`.
[[nodiscard]] std::span<const json_value> members_from(const json_value& object, std::string_view name) noexcept;

}  // namespace dormouse_event_pattern
