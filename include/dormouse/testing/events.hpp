// SPDX-License-Identifier: MIT
#pragma once

// Well-formed events for tests: as the triggers make them, with ids and times that are the same in every run.
// Change what the test is about; the rest stays valid: make_event({.type = "order.placed", .data = "{}"}).
// Errors: none but std::bad_alloc. Threads: any.

#include <dormouse/event.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::testing {

// 2023-11-14T22:13:20Z, where a manual_clock begins as well.
inline constexpr std::chrono::system_clock::time_point test_time{std::chrono::seconds{1'700'000'000}};

// `wanted`, with a value for each attribute that CloudEvents requires and that is empty, and a time.
[[nodiscard]] inline event make_event(event wanted = {}) {
  if (wanted.type.empty()) wanted.type = "test.event";
  if (wanted.source.empty()) wanted.source = "test";
  if (wanted.id.empty()) wanted.id = "1";
  if (!wanted.time) wanted.time = test_time;
  return wanted;
}

// `count` of them, a second apart, with ids "1", "2" and so on.
[[nodiscard]] inline std::vector<event> make_events(std::uint64_t count, const event& like = {}) {
  std::vector<event> made;
  for (std::uint64_t i = 1; i <= count; ++i) {
    event each = like;
    each.id = fmt::format("{}", i);
    each.time = like.time.value_or(test_time) + std::chrono::seconds{i - 1};
    made.push_back(make_event(std::move(each)));
  }
  return made;
}

// With a value in every attribute that CloudEvents 1.0 defines, an extension, and data that is JSON: for code that must
// carry an event whole. `dataschema` is an extension here.
[[nodiscard]] inline event make_full_event() {
  return make_event({.type = "com.example.order.placed",
                     .source = "https://example.com/orders",
                     .subject = "order/1",
                     .id = "order-1",
                     .time = test_time,
                     .datacontenttype = "application/json",
                     .data = R"({"order":1})",
                     .extensions = {{"dataschema", "https://example.com/order.json"}, {"tenant", "a"}}});
}

// As every() makes it.
[[nodiscard]] inline event make_timer_event(std::chrono::system_clock::time_point nominal = test_time) {
  return make_event({.type = "dormouse.timer", .source = "dormouse/every", .time = nominal});
}

// As on_schedule() makes it.
[[nodiscard]] inline event make_schedule_event(std::chrono::system_clock::time_point nominal = test_time,
                                               std::string_view schedule = "@hourly", bool past_due = false) {
  event made = make_event({.type = "dormouse.schedule", .source = "dormouse/schedule", .time = nominal});
  made.extensions.emplace_back("schedule", schedule);
  made.extensions.emplace_back("pastdue", past_due ? "true" : "false");
  return made;
}

// As on_file() makes it, for `relative` below the absolute path `root`.
[[nodiscard]] inline event make_file_event(std::string_view root, std::string_view relative, bool deleted = false) {
  return make_event({.type = deleted ? "dormouse.file.deleted" : "dormouse.file.changed",
                     .source = "dormouse/on_file",
                     .subject = std::string(relative),
                     .data = fmt::format("{}/{}", root, relative)});
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::testing
