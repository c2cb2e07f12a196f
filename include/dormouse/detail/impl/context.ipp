// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/core.hpp>
#include <dormouse/detail/invocation.hpp>
#include <dormouse/functions/context.hpp>

namespace dormouse::inline DORMOUSE_FLAVOUR {

struct context::stop_timer {
  std::stop_source source{};
  detail::timekeeper::timer_id timer = 0;
};

DORMOUSE_INLINE void context::disarm() noexcept {
  if (stop_->timer != 0) core_->timers.cancel(stop_->timer);
}

DORMOUSE_INLINE context::waiting_scope::waiting_scope(detail::core& owner) noexcept {
  if (owner.workers == nullptr) return;
  if (owner.workers->step_away(static_cast<std::uint32_t>(owner.options.blocking_workers_max))) from_ = owner.workers;
}

DORMOUSE_INLINE context::waiting_scope::~waiting_scope() {
  if (from_ != nullptr) from_->step_back();
}

DORMOUSE_INLINE std::string_view context::function() const noexcept { return record_->name(); }

DORMOUSE_INLINE std::uint64_t context::invocation() const noexcept {
  if (id_ == 0) id_ = core_->next_invocation();
  return id_;
}

DORMOUSE_INLINE std::string context::lineage() const {
  std::string text;
  for (const auto* record : detail::invocation::chain_of(*this).functions) {
    if (!text.empty()) text.append(" > ");
    text.append(record->name());
  }
  return text;
}

DORMOUSE_INLINE std::chrono::nanoseconds context::remaining() const noexcept {
  return core_->time.between(core_->time.ticks(), deadline_);
}

DORMOUSE_INLINE bool context::stop_requested() const noexcept {
  if (item_ != nullptr && item_->cancelled.load(std::memory_order_relaxed)) return true;  // relaxed: a hint
  return core_->time.ticks() > deadline_;
}

DORMOUSE_INLINE std::stop_token context::stop_token() {
  if (stop_ == nullptr && core_->in_child()) {
    stop_ = std::make_shared<stop_timer>();  // nobody is there to ask it
  } else if (stop_ == nullptr) {
    stop_ = std::make_shared<stop_timer>();
    if (item_ != nullptr) {
      const std::lock_guard lock(core_->lock_of(*item_->record));
      item_->stop = std::shared_ptr<std::stop_source>(stop_, &stop_->source);
      if (item_->cancelled.load(std::memory_order_relaxed)) stop_->source.request_stop();  // nobody listens yet
    }
    const auto due = core_->time.now() + remaining();
    // The timekeeper runs no user code, so the callbacks of the token run on a housekeeping worker.
    stop_->timer = core_->timers.arm(due, [weak = std::weak_ptr<stop_timer>(stop_), owner = core_] {
      if (auto timer = weak.lock()) owner->chores.add([timer] { timer->source.request_stop(); });
    });
  }
  return stop_->source.get_token();
}

DORMOUSE_INLINE const event& context::current_event() {
  if (own_event_ != nullptr) return *own_event_;
  if (event_ != nullptr && !event_->id.empty() && !event_->source.empty() && event_->time) return *event_;
  own_event_ = std::make_unique<event>(event_ != nullptr ? *event_ : event{.type = "dormouse.call"});
  fill_attributes(*own_event_, core_->time);
  return *own_event_;
}

DORMOUSE_INLINE bool context::has_log_sink() const noexcept { return static_cast<bool>(core_->options.log); }

DORMOUSE_INLINE void context::write_log(log_level level, std::string text) {
  try {
    const std::string chain = lineage();
    core_->options.log({.level = level,
                        .time = core_->time.wall(),
                        .function = function(),
                        .invocation = invocation(),
                        .attempt = attempt_,
                        .lineage = chain,
                        .message = text});
  } catch (...) {
    core_->observer_failed();
  }
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
