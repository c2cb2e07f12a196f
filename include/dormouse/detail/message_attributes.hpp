// SPDX-License-Identifier: MIT
#pragma once

// The attributes of an event, one after the other, as a message has them; and the group of its messages.
// Adapters of topics need both.

#include <dormouse/detail/text_formats.hpp>
#include <dormouse/event.hpp>
#include <dormouse/services/queue.hpp>

#include <string>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

bool is_core_attribute(std::string_view name) noexcept;  // impl/event.ipp

// May an extension be called so, whatever the event's other ones?
inline bool is_extension_name(std::string_view name) noexcept {
  const bool spelled = !name.empty() && name.size() <= 20 &&
                       name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") == std::string_view::npos;
  return spelled && !is_core_attribute(name);
}

// Calls take(prefix, rest of the name, value) for each.
template <class F>
void each_message_attribute(const event& from, F&& take) {
  constexpr std::string_view prefix = "ce_";
  take(prefix, "specversion", "1.0");
  take(prefix, "id", from.id);
  take(prefix, "source", from.source);
  take(prefix, "type", from.type);
  if (from.time) take(prefix, "time", to_time(*from.time));
  if (!from.subject.empty()) take(prefix, "subject", from.subject);
  if (!from.datacontenttype.empty()) take("", "content-type", from.datacontenttype);
  for (const auto& [name, value] : from.extensions) take(prefix, name, value);
}

// Can it be a message that is read back as the same event? Fails: invalid_argument (name: an extension; a time outside
// the years 1700 .. 2261), too_large (value_bytes).
result<void> check_published(const event& message);

// What its messages are grouped by where that is the subject. Subjects that begin with the same 128 bytes share one.
inline std::string subject_group(const event& message) { return message.subject.substr(0, queue::name_bytes_max); }

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
