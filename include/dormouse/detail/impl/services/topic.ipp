// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/message_attributes.hpp>
#include <dormouse/detail/service_call.hpp>
#include <dormouse/services/topic.hpp>

#include <chrono>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

DORMOUSE_INLINE result<void> check_extensions(const event& message) {
  std::size_t count = 0;
  each_message_attribute(message, [&](auto&&...) { ++count; });
  if (count > queue::attributes_max) {
    return refuse_service_call(errc::invalid_argument, failure_reason::name,
                               "{} attributes, extensions included; at most {}", count, queue::attributes_max);
  }
  for (const auto& [name, value] : message.extensions) {
    if (!is_extension_name(name)) {
      return refuse_service_call(errc::invalid_argument, failure_reason::name,
                                 "extension \"{}\"; give a name of 1 .. 20 of [a-z0-9] that no attribute has",
                                 printable(name, 64));
    }
    if (find_extension(message, name) == &value) continue;
    return refuse_service_call(errc::invalid_argument, failure_reason::name, "extension \"{}\" is there twice", name);
  }
  return {};
}

// Years that from_time() reads.
DORMOUSE_INLINE result<void> check_event_time(calendar_time when) {
  constexpr std::chrono::sys_days first{std::chrono::year{1700} / 1 / 1};
  constexpr std::chrono::sys_days behind{std::chrono::year{2262} / 1 / 1};
  if (when >= first && when < behind) return {};
  return refuse_service_call(errc::invalid_argument, failure_reason::none, "a time outside the years 1700 .. 2261");
}

DORMOUSE_INLINE result<void> check_published(const event& message) {
  if (message.time) {
    if (auto fit = check_event_time(*message.time); !fit) return fit;
  }
  if (auto fit = check_extensions(message); !fit) return fit;
  std::size_t bytes = message.data.size();
  each_message_attribute(message, [&](std::string_view prefix, std::string_view name, std::string_view value) {
    bytes += prefix.size() + name.size() + value.size();
  });
  if (bytes <= queue::message_bytes_max) return {};
  return refuse_service_call(errc::too_large, failure_reason::value_bytes, "an event of {} bytes; at most {}", bytes,
                             queue::message_bytes_max);
}

DORMOUSE_INLINE result<void> check_publish(const topic& to, const clock& time, std::size_t count,
                                           const queue_send_options& options) {
  if (count < 1 || count > topic::batch_max) {
    return refuse_service_call(errc::invalid_argument, failure_reason::page_size, "{} events; give 1 .. {}", count,
                               topic::batch_max);
  }
  if (options.within != nullptr && !to.capabilities().shared_transactions) {
    return refuse_service_call(errc::unsupported, failure_reason::none,
                               "this topic takes no part in transactions (shared_transactions)");
  }
  return in_time(time, options.deadline);
}

DORMOUSE_INLINE result<void> check_subscription_name(std::string_view name) {
  if (is_plain_name(name)) return {};
  return refuse_service_call(errc::invalid_argument, failure_reason::name,
                             "subscription \"{}\"; give 1 .. 64 of [A-Za-z0-9_-]", printable(name, 64));
}

}  // namespace detail

DORMOUSE_INLINE result<published_event> topic::publish(event message, const queue_send_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<published_event> {
    std::vector<event> one;
    one.push_back(std::move(message));
    auto answers = publish_batch(std::move(one), options);
    effect = effect_kind::unknown;
    if (!answers) return std::move(answers).error();
    return std::move(answers->front());
  });
}

// What is refused here does not reach the adapter; the answers of both are put together again in the order of events.
DORMOUSE_INLINE result<std::vector<result<published_event>>> topic::publish_batch(std::vector<event> messages,
                                                                                  const queue_send_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<std::vector<result<published_event>>> {
    if (auto fit = detail::check_publish(*this, time_, messages.size(), options); !fit) return std::move(fit).error();
    std::vector<result<published_event>> answers;
    std::vector<std::size_t> places;
    std::vector<event> sound;
    for (event& each : messages) {
      fill_attributes(each, time_);
      auto fit = detail::check_published(each);
      if (fit) {
        places.push_back(answers.size());
        sound.push_back(std::move(each));
        answers.emplace_back(published_event{});
      } else {
        answers.emplace_back(std::move(fit).error());
      }
    }
    if (sound.empty()) return answers;
    effect = effect_kind::unknown;
    auto published = do_publish(std::move(sound), options);
    if (!published) return std::move(published).error();
    if (published->size() != places.size()) {
      return detail::make_failure(errc::internal, effect, failure_reason::none, "the adapter did not answer for each");
    }
    for (std::size_t i = 0; i < places.size(); ++i) answers[places[i]] = std::move((*published)[i]);
    return answers;
  });
}

DORMOUSE_INLINE result<std::unique_ptr<queue>> topic::subscribe(const subscription_settings& what,
                                                                const call_options& options) {
  check_queue_settings(what.queue, "subscription_settings::queue");  // throws
  return detail::contained([&](effect_kind& effect) -> result<std::unique_ptr<queue>> {
    if (auto fit = detail::check_subscription_name(what.name); !fit) return std::move(fit).error();
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    effect = effect_kind::unknown;
    return do_subscribe(what, options);
  });
}

DORMOUSE_INLINE result<bool> topic::unsubscribe(std::string_view name, const call_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<bool> {
    if (auto fit = detail::check_subscription_name(name); !fit) return std::move(fit).error();
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    effect = effect_kind::unknown;
    return do_unsubscribe(name, options);
  });
}

DORMOUSE_INLINE result<std::vector<subscription_info>> topic::subscriptions(const call_options& options) {
  return detail::contained([&](effect_kind&) -> result<std::vector<subscription_info>> {
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    return do_subscriptions(options);
  });
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
