// SPDX-License-Identifier: MIT
#pragma once

// What the archive of dormouse::event_pattern has: the same for every flavour of the headers, and nothing of the parser
// that it uses.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace dormouse_event_pattern {

// event_pattern.hpp says what each of them bounds.
inline constexpr std::size_t text_bytes_max = 16 * 1024;
inline constexpr std::size_t depth_max = 32;
inline constexpr std::size_t wildcards_max = 5;
inline constexpr std::size_t document_bytes_max = 1024 * 1024;
inline constexpr std::size_t document_depth_max = 64;
inline constexpr std::size_t document_values_max = 100'000;
inline constexpr std::size_t steps_max = 4'000'000;

// An event, seen by a pattern. Only what the pattern names is asked for.
class message {
 public:
  enum class data_form : std::uint8_t {
    text,        // a string
    json,        // JSON, or malformed
    maybe_json,  // JSON if it parses, else a string
  };

  // May throw std::bad_alloc. The attribute of that name; none: the event has not got it. The view lives as long as the
  // message.
  [[nodiscard]] virtual std::optional<std::string_view> attribute(std::string_view name) const = 0;
  [[nodiscard]] virtual std::string_view data() const noexcept = 0;
  [[nodiscard]] virtual data_form form() const = 0;  // may throw std::bad_alloc

 protected:
  ~message() = default;
};

struct refusal {
  enum class kind : std::uint8_t { rule, size, depth, limit, memory };
  kind what = kind::rule;
  std::string detail{};  // the place and the rule
};

class compiled;
// Null: then `why` says why.
[[nodiscard]] std::shared_ptr<const compiled> compile(std::string_view text, refusal& why) noexcept;
[[nodiscard]] bool matches(const compiled& pattern, const message& asked) noexcept;
[[nodiscard]] bool matches(const compiled& pattern, std::string_view document) noexcept;

}  // namespace dormouse_event_pattern
