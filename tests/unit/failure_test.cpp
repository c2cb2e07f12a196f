// SPDX-License-Identifier: MIT

#include "support/catch.hpp"

#include <dormouse/failure.hpp>

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <string_view>

using namespace dormouse;
using namespace std::chrono_literals;

namespace {
// The numbers of all enumerators that have a name: an enumerator without one, or two with the same, are missed here.
template <class Enum>
std::map<std::string_view, int> all_names() {
  std::map<std::string_view, int> names;
  for (int number = 0; number <= 255; ++number) {
    const std::string_view name = to_string(static_cast<Enum>(number));
    if (name != "unknown") names.emplace(name, number);
  }
  return names;
}

// Are these exactly the numbers from..to, with no number unnamed in between?
bool are_all_of(const std::map<std::string_view, int>& names, int from, int to) {
  std::set<int> numbers;
  for (const auto& [name, number] : names) numbers.insert(number);
  return numbers.size() == static_cast<std::size_t>(to - from + 1) && *numbers.begin() == from &&
         *numbers.rbegin() == to;
}
}  // namespace

TEST_CASE("every code has a name of its own, and the set is closed", "[failure]") {
  const auto names = all_names<errc>();
  CHECK(are_all_of(names, 1, static_cast<int>(errc::event_age_exceeded)));
  CHECK(names.size() == 23);
  for (const char* name :
       {"not_found",       "already_exists",  "condition_failed",  "conflict",       "invalid_argument",
        "too_large",       "throttled",       "deadline_exceeded", "unavailable",    "unsupported",
        "expired",         "unauthenticated", "permission_denied", "limit_exceeded", "out_of_memory",
        "corruption",      "cancelled",       "internal",          "init_failed",    "function_failed",
        "recursion_limit", "shutting_down",   "event_age_exceeded"}) {
    INFO(name);
    CHECK(names.count(name) == 1);
  }
  CHECK(to_string(errc{}) == "unknown");  // zero is never an error
}

TEST_CASE("every reason has a name of its own, and the set is closed", "[failure]") {
  const auto names = all_names<failure_reason>();
  CHECK(are_all_of(names, 0, static_cast<int>(failure_reason::in_flight)));
  CHECK(names.size() == 26);
  CHECK(to_string(failure_reason{}) == "none");
  CHECK(to_string(failure_reason::queue_depth) == "queue_depth");
  CHECK(to_string(failure_reason::payload_type) == "payload_type");
}

TEST_CASE("every effect has a name of its own", "[failure]") {
  CHECK(to_string(effect_kind::not_applied) == "not_applied");
  CHECK(to_string(effect_kind::applied) == "applied");
  CHECK(to_string(effect_kind::unknown) == "unknown");
  CHECK(all_names<effect_kind>().size() == 2);  // and nothing else has a name
  CHECK(to_string(effect_kind{}) == "unknown");
}

TEST_CASE("a failure nobody filled in claims nothing: internal, effect unknown", "[failure]") {
  const failure blank;
  CHECK(blank.code == errc::internal);
  CHECK(blank.effect == effect_kind::unknown);
  CHECK(blank.reason == failure_reason::none);
  CHECK(blank.detail.empty());
  CHECK(blank.retry_after == 0ms);
  CHECK(blank.native_code == 0);
  CHECK(blank.cause == errc{});
}

TEST_CASE("a failure reads as one line: code, cause, reason, effect, detail", "[failure]") {
  failure why{.code = errc::throttled, .effect = effect_kind::not_applied};
  CHECK(to_string(why) == "throttled, not_applied");
  why.reason = failure_reason::queue_depth;
  CHECK(to_string(why) == "throttled (queue_depth), not_applied");
  why.detail = "the function has 7 events";
  CHECK(to_string(why) == "throttled (queue_depth), not_applied: the function has 7 events");
  CHECK(to_string(failure{.code = errc::function_failed, .detail = "no", .cause = errc::conflict}) ==
        "function_failed by conflict, unknown: no");
}

TEST_CASE("failures are equal by what they say, not by the engine's number or the advice to wait", "[failure]") {
  const failure why{.code = errc::conflict,
                    .effect = effect_kind::not_applied,
                    .reason = failure_reason::paused,
                    .detail = "d",
                    .retry_after = 5ms,
                    .native_code = 3};
  const auto differs_by = [&why](auto change) {
    failure other = why;
    change(other);
    return !(why == other);
  };
  CHECK_FALSE(differs_by([](failure& f) { f.native_code = 4; }));
  CHECK_FALSE(differs_by([](failure& f) { f.retry_after = 6ms; }));
  CHECK(differs_by([](failure& f) { f.code = errc::throttled; }));
  CHECK(differs_by([](failure& f) { f.effect = effect_kind::applied; }));
  CHECK(differs_by([](failure& f) { f.reason = failure_reason::depth; }));
  CHECK(differs_by([](failure& f) { f.detail.clear(); }));
}
