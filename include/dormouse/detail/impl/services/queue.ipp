// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/service_call.hpp>
#include <dormouse/services/queue.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

constexpr std::chrono::milliseconds queue_delay_max{std::chrono::minutes(15)};  // that every queue's callers may ask

DORMOUSE_INLINE bool is_message_attribute_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= queue::name_bytes_max && std::all_of(name.begin(), name.end(), [](char each) {
    return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each >= '0' && each <= '9') ||
           each == '_' || each == '.' || each == '-';
  });
}

DORMOUSE_INLINE result<void> check_message_names(const queue_message& message) {
  if (message.attributes.size() > queue::attributes_max) {
    return refuse_service_call(errc::invalid_argument, failure_reason::name, "{} attributes; give 0 .. {}",
                               message.attributes.size(), queue::attributes_max);
  }
  for (const auto& [name, value] : message.attributes) {
    if (is_message_attribute_name(name)) continue;
    return refuse_service_call(errc::invalid_argument, failure_reason::name,
                               "attribute \"{}\"; give a name of 1 .. {} of [A-Za-z0-9_.-]", printable(name, 64),
                               queue::name_bytes_max);
  }
  if (message.group.size() <= queue::name_bytes_max && message.dedup_id.size() <= queue::name_bytes_max) return {};
  return refuse_service_call(errc::invalid_argument, failure_reason::name,
                             "group of {} bytes, dedup_id of {}; give 0 .. {}", message.group.size(),
                             message.dedup_id.size(), queue::name_bytes_max);
}

DORMOUSE_INLINE result<void> check_message_delay(std::chrono::milliseconds delay, std::chrono::milliseconds able) {
  const auto allowed = std::max(queue_delay_max, able);
  if (delay.count() < 0 || delay > allowed) {
    return refuse_service_call(errc::invalid_argument, failure_reason::none, "delay is {} ms; give 0 .. {}",
                               delay.count(), allowed.count());
  }
  if (delay <= able) return {};
  return refuse_service_call(errc::unsupported, failure_reason::none, "this queue delays by {} ms at most (delay_max)",
                             able.count());
}

DORMOUSE_INLINE result<void> check_message(const queue_message& message, const queue_capabilities& able) {
  if (auto fit = check_message_names(message); !fit) return fit;
  if (auto fit = check_message_delay(message.delay, able.delay_max); !fit) return fit;
  std::size_t bytes = message.data.size();
  for (const auto& [name, value] : message.attributes) bytes += name.size() + value.size();
  if (bytes > queue::message_bytes_max) {
    return refuse_service_call(errc::too_large, failure_reason::value_bytes, "message of {} bytes; at most {}", bytes,
                               queue::message_bytes_max);
  }
  if (!message.group.empty() && !able.groups) {
    return refuse_service_call(errc::unsupported, failure_reason::none, "this queue has no groups (groups)");
  }
  if (message.dedup_id.empty() || able.deduplication) return {};
  return refuse_service_call(errc::unsupported, failure_reason::none,
                             "this queue does not know duplicates (deduplication)");
}

DORMOUSE_INLINE result<void> check_queue_write(const queue& target, const clock& time,
                                               const queue_send_options& options) {
  if (options.within != nullptr && !target.capabilities().shared_transactions) {
    return refuse_service_call(errc::unsupported, failure_reason::none,
                               "this queue takes part in no transaction (shared_transactions)");
  }
  return in_time(time, options.deadline);
}

DORMOUSE_INLINE result<void> check_queue_count(std::string_view what, std::size_t count, std::size_t count_max) {
  if (count >= 1 && count <= count_max) return {};
  return refuse_service_call(errc::invalid_argument, failure_reason::page_size, "{} is {}; give 1 .. {}", what, count,
                             count_max);
}

