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

namespace detail {
// CloudEvents 1.0.2, "Type System", String: no U+0000..U+001F, no U+007F..U+009F.
DORMOUSE_INLINE bool has_control(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) return true;
    if (byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) return true;
  }
  return false;
}

DORMOUSE_INLINE bool is_core_attribute(std::string_view name) noexcept {
  // `data` is none, but CloudEvents keeps the name free: JSON has the data there.
  for (const char* taken : {"id", "source", "type", "specversion", "subject", "time", "datacontenttype", "data"}) {
    if (name == taken) return true;
  }
  return false;
}
}  // namespace detail

DORMOUSE_INLINE result<void> validate(const event& message) {
  const auto refuse = [](std::string text) {
    return failure{.code = errc::invalid_argument, .effect = effect_kind::not_applied, .detail = std::move(text)};
  };
  if (message.type.empty()) return refuse("event: `type` is required and is empty");
  if (message.source.empty()) return refuse("event: `source` is required and is empty");
  if (message.id.empty()) return refuse("event: `id` is required and is empty");
  const std::pair<const char*, const std::string*> attributes[] = {{"type", &message.type},
                                                                   {"source", &message.source},
                                                                   {"subject", &message.subject},
                                                                   {"id", &message.id},
                                                                   {"datacontenttype", &message.datacontenttype}};
  for (const auto& [name, value] : attributes) {
    if (detail::has_control(*value)) return refuse(fmt::format("event: `{}` holds a control character", name));
  }
  for (const auto& [name, value] : message.extensions) {
    const bool spelled = !name.empty() && name.size() <= 20 &&
                         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") == std::string::npos;
    if (!spelled) {
      return refuse(fmt::format("event: extension name `{}` must be 1..20 of [a-z0-9]", detail::printable(name, 40)));
    }
    if (detail::is_core_attribute(name))
      return refuse(fmt::format("event: extension `{}` has an attribute's name", name));
    if (find_extension(message, name) != &value)
      return refuse(fmt::format("event: extension `{}` is there twice", name));
    if (detail::has_control(value)) return refuse(fmt::format("event: extension `{}` holds a control character", name));
  }
  return {};
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
