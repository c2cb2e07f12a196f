// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/event.hpp>

#include <fmt/format.h>

#include <atomic>
#include <random>

namespace dormouse::inline DORMOUSE_FLAVOUR {

DORMOUSE_INLINE const std::string* find_extension(const event& message, std::string_view name) noexcept {
  for (const auto& [key, value] : message.extensions) {
    if (key == name) return &value;
  }
  return nullptr;
}

namespace detail {
// The prefix makes ids differ between processes; the counter, within this one.
DORMOUSE_INLINE std::string next_event_id() {
  static const std::uint64_t prefix = [] {
    std::random_device source;
    return (std::uint64_t{source()} << 32) | source();
  }();
  static std::atomic<std::uint64_t> counter{0};
  // relaxed: only uniqueness is asked of it.
  return fmt::format("{:016x}-{:x}", prefix, counter.fetch_add(1, std::memory_order_relaxed));
}
}  // namespace detail

DORMOUSE_INLINE void fill_attributes(event& message, const clock& time) {
  if (message.id.empty()) message.id = detail::next_event_id();
  if (message.source.empty()) message.source = "dormouse";
  if (!message.time) message.time = time.wall();
}

DORMOUSE_INLINE result<void> validate(const event& message) {
  const auto refuse = [](std::string text) {
    return failure{.code = errc::invalid_argument, .effect = effect_kind::not_applied, .detail = std::move(text)};
  };
  if (message.type.empty()) return refuse("event: `type` is required and is empty");
  if (message.source.empty()) return refuse("event: `source` is required and is empty");
  if (message.id.empty()) return refuse("event: `id` is required and is empty");
  for (const auto& [name, value] : message.extensions) {
    const bool spelled = !name.empty() && name.size() <= 20 &&
                         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") == std::string::npos;
    if (!spelled) return refuse(fmt::format("event: extension name `{}` must be 1..20 of [a-z0-9]", name));
  }
  return {};
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
