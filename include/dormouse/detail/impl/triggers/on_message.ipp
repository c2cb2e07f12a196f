// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/byte_fields.hpp>
#include <dormouse/detail/impl/triggers/message_flights.ipp>
#include <dormouse/detail/impl/triggers/message_pump.ipp>
#include <dormouse/detail/impl/triggers/message_settling.ipp>
#include <dormouse/triggers/on_message.hpp>

#include <fmt/format.h>

#include <stdexcept>
#include <string_view>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

// ---- options --------------------------------------------------------------------------------------------------------

template <class T>
void check_message_option(std::string_view field, T value, T least, T most, std::string_view bounds) {
  if (value >= least && value <= most) return;
  throw std::invalid_argument(fmt::format("dormouse: {}: give {}", field, bounds));
}

DORMOUSE_INLINE void check_message_options(const on_message_options& options) {
  using namespace std::chrono_literals;
  using ms = std::chrono::milliseconds;
  check_message_option<ms>("on_message_options::retry_delay", options.retry_delay, 0ms, 12h, "0 .. 12 h");
  check_message_option<ms>("on_message_options::retry_delay_max", options.retry_delay_max, 0ms, 12h, "0 .. 12 h");
  check_message_option<std::size_t>("on_message_options::in_flight_max", options.in_flight_max, 1, 10'000,
                                    "1 .. 10,000");
  check_message_option<ms>("on_message_options::retry_after", options.retry_after, 1ms, 1h, "1 ms .. 1 h");
}

// ---- batches as bytes -----------------------------------------------------------------------------------------------

inline constexpr std::string_view batch_version = "batch 1";
inline constexpr std::string_view outcome_version = "outcome 1";

DORMOUSE_INLINE void put_delivery(byte_writer& to, const queue_delivery& from) {
  const auto put_time = [&to](calendar_time when) {
    to.number(static_cast<std::uint64_t>(when.time_since_epoch().count()));
  };
  to.text(from.id);
  to.number(from.sequence);
  to.text(from.data.text());
  to.number(from.attributes.size());
  for (const auto& [name, value] : from.attributes) {
    to.text(name);
    to.text(value);
  }
  to.text(from.group);
  to.text(from.receipt);
  to.number(from.deliveries);
  put_time(from.sent_at);
  put_time(from.first_received_at);
}

DORMOUSE_INLINE queue_delivery take_delivery(byte_reader& from) {
  const auto take_time = [&from] {
    return calendar_time(calendar_time::duration(static_cast<calendar_time::rep>(from.number())));
  };
  queue_delivery made;
  made.id = from.text();
  made.sequence = from.number();
  made.data = payload(from.text());
  from.each([&] {
    const auto name = from.text();
    made.attributes.insert_or_assign(std::string(name), std::string(from.text()));
  });
  made.group = from.text();
  made.receipt = from.text();
  made.deliveries = static_cast<unsigned>(from.number());
  made.sent_at = take_time();
  made.first_received_at = take_time();
  return made;
}

DORMOUSE_INLINE failure no_batch(std::string_view what) {
  return {.code = errc::invalid_argument,
          .effect = effect_kind::not_applied,
          .reason = failure_reason::payload_type,
          .detail = fmt::format("these are not the bytes of a {}", what)};
}

}  // namespace detail

DORMOUSE_INLINE std::unique_ptr<trigger> on_message(queue& source, on_message_options options) {
  detail::check_message_options(options);
  on_message_batch_options all{.each = std::move(options), .batch_max = 1};
  return std::make_unique<detail::message_pump>(source, std::move(all), false);
}

DORMOUSE_INLINE std::unique_ptr<trigger> on_message_batch(queue& source, on_message_batch_options options) {
  using namespace std::chrono_literals;
  detail::check_message_options(options.each);
  detail::check_message_option<std::size_t>("on_message_batch_options::batch_max", options.batch_max, 1,
                                            queue::batch_max, "1 .. 1,000");
  detail::check_message_option<std::chrono::milliseconds>("on_message_batch_options::batch_window",
                                                          options.batch_window, 0ms, 5min, "0 .. 5 min");
  return std::make_unique<detail::message_pump>(source, std::move(options), true);
}

// ---- batches --------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE message_batch::message_batch(std::vector<queue_delivery> deliveries) {
  messages_.reserve(deliveries.size());
  for (auto& each : deliveries) messages_.push_back(batched_message(std::move(each), messages_.size()));
}

DORMOUSE_INLINE void batch_outcome::fail(const batched_message& which, std::string_view error,
                                         std::chrono::milliseconds retry_after) {
  failed_.push_back({.position = which.position_,
                     .error = std::string(error.substr(0, queue::error_bytes_max)),
                     .retry_after = retry_after});
}

DORMOUSE_INLINE void batch_outcome::reject(const batched_message& which, std::string_view error) {
  fail(which, error);
  failed_.back().rejected = true;
}

DORMOUSE_INLINE result<payload> codec<message_batch>::encode(const message_batch& batch) {
  detail::byte_writer to;
  to.text(detail::batch_version);
  to.number(batch.size());
  for (const auto& each : batch) detail::put_delivery(to, each.delivery());
  return payload(std::move(to).take());
}

DORMOUSE_INLINE result<message_batch> codec<message_batch>::decode(const event& message) {
  detail::byte_reader from(message.data.text());
  if (from.text() != detail::batch_version) return detail::no_batch("message_batch");
  std::vector<queue_delivery> deliveries;
  from.each([&] { deliveries.push_back(detail::take_delivery(from)); });
  if (!from.at_end()) return detail::no_batch("message_batch");
  return message_batch(std::move(deliveries));
}

DORMOUSE_INLINE result<payload> codec<batch_outcome>::encode(const batch_outcome& outcome) {
  detail::byte_writer to;
  to.text(detail::outcome_version);
  to.number(outcome.failed().size());
  for (const auto& each : outcome.failed()) {
    to.number(each.position);
    to.text(each.error);
    to.number(static_cast<std::uint64_t>(each.retry_after.count()));
    to.number(each.rejected ? 1 : 0);
  }
  return payload(std::move(to).take());
}

DORMOUSE_INLINE result<batch_outcome> codec<batch_outcome>::decode(const event& message) {
  detail::byte_reader from(message.data.text());
  if (from.text() != detail::outcome_version) return detail::no_batch("batch_outcome");
  batch_outcome outcome;
  from.each([&] {
    batch_outcome::failed_message each;
    each.position = static_cast<std::size_t>(from.number());
    each.error = from.text();
    each.retry_after = std::chrono::milliseconds(static_cast<std::int64_t>(from.number()));
    each.rejected = from.number() != 0;
    outcome.failed_.push_back(std::move(each));
  });
  if (!from.at_end()) return detail::no_batch("batch_outcome");
  return outcome;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
