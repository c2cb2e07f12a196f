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

#include <dormouse/detail/wrapped_call.hpp>
#include <dormouse/event.hpp>
#include <dormouse/event_json.hpp>
#include <dormouse/runtime.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ios>
#include <istream>
#include <mutex>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

inline constexpr std::size_t event_line_bytes_max = std::size_t{64} << 20U;

// Reads the events one by one. A line that is wrong costs that line: the next next() goes on behind it.
class event_reader {
 public:
  // `from` outlives it. No more than `line_bytes_max` bytes, without the line break, are ever kept; not 0.
  explicit event_reader(std::istream& from, std::size_t line_bytes_max = event_line_bytes_max)
      : from_(from), line_bytes_max_(line_bytes_max) {
    if (line_bytes_max == 0) throw std::invalid_argument("dormouse: event_reader: give line_bytes_max 1 or more");
  }

  // The next event, empty lines passed over; nothing at the end. Fails, with the number of the line first in `detail`:
  // as event_from_json, too_large for a line that is longer, and unavailable when the stream cannot be read, which is
  // the end as well.
  [[nodiscard]] result<std::optional<event>> next() {
    while (!ended_) {
      ++number_;
      if (auto read = read_line(); !read) return at_line(std::move(read).error());
      if (line_.find_first_not_of(" \t\r") == std::string::npos) continue;
      auto made = event_from_json(line_);
      if (!made) return at_line(std::move(made).error());
      return std::optional<event>(std::move(*made));
    }
    return std::optional<event>{};
  }
  // Of the line that was read last; 1 for the first.
  [[nodiscard]] std::size_t line() const noexcept { return number_; }

 private:
  // A longer line is read to its end and not kept.
  result<void> read_line() {
    line_.clear();
    bool too_long = false;
    const auto broken = [this] { return from_.bad() || (from_.fail() && !from_.eof()); };
    try {
      if (broken()) throw std::ios_base::failure("");
      for (int byte = from_.rdbuf()->sbumpc(); byte != '\n'; byte = from_.rdbuf()->sbumpc()) {
        ended_ = byte == std::char_traits<char>::eof();
        if (ended_) break;
        too_long = too_long || line_.size() == line_bytes_max_;
        if (!too_long) line_ += static_cast<char>(byte);
      }
    } catch (const std::ios_base::failure&) {
      ended_ = true;
      return failure{.code = errc::unavailable, .effect = effect_kind::unknown, .detail = "the stream cannot be read"};
    }
    if (!too_long) return {};
    return failure{.code = errc::too_large,
                   .effect = effect_kind::not_applied,
                   .detail = fmt::format("longer than {} bytes", line_bytes_max_)};
  }
  [[nodiscard]] failure at_line(failure why) const {
    why.detail = fmt::format("line {}: {}", number_, why.detail);
    return why;
  }

  std::istream& from_;
  const std::size_t line_bytes_max_;
  std::string line_{};
  std::size_t number_ = 0;
  bool ended_ = false;
};

// All of them, or the first failure.
[[nodiscard]] inline result<std::vector<event>> read_events(std::istream& from) {
  event_reader reader(from);
  std::vector<event> all;
  while (true) {
    auto read = reader.next();
    if (!read) return std::move(read).error();
    if (!*read) return all;
    all.push_back(std::move(**read));
  }
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
    if (to_) {
      ++recorded_;
      return {};
    }
    return failure{.code = errc::unavailable, .effect = effect_kind::unknown, .detail = "the stream cannot be written"};
  }
  // Events that the stream has taken.
  [[nodiscard]] std::uint64_t recorded() const {
    const std::lock_guard lock(mutex_);
    return recorded_;
  }

  // A handler of `const event&`, with or without context&, like the given one. Each event is recorded before it is
  // run, as it was received: with the attributes that the library has filled, each attempt anew. One that cannot be
  // recorded is not run: that failure is its outcome.
  template <class Handler>
  auto around(Handler handler) {
    using returned = decltype(returned_by<Handler>(static_cast<detail::signature_of<Handler>*>(nullptr)));
    return [this, handler = std::move(handler)](const event& /*given*/,
                                                context& ctx) mutable -> result<typename returned::type> {
      const event& whole = ctx.current_event();
      if (auto written = record(whole); !written) return std::move(written).error();
      return detail::call_for_result<typename returned::type, const event&>(handler, ctx, whole);
    };
  }

 private:
  template <class Handler, class R>
  static std::type_identity<R> returned_by(R (*)(const event&));

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
