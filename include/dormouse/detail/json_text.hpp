// SPDX-License-Identifier: MIT
#pragma once

// A piece of a JSON text as it was written: with its order, its spaces and all digits of its numbers, which a parsed
// value does not keep. Only for text that the parser has accepted: nothing is checked here.

#include <dormouse/json.hpp>

#include <cstddef>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

inline constexpr std::string_view json_spaces = " \t\r\n";

// `at` is on its first quote; what is given, behind its last.
inline std::size_t end_of_json_string(std::string_view text, std::size_t at) {
  for (++at; text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return at + 1;
}

inline std::size_t end_of_json_value(std::string_view text, std::size_t at) {
  for (int depth = 0;; ++at) {
    const char each = text[at];
    if (each == '"') {
      at = end_of_json_string(text, at);
      if (depth == 0) return at;
      --at;
    } else if (each == '{' || each == '[') {
      ++depth;
    } else if (each == '}' || each == ']') {
      if (depth == 0) return at;
      if (--depth == 0) return at + 1;
    } else if (depth == 0 && (each == ',' || json_spaces.find(each) != std::string_view::npos)) {
      return at;
    }
  }
}

// The value of the member `name` of the object that `object` is; of the last one of that name, as the parser does it.
inline std::string_view json_member_text(std::string_view object, std::string_view name) {
  std::string_view found;
  std::size_t at = object.find('{') + 1;
  while (true) {
    at = object.find_first_not_of(" \t\r\n,", at);
    if (object[at] == '}') return found;
    const std::size_t key_end = end_of_json_string(object, at);
    const std::string_view key = object.substr(at, key_end - at);
    const bool escaped = key.find('\\') != std::string_view::npos;
    const bool wanted =
        escaped ? nlohmann::json::parse(key).get<std::string>() == name : key.substr(1, key.size() - 2) == name;
    at = object.find_first_not_of(" \t\r\n:", key_end);
    const std::size_t end = end_of_json_value(object, at);
    if (wanted) found = object.substr(at, end - at);
    at = end;
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
