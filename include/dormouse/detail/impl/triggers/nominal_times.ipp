// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/nominal_times.hpp>

#include <algorithm>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

DORMOUSE_INLINE nominal_times::nominal_times(next_time next, time_point begun, bool resumed)
    : next_(std::move(next)), seen_(begun) {
  given_.reserve(spans_max + 1);
  if (resumed) give({time_point::min(), begun});
}

// The first after `after` that has not been given.
DORMOUSE_INLINE auto nominal_times::open_after(time_point after) const -> std::optional<time_point> {
  auto found = next_(after);
  for (const span& each : given_) {
    if (found && *found > each.from && *found <= each.to) found = next_(each.to);
  }
  return found;
}

// The open ones after `from` and up to `to`, at most `most`.
DORMOUSE_INLINE auto nominal_times::list(time_point from, time_point to, std::size_t most) const
    -> std::vector<time_point> {
  std::vector<time_point> found;
  for (auto each = open_after(from); each && *each <= to && found.size() < most; each = open_after(*each)) {
    found.push_back(*each);
  }
  return found;
}

// After which `most` of them are left, when after `from` there are more. By halves, so that a year of a schedule that
// fires each second costs some 60 steps.
DORMOUSE_INLINE auto nominal_times::start_of_latest(time_point from, time_point to, std::size_t most) const
    -> time_point {
  for (auto too_late = to; too_late - from > time_point::duration{1};) {
    const auto middle = from + (too_late - from) / 2;
    (list(middle, to, most).size() < most ? too_late : from) = middle;
  }
  return from;
}

DORMOUSE_INLINE auto nominal_times::look_at(time_point now, time_point after, std::size_t most) const -> look {
  if (now <= seen_) return {};
  const auto begin = std::max(seen_, after);
  look found{.due = list(begin, now, most + 1)};
  if (found.due.size() > most) found.due = list(start_of_latest(begin, now, most), now, most);
  const auto first = open_after(seen_);
  found.left_out = first && *first <= now && (found.due.empty() || *first < found.due.front());
  return found;
}

DORMOUSE_INLINE void nominal_times::take(time_point now, const look& found) noexcept {
  if (now > seen_ && !found.left_out) {
    give({seen_, now});
  } else if (!found.due.empty()) {
    give({found.due.front() - time_point::duration{1}, now});
  }
  seen_ = now;
}

DORMOUSE_INLINE void nominal_times::give(span fresh) noexcept {
  const auto first = std::find_if(given_.begin(), given_.end(), [&](const span& s) { return s.to >= fresh.from; });
  auto last = first;
  for (; last != given_.end() && last->from <= fresh.to; ++last) {
    fresh = {std::min(fresh.from, last->from), std::max(fresh.to, last->to)};
  }
  given_.insert(given_.erase(first, last), fresh);
  if (given_.size() <= spans_max) return;
  given_[1].from = given_[0].from;
  given_.erase(given_.begin());
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
