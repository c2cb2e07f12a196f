// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/impl/triggers/schedule.ipp>
#include <dormouse/detail/platform/wall_alarm.hpp>
#include <dormouse/triggers/on_schedule.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <stdexcept>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

// The nominal times in (from, to], the latest `most` of them, in order. It looks back in growing steps, so that a year
// of a schedule that fires each second costs no more than the times that are wanted.
DORMOUSE_INLINE std::vector<schedule::time_point> latest_times(const schedule& of, const time_zone& zone,
                                                               schedule::time_point from, schedule::time_point to,
                                                               std::size_t most) {
  std::vector<schedule::time_point> found;
  for (std::chrono::seconds back{60}; from < to; back *= 8) {
    const bool all = to - from <= back;
    found.clear();
    auto last = all ? from : to - back;
    for (auto next = of.next(last, zone); next && *next <= to; next = of.next(last, zone)) {
      last = *next;
      found.push_back(last);
    }
    if (all || found.size() >= most) break;
  }
  if (found.size() > most) found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(most));
  return found;
}

class schedule_trigger final : public trigger, private clock::listener {
 public:
  schedule_trigger(schedule when, on_schedule_options options) : when_(std::move(when)), options_(std::move(options)) {}

  result<void> start(trigger_port& port) override {
    port_ = &port;
    const auto now = wall();
    offset_ = (now.time_since_epoch() - steady_now()).count();
    last_ = options_.resume_after.value_or(now);
    const bool alarmed = !when_.period() && !port.time().is_manual() && alarm_.open();
    if (alarmed) watched_ = alarm_.descriptor();
    port.time().subscribe(*this);
    auto armed = arm();
    if (!armed) port.time().unsubscribe(*this);
    return armed;
  }
  void wake() override {
    if (watched_ >= 0) alarm_.drain();
    collect_due();
    post_waiting();
    arm().value();  // without memory the schedule ends, and that is counted
  }
  void stop() noexcept override { port_->time().unsubscribe(*this); }
  [[nodiscard]] bool brief() const noexcept override { return true; }

 private:
  static constexpr std::chrono::seconds offered_again{1};  // an event that was refused
  static constexpr std::chrono::seconds look_at_clock{30};
  // A jump of the calendar: what it moves more against the steady clock than drift and slewing do between two looks.
  static constexpr std::chrono::milliseconds jump_least{100};
  struct run {
    schedule::time_point nominal;
    bool past_due;
  };

  // A manual clock was moved; under its lock.
  void time_changed() noexcept override {
    if (when_.period()) return;
    const auto moved = wall().time_since_epoch() - steady_now() - std::chrono::nanoseconds{offset_.load()};
    if (std::chrono::abs(moved) < jump_least) return;
    [[maybe_unused]] const auto armed = port_->wake_at(port_->time().now());
  }
  [[nodiscard]] std::chrono::nanoseconds steady_now() const { return port_->time().now().time_since_epoch(); }
  // The time that the schedule goes by: a period's does not jump with the calendar.
  [[nodiscard]] schedule::time_point wall() const {
    if (!when_.period()) return port_->time().wall();
    const auto passed = steady_now();
    if (!begun_) begun_ = {port_->time().wall(), passed};
    return begun_->first + std::chrono::duration_cast<schedule::time_point::duration>(passed - begun_->second);
  }
  [[nodiscard]] const time_zone& zone() const noexcept {
    return options_.zone != nullptr ? *options_.zone : time_zone::utc();
  }

  // What is due becomes runs that wait; `last_` moves on, and never back.
  void collect_due() {
    const auto now = wall();
    offset_ = (now.time_since_epoch() - steady_now()).count();
    const auto due =
        latest_times(when_, zone(), last_, now, options_.missed == missed_runs::all ? options_.catch_up_max : 1);
    if (due.empty()) return;
    last_ = due.back();
    for (const auto nominal : due) {
      const bool missed = now - nominal > options_.missed_after;
      if (missed && options_.missed == missed_runs::skip) continue;
      waiting_.push_back({nominal, missed});
      if (waiting_.size() > options_.waiting_max) waiting_.pop_front();
    }
  }

