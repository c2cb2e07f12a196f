// SPDX-License-Identifier: MIT
#pragma once

// Event patterns as Amazon EventBridge has them: JSON that looks like the events it matches. Needs the component
// dormouse::event_pattern; goes beside either flavour of the library.
//
//   auto wanted = dormouse::parse_event_pattern(R"({"type": ["paid"], "data": {"total": [{"numeric": [">", 9]}]}})");
//   if (!wanted) std::puts(to_string(wanted.error()).c_str());  // names the place and the rule
//   else if ((*wanted)->matches(message)) ...
//
// All fields must match, each by one of the values in its array: a string, number, true, false, null, or one of
//   {"prefix": s} {"suffix": s} {"equals-ignore-case": s} {"wildcard": "a*b"} {"cidr": "10.0.0.0/8"} {"exists": true}
//   {"prefix": {"equals-ignore-case": s}}   {"suffix": {"equals-ignore-case": s}}   {"numeric": [">=", 1, "<", 5]}
//   {"anything-but": value or [values], or {"prefix" "suffix" "equals-ignore-case" or "wildcard": s or [s...]}}
// "$or": [{...}, {...}] stands beside fields, at any level. docs/how-to/event-patterns.md has the rules of each.
//
// What an event looks like: `id source type subject time datacontenttype` and the extensions are strings at the top,
// there when they are not empty; `time` is RFC 3339 in UTC ("2026-11-23T10:00:00Z"). `detail-type` is another name of
// type, `detail` of data. Data is JSON when datacontenttype says so (malformed, it matches nothing that asks for it),
// or when that is empty and it parses; otherwise a string. It is parsed only for patterns that ask for it.
// Limits: event_pattern's constants. An event or document beyond them is not matched.

#include <dormouse/detail/compiled_event_pattern.hpp>
#include <dormouse/detail/text_formats.hpp>
#include <dormouse/result.hpp>
#include <dormouse/services/event_filter.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

class event_pattern final : public event_filter {
 public:
  static constexpr std::size_t text_bytes_max = dormouse_event_pattern::text_bytes_max;
  // Of fields and "$or" in each other; a dot in a field's name is one more.
  static constexpr std::size_t depth_max = dormouse_event_pattern::depth_max;
  static constexpr std::size_t wildcards_max = dormouse_event_pattern::wildcards_max;  // in one string
  // Of documents, and of data that is JSON.
  static constexpr std::size_t document_bytes_max = dormouse_event_pattern::document_bytes_max;
  static constexpr std::size_t document_depth_max = dormouse_event_pattern::document_depth_max;
  static constexpr std::size_t document_values_max = dormouse_event_pattern::document_values_max;
  // Comparisons that one question may take; in long strings, each 64 bytes of one count.
  static constexpr std::size_t steps_max = dormouse_event_pattern::steps_max;

  // Fails: invalid_argument, naming the place and the rule; too_large; limit_exceeded (depth: too deep; none:
  // wildcards); out_of_memory.
  [[nodiscard]] static result<std::shared_ptr<const event_pattern>> parse(std::string_view text);

  [[nodiscard]] bool matches(const event& message) const noexcept override;
  [[nodiscard]] std::string_view text() const noexcept override { return text_; }
  // Does a whole JSON document match, an object, as EventBridge sends them? False for what is no such thing.
  [[nodiscard]] bool matches_document(std::string_view json) const noexcept {
    return dormouse_event_pattern::matches(*compiled_, json);
  }

 private:
  struct only_parse {};

 public:
  event_pattern(only_parse, std::string_view text, std::shared_ptr<const dormouse_event_pattern::compiled> compiled)
      : text_(text), compiled_(std::move(compiled)) {}

 private:
  const std::string text_;
  const std::shared_ptr<const dormouse_event_pattern::compiled> compiled_;
};

// The same for those who only need a filter.
[[nodiscard]] inline result<std::shared_ptr<const event_filter>> parse_event_pattern(std::string_view text) {
  auto parsed = event_pattern::parse(text);
  if (!parsed) return std::move(parsed).error();
  return std::shared_ptr<const event_filter>(*std::move(parsed));
}

namespace detail {

class event_seen_by_pattern final : public dormouse_event_pattern::message {
 public:
  explicit event_seen_by_pattern(const event& seen) noexcept : seen_(seen) {}
  [[nodiscard]] std::optional<std::string_view> attribute(std::string_view name) const override {
    if (name == "time" && seen_.time) time_ = to_time(*seen_.time);
    const std::pair<std::string_view, std::string_view> attributes[] = {
        {"type", seen_.type}, {"source", seen_.source}, {"subject", seen_.subject},
        {"id", seen_.id},     {"time", time_},          {"datacontenttype", seen_.datacontenttype}};
    for (const auto& [known, value] : attributes) {
      if (known == name) return value.empty() ? std::nullopt : std::optional(value);
    }
    const std::string* const found = find_extension(seen_, name);
    return found == nullptr || found->empty() ? std::nullopt : std::optional<std::string_view>(*found);
  }
  [[nodiscard]] std::string_view data() const noexcept override { return seen_.data.text(); }
  [[nodiscard]] data_form form() const override {
    if (seen_.datacontenttype.empty()) return data_form::maybe_json;
    return is_json_type(seen_.datacontenttype) ? data_form::json : data_form::text;
  }

 private:
  const event& seen_;
  mutable std::string time_{};  // made when it is asked for
};

inline failure refused_pattern(const dormouse_event_pattern::refusal& why) {
  using kind = dormouse_event_pattern::refusal::kind;
  const auto code = why.what == kind::rule     ? errc::invalid_argument
                    : why.what == kind::size   ? errc::too_large
                    : why.what == kind::memory ? errc::out_of_memory
                                               : errc::limit_exceeded;
  return make_failure(code, effect_kind::not_applied,
                      why.what == kind::depth ? failure_reason::depth : failure_reason::none,
                      "event pattern: " + printable(why.detail, 300));
}

}  // namespace detail

inline result<std::shared_ptr<const event_pattern>> event_pattern::parse(std::string_view text) {
  dormouse_event_pattern::refusal why;
  try {
    if (auto compiled = dormouse_event_pattern::compile(text, why)) {
      return std::make_shared<const event_pattern>(only_parse{}, text, std::move(compiled));
    }
    return detail::refused_pattern(why);
  } catch (const std::bad_alloc&) {
    return failure{.code = errc::out_of_memory, .effect = effect_kind::not_applied};
  }
}

inline bool event_pattern::matches(const event& message) const noexcept {
  return dormouse_event_pattern::matches(*compiled_, detail::event_seen_by_pattern(message));
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
