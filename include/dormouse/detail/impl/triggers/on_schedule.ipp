// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/events_in_flight.hpp>
#include <dormouse/detail/impl/events_in_flight.ipp>
#include <dormouse/detail/impl/triggers/nominal_times.ipp>
#include <dormouse/detail/impl/triggers/schedule.ipp>
#include <dormouse/detail/nominal_times.hpp>
#include <dormouse/detail/platform/wall_alarm.hpp>
#include <dormouse/detail/time_text.hpp>
#include <dormouse/triggers/on_schedule.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <stdexcept>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

class schedule_trigger final : public trigger, private clock::listener {
 public:
  schedule_trigger(schedule when, on_schedule_options options) : when_(std::move(when)), options_(std::move(options)) {}

  result<void> start(trigger_port& port) override;
  void wake() override;
  void stop() noexcept override {
    port_->time().unsubscribe(*this);
    if (posted_) posted_->close();
  }
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

  void time_changed() noexcept override;
  [[nodiscard]] nominal_times::next_time calendar(schedule::time_point begun) const;
  [[nodiscard]] std::chrono::nanoseconds steady_now() const { return port_->time().now().time_since_epoch(); }
  [[nodiscard]] schedule::time_point wall() const;
  void collect_due();
  void post_waiting();
  bool post_first();
  [[nodiscard]] event event_of(const run& each) const;
  [[nodiscard]] result<void> arm();

  const schedule when_;
  const on_schedule_options options_;
  trigger_port* port_ = nullptr;
  std::optional<events_in_flight> posted_{};  // unless runs may overlap
  std::vector<std::uint64_t> over_{};
  wall_alarm alarm_{};
  int watched_ = -1;
  // Of a period: what both clocks showed at the start.
  schedule::time_point calendar_begun_{};
  std::chrono::nanoseconds steady_begun_{0};
  std::optional<nominal_times> times_{};
  std::atomic<std::int64_t> offset_{0};  // ns, of the calendar against the steady clock at the last look
  std::atomic<bool> ended_{false};       // no time is left
  std::deque<run> waiting_{};
  bool refused_ = false;
};