DORMOUSE_INLINE result<void> check_queue_interval(std::string_view what, std::chrono::milliseconds value,
                                                  std::chrono::milliseconds value_max) {
  if (value.count() >= 0 && value <= value_max) return {};
  return refuse_service_call(errc::invalid_argument, failure_reason::none, "{} is {} ms; give 0 .. {}", what,
                             value.count(), value_max.count());
}

DORMOUSE_INLINE result<void> check_queue_name(std::string_view what, std::string_view name) {
  if (!name.empty() && name.size() <= queue::name_bytes_max) return {};
  return refuse_service_call(errc::invalid_argument, failure_reason::name, "{} of {} bytes; give 1 .. {}", what,
                             name.size(), queue::name_bytes_max);
}

DORMOUSE_INLINE result<void> check_receive(const queue_receive_options& options) {
  if (auto fit = check_queue_count("count", options.count, queue::batch_max); !fit) return fit;
  if (auto fit = check_queue_interval("wait", options.wait, queue::wait_max); !fit) return fit;
  if (!options.visibility) return {};
  return check_queue_interval("visibility", *options.visibility, queue::visibility_max);
}

// Brings it to what an adapter takes, too: no part that its kind does not have, and a text that is cut where a
// character of UTF-8 begins.
DORMOUSE_INLINE result<void> check_settlement(queue_settlement& what) {
  if (what.kind < settlement_kind::ack || what.kind > settlement_kind::dead_letter) {
    return refuse_service_call(errc::invalid_argument, failure_reason::none, "settlement_kind {}",
                               static_cast<unsigned>(what.kind));
  }
  if (auto fit = check_queue_name("receipt", what.receipt); !fit) return fit;
  if (what.kind == settlement_kind::ack || what.kind == settlement_kind::extend) what.error.clear();
  if (what.kind == settlement_kind::ack || what.kind == settlement_kind::dead_letter) what.delay = {};
  if (what.error.size() > queue::error_bytes_max) {
    std::size_t end = queue::error_bytes_max;
    while (end > 0 && (static_cast<unsigned char>(what.error[end]) & 0xC0U) == 0x80U) --end;
    what.error.resize(end);
  }
  return check_queue_interval("delay", what.delay, queue::visibility_max);
}

DORMOUSE_INLINE failure wrong_number_of_answers(std::size_t got, std::size_t asked) {
  auto wrong =
      refuse_service_call(errc::internal, failure_reason::none, "the adapter gave {} answers to {}", got, asked);
  wrong.effect = effect_kind::unknown;
  return wrong;
}

// What a batch is answered: each part that `check` refuses by that, the others, if there are any, by `call`.
template <class Answer, class Part, class Check, class Call>
result<std::vector<result<Answer>>> answer_batch(std::vector<Part>&& parts, Check&& check, Call&& call) {
  std::vector<result<Answer>> answers;
  std::vector<std::size_t> places;  // of those that are sound, which close up in `parts`
  answers.reserve(parts.size());
  places.reserve(parts.size());
  for (std::size_t at = 0; at < parts.size(); ++at) {
    result<void> fit = check(parts[at]);
    answers.push_back(fit ? result<Answer>{} : result<Answer>(std::move(fit).error()));
    if (!fit) continue;
    if (at != places.size()) parts[places.size()] = std::move(parts[at]);
    places.push_back(at);
  }
  if (places.empty()) return answers;
  parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(places.size()), parts.end());
  auto got = call(std::move(parts));
  if (!got) return std::move(got).error();
  if (got->size() != places.size()) return wrong_number_of_answers(got->size(), places.size());
  for (std::size_t at = 0; at < places.size(); ++at) answers[places[at]] = std::move((*got)[at]);
  return answers;
}

// The answer to a batch of one.
template <class Answer>
result<Answer> only_answer(result<std::vector<result<Answer>>>&& got) {
  if (!got) return std::move(got).error();
  if (got->size() != 1) return wrong_number_of_answers(got->size(), 1);
  return std::move(got->front());
}

}  // namespace detail

