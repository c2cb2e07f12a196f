// SPDX-License-Identifier: MIT
#pragma once

// A CloudEvents 1.0 message: context attributes and data (https://github.com/cloudevents/spec, "CloudEvents - Version
// 1.0.2"). An aggregate, so that a call site reads {.type = "photo.added", .data = "..."}.
// Threads: a plain value.

#include <dormouse/clock.hpp>
#include <dormouse/payload.hpp>
#include <dormouse/result.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

struct event {
  // What happened, for instance "com.example.photo.added". Required by CloudEvents; the library does not insist.
  std::string type{};
  // Who says so; a URI reference. Filled with "dormouse" when the event is stored and it was empty.
  std::string source{};
  // What it is about, in the source's own terms: a key, a path.
  std::string subject{};
  // Unique per source. Filled when the event is stored, sent or asked for through the context, and it was empty.
  std::string id{};
  // When it happened. Filled like `id`.
  std::optional<std::chrono::system_clock::time_point> time{};
  // Media type of `data`; empty: not said.
  std::string datacontenttype{};
  payload data{};
  // Extension attributes: names are 1..20 of [a-z0-9] (CloudEvents 1.0, section "Naming conventions").
  std::vector<std::pair<std::string, std::string>> extensions{};
};

// The extension attribute of that name, or null. The pointer lives as long as the event is unchanged.
[[nodiscard]] const std::string* find_extension(const event& message, std::string_view name) noexcept;

// Gives `id`, `source` and `time` a value where they have none: what CloudEvents requires before an event is stored or
// sent. `id` is unique in this process and, by its random prefix, across processes.
void fill_attributes(event& message, const clock& time);

// Is it a CloudEvents 1.0 message? Fails: invalid_argument, naming the attribute and the rule.
[[nodiscard]] result<void> validate(const event& message);

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/event.ipp>
#endif
