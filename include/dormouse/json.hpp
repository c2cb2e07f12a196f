// SPDX-License-Identifier: MIT
#pragma once

// JSON as a codec, opt-in: include this header and link dormouse::json (nlohmann-json).
//   - nlohmann::json is a codec as it is.
//   - Your own type, after NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE or to_json/from_json, then one line:
//       template <> struct dormouse::codec<order> : dormouse::json_codec<order> {};
// Errors: text that is not JSON, or not of the type's shape: invalid_argument (payload_type) with place and cause.
// Limits: nesting beyond json_depth_max is refused.

#include <dormouse/codec.hpp>

#include <nlohmann/json.hpp>

#include <exception>
#include <new>
#include <string>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR {

inline constexpr int json_depth_max = 64;

// Parses all of `text`. Fails: invalid_argument (payload_type).
[[nodiscard]] inline result<nlohmann::json> parse_json(std::string_view text) {
  const auto refuse = [](std::string_view why) {
    return failure{.code = errc::invalid_argument,
                   .effect = effect_kind::not_applied,
                   .reason = failure_reason::payload_type,
                   .detail = detail::printable(why, 300)};
  };
  if (text.find('\0') != std::string_view::npos) return refuse("JSON: a NUL byte");  // the parser would end there
  bool too_deep = false;
  // Called with the number of arrays and objects around the one that begins.
  const auto watch_depth = [&too_deep](int depth, nlohmann::json::parse_event_t what, nlohmann::json&) {
    const bool opens =
        what == nlohmann::json::parse_event_t::object_start || what == nlohmann::json::parse_event_t::array_start;
    too_deep = too_deep || (opens && depth >= json_depth_max);
    return !too_deep;
  };
  try {
    auto parsed = nlohmann::json::parse(text, watch_depth);
    if (too_deep) return refuse("JSON: nested deeper than 64");
    return parsed;
  } catch (const nlohmann::json::exception& why) {
    return refuse(why.what());
  }
}

template <class T>
struct json_codec {
  static constexpr std::string_view content_type = "application/json";
  static result<T> decode(const event& message) {
    auto parsed = parse_json(message.data.text());
    if (!parsed) return std::move(parsed).error();
    if constexpr (std::is_same_v<T, nlohmann::json>) {
      return std::move(*parsed);
    } else {
      try {
        return parsed->template get<T>();
      } catch (const std::bad_alloc&) {
        throw;
      } catch (const std::exception& why) {  // nlohmann's own, and what the type's from_json throws
        return failure{.code = errc::invalid_argument,
                       .effect = effect_kind::not_applied,
                       .reason = failure_reason::payload_type,
                       .detail = detail::printable(why.what(), 300)};
      }
    }
  }
  // Fails: invalid_argument for text that is not UTF-8.
  static result<payload> encode(const T& value) {
    try {
      return payload(nlohmann::json(value).dump());
    } catch (const nlohmann::json::exception& why) {
      return failure{.code = errc::invalid_argument,
                     .effect = effect_kind::not_applied,
                     .reason = failure_reason::payload_type,
                     .detail = why.what()};
    }
  }
};

template <>
struct codec<nlohmann::json> : json_codec<nlohmann::json> {};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