// ---- sending --------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE result<sent_message> queue::send(queue_message message, const queue_send_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<sent_message> {
    if (auto fit = detail::check_message(message, capabilities()); !fit) return std::move(fit).error();
    if (auto fit = detail::check_queue_write(*this, time_, options); !fit) return std::move(fit).error();
    std::vector<queue_message> one;
    one.push_back(std::move(message));
    effect = effect_kind::unknown;
    return detail::only_answer(do_send(std::move(one), options));
  });
}

DORMOUSE_INLINE result<std::vector<result<sent_message>>> queue::send_batch(std::vector<queue_message> messages,
                                                                            const queue_send_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<std::vector<result<sent_message>>> {
    if (auto fit = detail::check_queue_count("messages", messages.size(), batch_max); !fit) {
      return std::move(fit).error();
    }
    if (auto fit = detail::check_queue_write(*this, time_, options); !fit) return std::move(fit).error();
    const queue_capabilities able = capabilities();
    return detail::answer_batch<sent_message>(
        std::move(messages), [&](const queue_message& each) { return detail::check_message(each, able); },
        [&](std::vector<queue_message>&& sound) {
          effect = effect_kind::unknown;
          return do_send(std::move(sound), options);
        });
  });
}

// ---- receiving and settling -----------------------------------------------------------------------------------------

DORMOUSE_INLINE result<std::vector<queue_delivery>> queue::receive(const queue_receive_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<std::vector<queue_delivery>> {
    if (auto fit = detail::check_receive(options); !fit) return std::move(fit).error();
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    effect = effect_kind::unknown;
    return do_receive(options);
  });
}

DORMOUSE_INLINE result<void> queue::ack(std::string_view receipt, const queue_send_options& options) {
  return settle_one(receipt, settlement_kind::ack, {}, {}, options);
}

DORMOUSE_INLINE result<void> queue::nack(std::string_view receipt, std::chrono::milliseconds delay,
                                         std::string_view error, const queue_send_options& options) {
  return settle_one(receipt, settlement_kind::nack, delay, error, options);
}

DORMOUSE_INLINE result<void> queue::extend(std::string_view receipt, std::chrono::milliseconds visibility,
                                           const queue_send_options& options) {
  return settle_one(receipt, settlement_kind::extend, visibility, {}, options);
}

DORMOUSE_INLINE result<void> queue::reject(std::string_view receipt, std::string_view error,
                                           const queue_send_options& options) {
  return settle_one(receipt, settlement_kind::dead_letter, {}, error, options);
}

DORMOUSE_INLINE result<void> queue::settle_one(std::string_view receipt, settlement_kind kind,
                                               std::chrono::milliseconds delay, std::string_view error,
                                               const queue_send_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<void> {
    if (auto fit = detail::check_queue_name("receipt", receipt); !fit) return fit;
    std::vector<queue_settlement> one(1);
    one.front() = {std::string(receipt), kind, delay, std::string(error.substr(0, error_bytes_max + 1))};
    if (auto fit = detail::check_settlement(one.front()); !fit) return fit;
    if (auto fit = detail::check_queue_write(*this, time_, options); !fit) return fit;
    effect = effect_kind::unknown;
    return detail::only_answer(do_settle(std::move(one), options));
  });
}

DORMOUSE_INLINE result<std::vector<result<void>>> queue::settle(std::vector<queue_settlement> what,
                                                                const queue_send_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<std::vector<result<void>>> {
    if (auto fit = detail::check_queue_count("settlements", what.size(), batch_max); !fit) {
      return std::move(fit).error();
    }
    if (auto fit = detail::check_queue_write(*this, time_, options); !fit) return std::move(fit).error();
    return detail::answer_batch<void>(std::move(what), &detail::check_settlement,
                                      [&](std::vector<queue_settlement>&& sound) {
                                        effect = effect_kind::unknown;
                                        return do_settle(std::move(sound), options);
                                      });
  });
}

