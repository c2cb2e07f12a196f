// SPDX-License-Identifier: MIT
#pragma once

// How a handler's parameter is read from an event and its reply written as bytes, when a function is called by name.
// Built in: std::string and std::string_view (text), payload and std::span<const std::byte> (bytes), bool and numbers
// (decimal text, the whole input), event (as it is). JSON: dormouse/json.hpp. Your own: specialise codec<T>.
// A struct is never a codec by accident.
// Threads: stateless. Errors: decode returns invalid_argument with reason payload_type; it never throws but bad_alloc.

#include <dormouse/event.hpp>
#include <dormouse/payload.hpp>
#include <dormouse/result.hpp>

#include <charconv>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// A specialisation has:
//   static constexpr std::string_view content_type;           // media type of what encode() writes
//   static result<T> decode(const event& message);            // needed for a parameter
//   static result<payload> encode(const T& value);            // needed for a reply
// and, when T is a view that dies with the event, `using owned = ...;`: what post() and submit() keep instead.
template <class T>
struct codec;

template <class T>
concept decodable = requires(const event& message) {
  { codec<T>::decode(message) } -> std::same_as<result<T>>;
};
template <class T>
concept encodable = requires(const T& value) {
  { codec<T>::encode(value) } -> std::same_as<result<payload>>;
  { codec<T>::content_type } -> std::convertible_to<std::string_view>;
};

namespace detail {
[[nodiscard]] failure not_a(std::string_view wanted, std::string_view got);
template <class T>
result<T> decode_number(std::string_view text);
}  // namespace detail

template <>
struct codec<std::string> {
  static constexpr std::string_view content_type = "text/plain; charset=utf-8";
  static result<std::string> decode(const event& message) { return std::string(message.data.text()); }
  static result<payload> encode(const std::string& value) { return payload(value); }
  static result<payload> encode(std::string&& value) { return payload(std::move(value)); }
};

template <>
struct codec<std::string_view> {
  using owned = std::string;
  static constexpr std::string_view content_type = codec<std::string>::content_type;
  static result<std::string_view> decode(const event& message) { return message.data.text(); }
  static result<payload> encode(std::string_view value) { return payload(value); }
};

template <>
struct codec<payload> {
  static constexpr std::string_view content_type = "application/octet-stream";
  static result<payload> decode(const event& message) { return message.data; }
  static result<payload> encode(const payload& value) { return value; }
};

template <>
struct codec<std::span<const std::byte>> {
  using owned = payload;
  static constexpr std::string_view content_type = codec<payload>::content_type;
  static result<std::span<const std::byte>> decode(const event& message) { return message.data.bytes(); }
  static result<payload> encode(std::span<const std::byte> value) { return payload(value); }
};

template <>
struct codec<event> {
  static result<event> decode(const event& message) { return message; }
};

template <>
struct codec<bool> {
  static constexpr std::string_view content_type = codec<std::string>::content_type;
  static result<bool> decode(const event& message) {
    const std::string_view text = message.data.text();
    if (text == "true" || text == "1") return true;
    if (text == "false" || text == "0") return false;
    return detail::not_a("true, false, 1 or 0", text);
  }
  static result<payload> encode(bool value) { return payload(value ? "true" : "false"); }
};

// char is text, not a number: take it as std::string.
template <class T>
concept codec_number = (std::integral<T> || std::floating_point<T>)&&!std::same_as<T, bool> && !std::same_as<T, char> &&
                       !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> && !std::same_as<T, char16_t> &&
                       !std::same_as<T, char32_t>;

template <codec_number T>
struct codec<T> {
  static constexpr std::string_view content_type = codec<std::string>::content_type;
  static result<T> decode(const event& message) { return detail::decode_number<T>(message.data.text()); }
  static result<payload> encode(T value) {
    char text[64];
    const auto written = std::to_chars(text, text + sizeof text, value);
    return payload(std::string_view{text, static_cast<std::size_t>(written.ptr - text)});
  }
};

namespace detail {

template <class T>
constexpr std::string_view number_name() {
  if constexpr (std::floating_point<T>) return "a number in decimal text";
  if constexpr (std::signed_integral<T>) return "a whole number in range, in decimal text";
  return "a whole number, not negative, in range, in decimal text";
}

template <class T>
result<T> decode_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return not_a(number_name<T>(), text);
  return value;
}

}  // namespace detail

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/codec.ipp>
#endif
