// SPDX-License-Identifier: MIT
#pragma once

// An event as JSON text and back: the CloudEvents JSON Event Format 1.0.2. Needs nlohmann-json: belongs to
// dormouse::json.
//
// What is written is read back byte for byte, whatever the data: JSON data stands as JSON where that changes nothing,
// text (a datacontenttype that is not JSON) as text if it is UTF-8, everything else as data_base64. What others wrote
// is taken as they wrote it: JSON data keeps its order, its spaces and every digit of its numbers.
// Threads: any. Limits: those of parse_json; years 1700 .. 2261.

#include <dormouse/detail/json_text.hpp>
#include <dormouse/detail/text_formats.hpp>
#include <dormouse/detail/utf8.hpp>
#include <dormouse/event.hpp>
#include <dormouse/json.hpp>

#include <chrono>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

inline void put_data(nlohmann::json& to, const event& from) {
  const std::string bytes(from.data.text());
  if (bytes.empty()) return;
  if (is_json_type(from.datacontenttype)) {
    if (auto parsed = parse_json(bytes); parsed && parsed->dump() == bytes) {
      to["data"] = std::move(*parsed);
      return;
    }
  } else if (!from.datacontenttype.empty() && is_well_formed_utf8(bytes)) {
    to["data"] = bytes;
    return;
  }
  to["data_base64"] = to_base64(bytes);
}

// One member that is no attribute of the format itself.
inline result<void> take_extension(event& to, const std::string& name, const nlohmann::json& value) {
  if (value.is_null()) return {};
  if (value.is_structured() || value.is_number_float())
    return refuse_text("extension " + name + ": no string, boolean or integer");
  to.extensions.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
  return {};
}

inline result<void> take_member(event& to, const std::string& name, const nlohmann::json& value) {
  if (name == "specversion" || name == "data" || name == "data_base64") return {};
  std::string* const texts[] = {&to.type, &to.source, &to.subject, &to.id, &to.datacontenttype};
  constexpr std::string_view names[] = {"type", "source", "subject", "id", "datacontenttype"};
  for (std::size_t i = 0; i < std::size(names); ++i) {
    if (names[i] != name) continue;
    if (value.is_null()) return {};
    if (!value.is_string()) return refuse_text(name + ": no string");
    *texts[i] = value.get<std::string>();
    return {};
  }
  if (name != "time") return take_extension(to, name, value);
  if (value.is_null()) return {};
  if (!value.is_string()) return refuse_text("time: no string");
  auto when = from_time(value.get<std::string>());
  if (!when) return std::move(when).error();
  to.time = *when;
  return {};
}

// `line` is the text that `from` was parsed from.
inline result<void> take_data(event& to, const nlohmann::json& from, std::string_view line) {
  const bool plain = from.contains("data");
  if (!from.contains("data_base64")) {
    if (!plain || from["data"].is_null()) return {};
    const bool text = from["data"].is_string() && !to.datacontenttype.empty() && !is_json_type(to.datacontenttype);
    to.data = payload(text ? from["data"].get<std::string>() : std::string(json_member_text(line, "data")));
    return {};
  }
  if (plain) return refuse_text("data and data_base64 are both there");
  if (!from["data_base64"].is_string()) return refuse_text("data_base64: no string");
  auto bytes = from_base64(from["data_base64"].get<std::string>());
  if (!bytes) return std::move(bytes).error();
  to.data = payload(std::move(*bytes));
  return {};
}

}  // namespace detail

// Without a line break. Attributes that are empty are left out. Fails: invalid_argument when validate() does, or for
// text that is not UTF-8.
[[nodiscard]] inline result<std::string> event_to_json(const event& message) {
  if (auto valid = validate(message); !valid) return std::move(valid).error();
  nlohmann::json line{{"specversion", "1.0"}, {"type", message.type}, {"source", message.source}, {"id", message.id}};
  if (!message.subject.empty()) line["subject"] = message.subject;
  if (!message.datacontenttype.empty()) line["datacontenttype"] = message.datacontenttype;
  if (message.time) line["time"] = detail::to_time(*message.time);
  for (const auto& [name, value] : message.extensions) line[name] = value;
  try {
    detail::put_data(line, message);
    return line.dump();
  } catch (const nlohmann::json::exception& why) {
    return detail::refuse_text(why.what());
  }
}

// Fails: invalid_argument, naming what is wrong, for a line that is not JSON or no CloudEvent 1.0.
[[nodiscard]] inline result<event> event_from_json(std::string_view line) {
  auto parsed = parse_json(line);
  if (!parsed) return std::move(parsed).error();
  if (!parsed->is_object()) return detail::refuse_text("no JSON object");
  if (!parsed->contains("specversion") || (*parsed)["specversion"] != "1.0") {
    return detail::refuse_text("specversion must be \"1.0\"");
  }
  event made;
  for (const auto& [name, value] : parsed->items()) {
    if (auto taken = detail::take_member(made, name, value); !taken) return std::move(taken).error();
  }
  if (auto taken = detail::take_data(made, *parsed, line); !taken) return std::move(taken).error();
  if (auto valid = validate(made); !valid) return std::move(valid).error();
  return made;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
