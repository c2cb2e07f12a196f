// SPDX-License-Identifier: MIT
#pragma once

// Outcomes on their way to a destination.

#include <dormouse/detail/core.hpp>
#include <dormouse/detail/outcomes.hpp>

#include <fmt/format.h>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

DORMOUSE_INLINE void outcomes::deliver(work_item& item) noexcept {
  const function_options& options = item.record->settings->options;
  item.delivering = true;
  note(item, invocation_state::delivering);
  result<void> taken;
  try {
    taken = hand_to(item, item.failed ? options.on_failure : options.on_success);
  } catch (...) {
    taken = describe_thrown();
  }
  if (taken) {
    const std::lock_guard lock(core_.lock_of(*item.record));
    ++item.record->totals->uncommon().deliveries;
  } else {
    failure why = std::move(taken).error();
    {
      const std::lock_guard lock(core_.lock_of(*item.record));
      ++item.record->totals->uncommon().delivery_failures;
    }
    const auto delay = jittered(options.retry, ++item.aftermath().deliveries);
    if (!may_help(why.code) || too_old_in(item, delay)) return bury(item, std::move(why));
    return wait(item, std::max<std::chrono::nanoseconds>(delay, why.retry_after));
  }
  finish(item, item.failed ? invocation_state::failed : invocation_state::succeeded);
}

DORMOUSE_INLINE void add_failure(event& to, const failure& why) {
  to.extensions.emplace_back("errorcode", to_string(why.code));
  to.extensions.emplace_back("errorreason", to_string(why.reason));
  to.extensions.emplace_back("errordetail", printable(why.detail, 512));
}

// What a destination is told. Runs the codec of the argument or the reply.
DORMOUSE_INLINE event describe_outcome(work_item& item) {
  event told;
  if (item.failed) {
    told = item.as_event();
    told.extensions.emplace_back("eventtype", told.type);
    add_failure(told, item.aftermath().last_failure);
  } else {
    told.data = item.reply_bytes();
  }
  told.type = item.failed ? "dormouse.invocation.failed" : "dormouse.invocation.succeeded";
  told.source = "dormouse";
  told.subject = std::string(item.record->name());
  told.id.clear();
  told.time.reset();
  told.extensions.emplace_back("invocation", fmt::format("{}", item.id));
  told.extensions.emplace_back("attempts", fmt::format("{}", item.attempt));
  return told;
}

DORMOUSE_INLINE result<void> outcomes::hand_to(work_item& item, const destination& to) {
  event told = describe_outcome(item);
  const destination::target& target = *to.get();
  if (!target.sink) return post_outcome(item, target.name, std::move(told));
  const worker_pool::user_code sink(core_.pool_of(*item.record));
  return target.sink({.function = item.record->name(),
                      .id = {item.id, item.record->index},
                      .attempts = item.attempt,
                      .why = item.failed ? &item.aftermath().last_failure : nullptr,
                      .message = told});
}

DORMOUSE_INLINE result<void> outcomes::post_outcome(const work_item& item, const std::string& name, event&& message) {
  function_record* const target = core_.functions.find(name);
  if (target == nullptr) {
    return make_failure(errc::not_found, effect_kind::not_applied, failure_reason::undefined,
                        "the destination function is not defined");
  }
  fill_attributes(message, core_.time);
  auto* const fresh = new_item<event_item>(*core_.items, std::move(message));
  item_pointer keeper(fresh);
  fresh->owner = &core_;
  fresh->record = target;
  fresh->generation = target->generation.load();
  fresh->posted = true;
  fresh->origin = item.origin;
  fresh->origin.functions.push_back(item.record);
  ++fresh->origin.depth;
  if (auto taken = core_.events.accept(keeper, true); !taken) return std::move(taken).error();
  return {};
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
