// SPDX-License-Identifier: MIT
#pragma once

// What every call of every service begins and ends with: its deadline is looked at, a refusal is put into words, and
// nothing that an adapter throws leaves the interface.

#include <dormouse/clock.hpp>
#include <dormouse/result.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

#if defined(__GLIBCXX__)
#include <cxxabi.h>
#endif

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// Formats without allocating: a refusal stays that refusal when memory is short.
template <class... Args>
failure refuse_service_call(errc code, failure_reason reason, fmt::format_string<Args...> text, Args&&... args) {
  char shown[256];
  const auto written = fmt::format_to_n(shown, sizeof shown, text, std::forward<Args>(args)...);
  return make_failure(code, effect_kind::not_applied, reason, {shown, static_cast<std::size_t>(written.out - shown)});
}

inline result<void> in_time(const clock& time, const std::optional<clock::time_point>& deadline) {
  if (!deadline || time.now() < *deadline) return {};
  return refuse_service_call(errc::deadline_exceeded, failure_reason::caller_deadline,
                             "the deadline had passed before the call");
}

// What readers, indexes and the like are called: 1 .. 64 of [A-Za-z0-9_-].
inline bool is_plain_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char each) {
    return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each >= '0' && each <= '9') ||
           each == '-' || each == '_';
  });
}

inline result<void> check_reader(std::string_view name) {
  if (is_plain_name(name)) return {};
  return refuse_service_call(errc::invalid_argument, failure_reason::name,
                             "reader \"{}\"; give 1 .. 64 of [A-Za-z0-9_-]", printable(name, 64));
}

// Nothing an adapter throws leaves the interface. `call` is told where to say what an exception from now on may have
// left behind; until it does, nothing.
template <class F>
auto contained(F&& call) -> decltype(call(std::declval<effect_kind&>())) {
  auto effect = effect_kind::not_applied;
  try {
    return call(effect);
#if defined(__GLIBCXX__)
  } catch (abi::__forced_unwind&) {  // the host cancels this thread: not ours to stop
    throw;
#endif
  } catch (const std::bad_alloc&) {
    return make_failure(errc::out_of_memory, effect, failure_reason::none, {});
  } catch (const std::exception& why) {
    return make_failure(errc::internal, effect, failure_reason::none, why.what() != nullptr ? why.what() : "");
  } catch (...) {
    return make_failure(errc::internal, effect, failure_reason::none, "the adapter threw");
  }
}

// What a service without a clock of its own goes by.
inline const clock& system_clock_of_services() {
  static const clock time;
  return time;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