// ---- for operators --------------------------------------------------------------------------------------------------

DORMOUSE_INLINE result<queue_counts> queue::counts(const call_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<queue_counts> {
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    effect = effect_kind::unknown;  // some may become dead letters on the way
    return do_counts(options);
  });
}

DORMOUSE_INLINE result<dead_letter_page> queue::dead_letters(const dead_letter_list_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<dead_letter_page> {
    if (auto fit = detail::check_queue_count("page_size", options.page_size, page_size_max); !fit) {
      return std::move(fit).error();
    }
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    effect = effect_kind::unknown;  // as in counts()
    return do_dead_letters(options);
  });
}

DORMOUSE_INLINE result<std::size_t> queue::redrive(std::size_t count, const call_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<std::size_t> {
    if (auto fit = detail::check_queue_count("count", count, batch_max); !fit) return std::move(fit).error();
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    effect = effect_kind::unknown;
    return do_redrive({}, count, options);
  });
}

DORMOUSE_INLINE result<bool> queue::redrive(std::string_view id, const call_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<bool> {
    if (auto fit = detail::check_queue_name("id", id); !fit) return std::move(fit).error();
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    effect = effect_kind::unknown;
    return do_redrive(id, 1, options).transform([](std::size_t count) { return count != 0; });
  });
}

DORMOUSE_INLINE result<bool> queue::erase_dead_letter(std::string_view id, const call_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<bool> {
    if (auto fit = detail::check_queue_name("id", id); !fit) return std::move(fit).error();
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    effect = effect_kind::unknown;
    return do_erase_dead_letter(id, options);
  });
}

DORMOUSE_INLINE result<std::size_t> queue::purge(const call_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<std::size_t> {
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    effect = effect_kind::unknown;
    return do_purge(options);
  });
}

// ---- for who receives without waiting -------------------------------------------------------------------------------

DORMOUSE_INLINE result<void> queue::watch(change_watcher& who) {
  return detail::contained([&](effect_kind&) { return do_watch(who); });
}

DORMOUSE_INLINE void queue::unwatch(change_watcher& who) noexcept { do_unwatch(who); }

DORMOUSE_INLINE result<std::optional<clock::time_point>> queue::next_visible(const call_options& options) {
  return detail::contained([&](effect_kind& effect) -> result<std::optional<clock::time_point>> {
    if (auto fit = detail::in_time(time_, options.deadline); !fit) return std::move(fit).error();
    effect = effect_kind::unknown;  // as in counts()
    return do_next_visible(options);
  });
}

// ---- settings -------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE void check_queue_settings(const queue_settings& settings, std::string_view whose) {
  const auto require = [&](std::string_view member, auto value, auto least, auto most, std::string_view bounds) {
    if (value >= least && value <= most) return;
    throw std::invalid_argument(fmt::format("dormouse: {}::settings.{} is {}; give {}", whose, member, value, bounds));
  };
  require("visibility", settings.visibility.count(), 0, queue::visibility_max.count(), "0 .. 43200000 ms");
  require("deliveries_max", settings.deliveries_max, 1U, 1'000U, "1 .. 1000");
  require("retention", settings.retention.count(), 60, 14 * 24 * 3'600, "60 .. 1209600 s");
  require("dedup_window", settings.dedup_window.count(), 1, 24 * 3'600, "1 .. 86400 s");
  require("messages_max", settings.messages_max, std::size_t{1}, std::size_t{100'000'000}, "1 .. 100000000");
  require("bytes_max", settings.bytes_max, std::size_t{1}, std::size_t{1} << 40U, "1 .. 1 TiB");
  require("in_flight_max", settings.in_flight_max, std::size_t{1}, std::size_t{1'000'000}, "1 .. 1000000");
  require("dead_letters_max", settings.dead_letters_max, std::size_t{1}, std::size_t{10'000'000}, "1 .. 10000000");
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