DORMOUSE_INLINE result<void> schedule_trigger::start(trigger_port& port) {
  port_ = &port;
  if (options_.overlap != overlapping_runs::allow) posted_.emplace(port);
  calendar_begun_ = port.time().wall();
  steady_begun_ = steady_now();
  offset_ = (calendar_begun_.time_since_epoch() - steady_begun_).count();
  constexpr std::chrono::hours century{24 * 36'525};
  const bool resumed = options_.resume_after.has_value();
  const auto begun = resumed ? std::max(*options_.resume_after, calendar_begun_ - century) : calendar_begun_;
  times_.emplace(calendar(begun), begun, resumed);
  if (!when_.period() && !port.time().is_manual() && alarm_.open()) watched_ = alarm_.descriptor();
  if (auto armed = arm(); !armed) return armed;
  port.time().subscribe(*this);
  time_changed();  // meanwhile, perhaps
  return {};
}

DORMOUSE_INLINE void schedule_trigger::wake() {
  if (watched_ >= 0) alarm_.drain();
  try {
    collect_due();
    post_waiting();
  } catch (...) {
    refused_ = true;  // out of memory: once more, later
    arm().value();
    throw;
  }
  arm().value();  // without memory the schedule ends, and that is counted
}

// A manual clock was moved; under its lock.
DORMOUSE_INLINE void schedule_trigger::time_changed() noexcept {
  if (when_.period() || ended_.load()) return;
  const auto moved = wall().time_since_epoch() - steady_now() - std::chrono::nanoseconds{offset_.load()};
  if (std::chrono::abs(moved) < jump_least) return;
  try {
    [[maybe_unused]] const auto armed = port_->wake_at(port_->time().now());
  } catch (...) {  // out of memory: the jump is seen at the next nominal time
  }
}

// A period's times are those that are a multiple of it after it began.
DORMOUSE_INLINE nominal_times::next_time schedule_trigger::calendar(schedule::time_point begun) const {
  using time_point = schedule::time_point;
  const auto period = when_.period();
  if (!period) {
    return [this](time_point after) {
      return when_.next(after, options_.zone != nullptr ? *options_.zone : time_zone::utc());
    };
  }
  const auto step = std::chrono::ceil<time_point::duration>(*period);
  return [begun, step](time_point after) -> std::optional<time_point> {
    if (after > time_point::max() - step) return std::nullopt;
    return after < begun ? begun + step : begun + ((after - begun) / step + 1) * step;
  };
}

// The time that the schedule goes by: a period's does not jump with the calendar.
DORMOUSE_INLINE schedule::time_point schedule_trigger::wall() const {
  if (!when_.period()) return port_->time().wall();
  return calendar_begun_ + std::chrono::duration_cast<schedule::time_point::duration>(steady_now() - steady_begun_);
}

// What is due becomes runs that wait. When it cannot be (no memory), nothing has happened.
DORMOUSE_INLINE void schedule_trigger::collect_due() {
  const auto now = wall();
  offset_ = (now.time_since_epoch() - steady_now()).count();
  const bool skips = options_.missed == missed_runs::skip;
  const auto late = std::chrono::ceil<schedule::time_point::duration>(options_.missed_after);
  const auto after = skips ? now - late - schedule::time_point::duration{1} : schedule::time_point::min();
  const std::size_t most = options_.missed == missed_runs::all ? options_.catch_up_max : 1;
  const auto found = times_->look_at(now, after, most);
  const std::size_t before = waiting_.size();
  try {
    for (const auto nominal : found.due) waiting_.push_back({nominal, now - nominal > options_.missed_after});
  } catch (...) {
    while (waiting_.size() > before) waiting_.pop_back();
    throw;
  }
  times_->take(now, found);
  while (waiting_.size() > options_.waiting_max) waiting_.pop_front();
}

DORMOUSE_INLINE void schedule_trigger::post_waiting() {
  refused_ = false;
  if (posted_) posted_->collect(over_);
  while (!waiting_.empty()) {
    const bool busy = posted_ && posted_->count() > 0;
    if (busy && options_.overlap == overlapping_runs::queue) return posted_->wake_when_over();
    refused_ = !busy && !post_first();
    if (refused_) return;
    waiting_.pop_front();
  }
}

// False when it has to be offered again.
DORMOUSE_INLINE bool schedule_trigger::post_first() {
  auto made = event_of(waiting_.front());
  const auto posted = posted_ ? posted_->post(std::move(made)) : port_->post(std::move(made));
  if (posted) return true;
  const errc why = posted.error().code;
  // The others say that there is no function any more, or no runtime.
  return why != errc::throttled && why != errc::limit_exceeded && why != errc::unavailable &&
         why != errc::out_of_memory;
}

DORMOUSE_INLINE event schedule_trigger::event_of(const run& each) const {
  event made{.type = "dormouse.schedule", .source = "dormouse/schedule"};
  made.time = each.nominal;
  made.extensions.emplace_back("schedule", when_.text());
  made.extensions.emplace_back("pastdue", each.past_due ? "true" : "false");
  return made;
}

// Until the next nominal time, or until there may be room. The descriptor last: a start() that fails must not leave one
// behind that is waited for.
DORMOUSE_INLINE result<void> schedule_trigger::arm() {
  const auto now = port_->time().now();
  std::optional<clock::time_point> due;
  if (refused_) due = now + offered_again;
  const auto next = times_->next();
  if (next && watched_ < 0) {
    auto left = std::max<std::chrono::nanoseconds>(*next - wall(), std::chrono::nanoseconds{0});
    const bool looks = !when_.period() && !port_->time().is_manual();
    if (looks) left = std::min<std::chrono::nanoseconds>(left, look_at_clock);
    due = due ? std::min(*due, now + left) : now + left;
  }
  if (due) {
    if (auto armed = port_->wake_at(*due); !armed) return armed;
  }
  ended_ = !next;
  if (watched_ < 0) return {};
  if (!next) {
    port_->forget(std::exchange(watched_, -1));
    return {};
  }
  alarm_.set(*next);
  return port_->wake_on(watched_);
}

DORMOUSE_INLINE void check_schedule(const schedule& when, const on_schedule_options& options) {
  const auto refuse = [](const char* option, const auto& value, const char* bounds) {
    throw std::invalid_argument(
        fmt::format("dormouse: on_schedule_options::{} is {}; give {}", option, shown(value), bounds));
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
