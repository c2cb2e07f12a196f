// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/time_text.hpp>
#include <dormouse/detail/utf8.hpp>
#include <dormouse/log.hpp>

#include <fmt/format.h>

#include <iterator>

namespace dormouse::inline DORMOUSE_FLAVOUR {

DORMOUSE_INLINE std::string_view to_string(log_level level) noexcept {
  switch (level) {
    case log_level::debug: return "debug";
    case log_level::info: return "info";
    case log_level::warning: return "warning";
    case log_level::error: return "error";
  }
  return "unknown";
}

namespace detail {

// Valid inside a JSON string (RFC 8259, section 7) and harmless on a terminal: controls are escaped, U+0080..U+009F
// included, and bytes that are no UTF-8 become U+FFFD.
DORMOUSE_INLINE void append_escaped(fmt::memory_buffer& out, std::string_view text, bool quotes) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const auto byte = static_cast<unsigned char>(text[0]);
    if (length == 0) {
      out.append(std::string_view("\\ufffd"));
    } else if (byte < 0x20 || byte == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
    } else if (byte == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(text[1]));
    } else {
      if (quotes && (byte == '"' || byte == '\\')) out.push_back('\\');
      out.append(text.data(), text.data() + length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

DORMOUSE_INLINE void append_time(fmt::memory_buffer& out, std::chrono::system_clock::time_point time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(time - whole);
  fmt::format_to(std::back_inserter(out), "{}.{:03}Z", to_text(whole), rest.count());
}

DORMOUSE_INLINE void append_text(fmt::memory_buffer& out, std::string_view text) {
  out.append(text.data(), text.data() + text.size());
}

}  // namespace detail

DORMOUSE_INLINE log_sink text_log(std::FILE* out) {
  return [out](const log_record& record) {
    fmt::memory_buffer line;
    detail::append_time(line, record.time);
    fmt::format_to(std::back_inserter(line), " {} {} #{}.{} [{}] ", to_string(record.level), record.function,
                   record.invocation, record.attempt, record.lineage);
    detail::append_escaped(line, record.message, false);
    line.push_back('\n');
    std::fwrite(line.data(), 1, line.size(), out);
  };
}

DORMOUSE_INLINE log_sink json_log(std::FILE* out) {
  return [out](const log_record& record) {
    fmt::memory_buffer line;
    detail::append_text(line, R"({"time":")");
    detail::append_time(line, record.time);
    fmt::format_to(std::back_inserter(line),
                   R"(","level":"{}","function":"{}","invocation":{},"attempt":{},"lineage":")",
                   to_string(record.level), record.function, record.invocation, record.attempt);
    detail::append_escaped(line, record.lineage, true);
    detail::append_text(line, R"(","message":")");
    detail::append_escaped(line, record.message, true);
    detail::append_text(line, "\"}\n");
    std::fwrite(line.data(), 1, line.size(), out);
  };
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