  void post_waiting() {
    refused_ = false;
    while (!waiting_.empty()) {
      const bool busy = options_.overlap != overlapping_runs::allow && port_->in_flight() > 0;
      if (busy && options_.overlap == overlapping_runs::queue) return port_->wake_when_over();
      if (!busy) {
        auto posted = port_->post(event_of(waiting_.front()));
        refused_ = !posted && posted.error().code == errc::throttled;
        if (refused_) return;
      }
      waiting_.pop_front();
    }
  }
  [[nodiscard]] event event_of(const run& each) const {
    event made{.type = "dormouse.schedule", .source = "dormouse/schedule"};
    made.time = each.nominal;
    made.extensions.emplace_back("schedule", when_.text());
    made.extensions.emplace_back("pastdue", each.past_due ? "true" : "false");
    return made;
  }

  // Until the next nominal time, or until there may be room.
  [[nodiscard]] result<void> arm() {
    std::optional<clock::time_point> due;
    const auto now = port_->time().now();
    if (refused_) due = now + offered_again;
    if (const auto next = when_.next(last_, zone())) {
      const auto left = std::max<std::chrono::nanoseconds>(*next - wall(), std::chrono::nanoseconds{0});
      if (watched_ >= 0) {
        alarm_.set(*next);
        if (auto watching = port_->wake_on(watched_); !watching) return watching;
      } else {
        const bool looks = !when_.period() && !port_->time().is_manual();
        const auto at = now + (looks ? std::min<std::chrono::nanoseconds>(left, look_at_clock) : left);
        due = due ? std::min(*due, at) : at;
      }
    }
    return due ? port_->wake_at(*due) : result<void>{};
  }

  const schedule when_;
  const on_schedule_options options_;
  trigger_port* port_ = nullptr;
  wall_alarm alarm_{};
  int watched_ = -1;
  mutable std::optional<std::pair<schedule::time_point, std::chrono::nanoseconds>> begun_{};  // of a period
  std::atomic<std::int64_t> offset_{0};  // ns, of the calendar against the steady clock at the last look
  schedule::time_point last_{};          // nominal: given, or passed over
  std::deque<run> waiting_{};
  bool refused_ = false;
};

DORMOUSE_INLINE void check_schedule(const schedule& when, const on_schedule_options& options) {
  const auto refuse = [](const char* option, const auto& value, const char* bounds) {
    throw std::invalid_argument(fmt::format("dormouse: on_schedule_options::{} is {}; give {}", option, value, bounds));
  };
  if (options.missed_after < std::chrono::milliseconds{1} || options.missed_after > std::chrono::hours{24}) {
    refuse("missed_after", options.missed_after, "1 ms .. 24 h");
  }
  if (options.catch_up_max < 1 || options.catch_up_max > 10'000) {
    refuse("catch_up_max", options.catch_up_max, "1 .. 10,000");
  }
  if (options.waiting_max < 1 || options.waiting_max > 10'000)
    refuse("waiting_max", options.waiting_max, "1 .. 10,000");
  const std::string& wanted = when.zone_name();
  const std::string_view given = options.zone != nullptr ? options.zone->name() : time_zone::utc().name();
  if (!wanted.empty() && wanted != given) {
    throw std::invalid_argument(fmt::format(
        "dormouse: the schedule '{}' names the zone {}; give it as on_schedule_options::zone (find_time_zone)",
        when.text(), wanted));
  }
}

}  // namespace detail

DORMOUSE_INLINE std::unique_ptr<trigger> on_schedule(schedule when, on_schedule_options options) {
  detail::check_schedule(when, options);
  return std::make_unique<detail::schedule_trigger>(std::move(when), std::move(options));
}

DORMOUSE_INLINE std::unique_ptr<trigger> on_schedule(std::string_view text, on_schedule_options options) {
  auto parsed = schedule::parse(text);
  if (!parsed) {
    throw std::invalid_argument(
        fmt::format("dormouse: on_schedule(\"{}\"): {}", detail::printable(text, 200), parsed.error().detail));
  }
  return on_schedule(std::move(*parsed), std::move(options));
}

DORMOUSE_INLINE result<schedule_event> codec<schedule_event>::decode(const event& message) {
  const std::string* const text = find_extension(message, "schedule");
  if (message.type != "dormouse.schedule" || text == nullptr || !message.time) {
    return failure{.code = errc::invalid_argument,
                   .effect = effect_kind::not_applied,
                   .reason = failure_reason::payload_type,
                   .detail = "the event is none of on_schedule"};
  }
  const std::string* const past_due = find_extension(message, "pastdue");
  return schedule_event{
      .nominal = *message.time, .past_due = past_due != nullptr && *past_due == "true", .text = *text};
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
