// SPDX-License-Identifier: MIT
#pragma once

// Events on paper: recorded as lines of JSON, one CloudEvent 1.0 each (event_json.hpp), read back, and played again.
// Needs nlohmann-json: belongs to dormouse::json.
//
//   event_recorder recorder(file);                          // records what a function is given:
//   host.define("import", recorder.around(import_order));   // a handler that takes const event&
//   ...
//   auto log = read_events(file).value();
//   replay(host, "import", log);
//
// Threads: a recorder's members from any; the rest one at a time.

#include <dormouse/event.hpp>
#include <dormouse/event_json.hpp>
#include <dormouse/runtime.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <istream>
#include <mutex>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

inline constexpr std::size_t event_line_bytes_max = std::size_t{64} << 20U;

// All lines, empty ones left out. Fails as event_from_json, with the number of the line, and too_large for one beyond
// event_line_bytes_max.
[[nodiscard]] inline result<std::vector<event>> read_events(std::istream& from) {
  std::vector<event> all;
  std::string line;
  for (std::size_t number = 1; std::getline(from, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    if (line.size() > event_line_bytes_max) {
      return failure{
          .code = errc::too_large, .effect = effect_kind::not_applied, .detail = fmt::format("line {}", number)};
    }
    auto read = event_from_json(line);
    if (!read) {
      failure why = std::move(read).error();
      why.detail = fmt::format("line {}: {}", number, why.detail);
      return why;
    }
    all.push_back(std::move(*read));
  }
  return all;
}

class event_recorder {
 public:
  // `to` outlives it, and every handler that it was put around.
  explicit event_recorder(std::ostream& to) : to_(to) {}

  // Fails as event_to_json, and unavailable when the stream does.
  result<void> record(const event& message) {
    auto line = event_to_json(message);
    if (!line) return std::move(line).error();
    const std::lock_guard lock(mutex_);
    to_ << *line << '\n';
    ++recorded_;
    if (to_) return {};
    return failure{.code = errc::unavailable, .effect = effect_kind::unknown, .detail = "the stream cannot be written"};
  }
  [[nodiscard]] std::uint64_t recorded() const {
    const std::lock_guard lock(mutex_);
    return recorded_;
  }

  // A handler of an event like the given one, each of whose events is recorded first, as it was received: with the
  // attributes that the library has filled. An event that cannot be recorded is not run: that failure is its outcome.
  template <class Handler>
  auto around(Handler handler) {
    using returned = detail::unwrapped_t<std::invoke_result_t<Handler&, const event&>>;
    return [this, handler = std::move(handler)](const event& /*given*/, context& ctx) mutable -> result<returned> {
      const event& whole = ctx.current_event();
      if (auto written = record(whole); !written) return std::move(written).error();
      if constexpr (std::is_void_v<returned>) {
        if constexpr (std::is_void_v<std::invoke_result_t<Handler&, const event&>>) {
          handler(whole);
          return {};
        } else {
          return handler(whole);
        }
      } else {
        return handler(whole);
      }
    };
  }

 private:
  std::ostream& to_;
  mutable std::mutex mutex_{};
  std::uint64_t recorded_ = 0;
};

struct replay_result {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
  failure last_refusal{};  // when there was one
};

// Posts the events, in their order, at once.
inline replay_result replay(runtime& host, std::string_view name, const std::vector<event>& events) {
  replay_result sums;
  for (const event& each : events) {
    if (auto posted = host.post(name, each)) {
      ++sums.accepted;
    } else {
      ++sums.refused;
      sums.last_refusal = std::move(posted).error();
    }
  }
  return sums;
}

// The same at the distances of their `time`s: `pass(length)` lets the time between two of them pass, for instance
// [&](auto length) { sim.advance(length); }. Events without a time, or with an earlier one, follow at once.
template <class Pass>
replay_result replay(runtime& host, std::string_view name, const std::vector<event>& events, Pass&& pass) {
  replay_result sums;
  std::optional<std::chrono::system_clock::time_point> last;
  for (const event& each : events) {
    if (each.time && last && *each.time > *last) pass(std::chrono::nanoseconds{*each.time - *last});
    if (each.time && (!last || *each.time > *last)) last = each.time;
    const replay_result one = replay(host, name, {each});
    sums.accepted += one.accepted;
    sums.refused += one.refused;
    if (one.refused != 0) sums.last_refusal = one.last_refusal;
  }
  return sums;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing
