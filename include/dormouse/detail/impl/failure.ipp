// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/failure.hpp>

namespace dormouse::inline DORMOUSE_FLAVOUR {

DORMOUSE_INLINE std::string_view to_string(errc code) noexcept {
  switch (code) {
    case errc::not_found: return "not_found";
    case errc::already_exists: return "already_exists";
    case errc::condition_failed: return "condition_failed";
    case errc::conflict: return "conflict";
    case errc::invalid_argument: return "invalid_argument";
    case errc::too_large: return "too_large";
    case errc::throttled: return "throttled";
    case errc::deadline_exceeded: return "deadline_exceeded";
    case errc::unavailable: return "unavailable";
    case errc::unsupported: return "unsupported";
    case errc::expired: return "expired";
    case errc::unauthenticated: return "unauthenticated";
    case errc::permission_denied: return "permission_denied";
    case errc::limit_exceeded: return "limit_exceeded";
    case errc::out_of_memory: return "out_of_memory";
    case errc::corruption: return "corruption";
    case errc::cancelled: return "cancelled";
    case errc::internal: return "internal";
    case errc::init_failed: return "init_failed";
    case errc::function_failed: return "function_failed";
    case errc::recursion_limit: return "recursion_limit";
    case errc::shutting_down: return "shutting_down";
    case errc::event_age_exceeded: return "event_age_exceeded";
  }
  return "unknown";
}

DORMOUSE_INLINE std::string_view to_string(effect_kind effect) noexcept {
  switch (effect) {
    case effect_kind::not_applied: return "not_applied";
    case effect_kind::applied: return "applied";
    case effect_kind::unknown: return "unknown";
  }
  return "unknown";
}

DORMOUSE_INLINE std::string_view to_string(failure_reason reason) noexcept {
  switch (reason) {
    case failure_reason::none: return "none";
    case failure_reason::queue_depth: return "queue_depth";
    case failure_reason::queue_bytes: return "queue_bytes";
    case failure_reason::instances: return "instances";
    case failure_reason::paused: return "paused";
    case failure_reason::dead_letters: return "dead_letters";
    case failure_reason::undefined: return "undefined";
    case failure_reason::depth: return "depth";
    case failure_reason::chain: return "chain";
    case failure_reason::stale_receipt: return "stale_receipt";
    case failure_reason::store_full: return "store_full";
    case failure_reason::no_threads: return "no_threads";
    case failure_reason::owned_elsewhere: return "owned_elsewhere";
    case failure_reason::name: return "name";
    case failure_reason::payload_type: return "payload_type";
    case failure_reason::timeout: return "timeout";
    case failure_reason::caller_deadline: return "caller_deadline";
    case failure_reason::handler_threw: return "handler_threw";
    case failure_reason::key_bytes: return "key_bytes";
    case failure_reason::value_bytes: return "value_bytes";
    case failure_reason::page_size: return "page_size";
    case failure_reason::descriptors: return "descriptors";
    case failure_reason::path: return "path";
    case failure_reason::init_spacing: return "init_spacing";
    case failure_reason::forked_child: return "forked_child";
    case failure_reason::in_flight: return "in_flight";
  }
  return "unknown";
}

DORMOUSE_INLINE std::string to_string(const failure& why) {
  std::string text{to_string(why.code)};
  if (why.cause != errc{}) text.append(" by ").append(to_string(why.cause));
  if (why.reason != failure_reason::none) text.append(" (").append(to_string(why.reason)).append(")");
  text.append(", ").append(to_string(why.effect));
  if (!why.detail.empty()) text.append(": ").append(why.detail);
  return text;
}

namespace detail {
DORMOUSE_INLINE std::string printable(std::string_view text, std::size_t bytes_max) {
  std::string shown{text.substr(0, bytes_max)};
  for (char& c : shown) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f) c = '.';
  }
  if (text.size() > bytes_max) shown.append("...");
  return shown;
}

DORMOUSE_INLINE failure make_failure(errc code, effect_kind effect, failure_reason reason,
                                     std::string_view text) noexcept {
  failure why;
  why.code = code;
  why.effect = effect;
  why.reason = reason;
  try {
    why.detail.assign(text);
  } catch (...) {
    why.detail.clear();
  }
  return why;
}
}  // namespace detail

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
