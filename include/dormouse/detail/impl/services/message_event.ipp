// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/message_attributes.hpp>
#include <dormouse/detail/text_formats.hpp>
#include <dormouse/services/message_event.hpp>

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

// What tells of the delivery, in the place of the event's own.
DORMOUSE_INLINE bool is_of_delivery(std::string_view name) noexcept {
  return name == "deliveries" || name == "sequence";
}

// Does the message say that it is an event?
DORMOUSE_INLINE bool is_event(const queue_delivery& from) {
  const auto version = from.attributes.find("ce_specversion");
  if (version == from.attributes.end() || version->second != "1.0") return false;
  for (const char* required : {"ce_id", "ce_source", "ce_type"}) {
    if (!from.attributes.contains(required)) return false;
  }
  return true;
}

// False: the time is none.
DORMOUSE_INLINE bool take_attribute(event& to, std::string_view name, const std::string& value) {
  if (name == "type") {
    to.type = value;
  } else if (name == "source") {
    to.source = value;
  } else if (name == "subject") {
    to.subject = value;
  } else if (name == "id") {
    to.id = value;
  } else if (name == "time") {
    const auto when = from_time(value);
    if (!when) return false;
    to.time = *when;
  } else if (name != "specversion" && !is_of_delivery(name)) {
    to.extensions.emplace_back(name, value);
  }
  return true;
}

// Empty: the message is of another make.
DORMOUSE_INLINE std::optional<event> read_event(const queue_delivery& from) {
  constexpr std::string_view prefix = "ce_";
  if (!is_event(from)) return std::nullopt;
  event read;
  for (const auto& [name, value] : from.attributes) {
    if (name == "content-type") read.datacontenttype = value;
    if (!std::string_view(name).starts_with(prefix)) continue;
    if (!take_attribute(read, std::string_view(name).substr(prefix.size()), value)) return std::nullopt;
  }
  return read;
}

DORMOUSE_INLINE event event_of_another(const queue_delivery& from) {
  event made{.type = "dormouse.queue.message",
             .source = "dormouse",
             .subject = from.group,
             .id = from.id,
             .time = from.sent_at};
  for (const auto& [name, value] : from.attributes) {
    if (name == "content-type") made.datacontenttype = value;
    if (is_extension_name(name) && !is_of_delivery(name)) made.extensions.emplace_back(name, value);
  }
  return made;
}

}  // namespace detail

DORMOUSE_INLINE queue_message event_message(event from) {
  queue_message made;
  detail::each_message_attribute(from, [&](std::string_view prefix, std::string_view name, std::string_view value) {
    made.attributes.emplace(std::string(prefix).append(name), value);
  });
  made.data = std::move(from.data);
  return made;
}

DORMOUSE_INLINE event message_event(const queue_delivery& from) {
  auto read = detail::read_event(from);
  event made = read ? std::move(*read) : detail::event_of_another(from);
  made.data = from.data;
  made.extensions.emplace_back("deliveries", fmt::format("{}", from.deliveries));
  made.extensions.emplace_back("sequence", fmt::format("{}", from.sequence));
  return made;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
