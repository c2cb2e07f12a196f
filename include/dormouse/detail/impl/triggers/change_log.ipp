// SPDX-License-Identifier: MIT
#pragma once

// What on_change and on_object share beside the feed.

#include <dormouse/detail/change_feed.hpp>
#include <dormouse/detail/impl/change_feed.ipp>
#include <dormouse/detail/impl/events_in_flight.ipp>
#include <dormouse/result.hpp>
#include <dormouse/services/change_watcher.hpp>
#include <dormouse/triggers/change_log.hpp>

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// A service's log, table's or object_store's.
template <class Service>
class watched_log : public change_source, private change_watcher {
 public:
  explicit watched_log(Service& service) : service_(service) {}

  result<void> watch(trigger_port& port) final {
    if (!service_.capabilities().change_log) {
      return failure{.code = errc::unsupported,
                     .effect = effect_kind::not_applied,
                     .detail = fmt::format("{} keeps no log of its changes: {}", this->name(), this->mend())};
    }
    port_ = &port;
    auto watching = service_.watch(*this);
    watches_ = watching.has_value();
    return watching;
  }
  void unwatch() noexcept final {
    if (std::exchange(watches_, false)) service_.unwatch(*this);
  }
  result<std::uint64_t> last_change() final { return service_.last_change(); }
  result<std::optional<std::uint64_t>> position(std::string_view reader) final { return service_.position(reader); }
  result<void> remember(std::string_view reader, std::uint64_t position) final {
    return service_.remember(reader, position);
  }
  result<page> read(std::uint64_t after, std::size_t count, std::vector<fed_change>& wanted) final {
    auto changes = service_.changes(after, count);
    if (!changes) return std::move(changes).error();
    for (auto& each : *changes) {
      if (this->wants(each)) wanted.push_back(this->fed(std::move(each)));
    }
    const std::uint64_t last = changes->empty() ? after : changes->back().sequence;
    return page{.last = last, .more = changes->size() == count};
  }

 protected:
  using change = typename decltype(std::declval<Service&>().changes(0))::value_type::value_type;
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
  [[nodiscard]] virtual std::string_view mend() const noexcept = 0;
  [[nodiscard]] virtual bool wants(const change& each) const = 0;
  // Keeps its sequence.
  [[nodiscard]] virtual fed_change fed(change&& each) const = 0;
  [[nodiscard]] Service& service() const noexcept { return service_; }
  [[nodiscard]] const clock& time() const noexcept { return port_->time(); }

 private:
  // Told twice in vain if there is no thread; the next change, or the end of an event, tells again.
  void changed() noexcept final { [[maybe_unused]] const bool told = port_->wake_soon() || port_->wake_soon(); }

  Service& service_;
  trigger_port* port_ = nullptr;
  bool watches_ = false;
};

// Bytes that are not printable ASCII, or are in `special`, as %XX.
DORMOUSE_INLINE std::string escaped(std::string_view bytes, std::string_view special) {
  std::string text;
  text.reserve(bytes.size());
  for (const char each : bytes) {
    const auto byte = static_cast<unsigned char>(each);
    if (byte <= 0x20 || byte >= 0x7f || special.find(each) != std::string_view::npos) {
      fmt::format_to(std::back_inserter(text), "%{:02X}", byte);
    } else {
      text += each;
    }
  }
  return text;
}

DORMOUSE_INLINE std::optional<std::string> unescaped(std::string_view text) {
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      bytes += text[at];
      continue;
    }
    unsigned value = 0;
    const char* const digits = text.data() + at + 1;
    if (text.size() - at < 3 || std::from_chars(digits, digits + 2, value, 16).ptr != digits + 2) return std::nullopt;
    bytes += static_cast<char>(value);
    at += 2;
  }
  return bytes;
}

// What both kinds of options have. Throws std::invalid_argument.
template <class Options>
change_feed_options checked_feed_options(std::string_view name, const Options& options) {
  using namespace std::chrono_literals;
  const auto refuse = [&](std::string_view field, std::string_view bounds) {
    throw std::invalid_argument(fmt::format("dormouse: {}::{}: give {}", name, field, bounds));
  };
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  if (options.reader.size() > 64 || options.reader.find_first_not_of(letters) != std::string::npos) {
    refuse("reader", "nothing, or 1 .. 64 of [A-Za-z0-9_-]");
  }
  if (options.source.empty()) refuse("source", "what CloudEvents requires: a URI reference");
  if (options.in_flight_max < 1 || options.in_flight_max > 100'000) refuse("in_flight_max", "1 .. 100,000");
  if (options.retry_after < 1ms || options.retry_after > 1h) refuse("retry_after", "1 ms .. 1 h");
  if (options.remember_after < 0ms || options.remember_after > 1h) refuse("remember_after", "0 .. 1 h");
  change_feed_options made{.reader = options.reader,
                           .from_oldest = options.from == log_start::oldest,
                           .in_flight_max = options.in_flight_max,
                           .retry_after = options.retry_after,
                           .remember_after = options.remember_after};
  if (options.on_gap) {
    made.on_gap = [tell = options.on_gap](std::uint64_t after, std::uint64_t resumed_after) {
      tell({.after = after, .resumed_after = resumed_after});
    };
  }
  return made;
}

DORMOUSE_INLINE failure not_of_trigger(std::string_view trigger) {
  return failure{.code = errc::invalid_argument,
                 .effect = effect_kind::not_applied,
                 .reason = failure_reason::payload_type,
                 .detail = fmt::format("the event is none of {}", trigger)};
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
