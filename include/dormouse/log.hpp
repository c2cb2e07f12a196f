// SPDX-License-Identifier: MIT
#pragma once

// What a handler logs, with who said it: function, invocation, attempt and the chain of calls that led there.
// A runtime logs nowhere unless it is given a sink; then a call of ctx.log() formats and hands over one record.
// Threads: a sink is called from any thread, several at once. Errors: what a sink throws is dropped and counted.

#include <dormouse/detail/config.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR {

enum class log_level : std::uint8_t { debug = 1, info, warning, error };

// Views live for the call of the sink.
struct log_record {
  log_level level = log_level::info;
  std::chrono::system_clock::time_point time{};
  std::string_view function{};
  std::uint64_t invocation = 0;
  unsigned attempt = 1;
  // The chain of functions from the outermost call to this one: "import > resize > store".
  std::string_view lineage{};
  std::string_view message{};
};

using log_sink = std::function<void(const log_record&)>;

[[nodiscard]] std::string_view to_string(log_level level) noexcept;

// Writes a line a record to `out`, which stays the caller's and must outlive the sink. One write a line.
//   text: 2026-11-23T12:00:00.000Z info resize #42.1 [import > resize] message
//   JSON: {"time":...,"level":...,"function":...,"invocation":42,"attempt":1,"lineage":...,"message":...}
// Control characters in messages are escaped, so that a message cannot forge a line.
[[nodiscard]] log_sink text_log(std::FILE* out);
[[nodiscard]] log_sink json_log(std::FILE* out);

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/log.ipp>
#endif
