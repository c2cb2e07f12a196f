// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/memory_queue_receipt.hpp>
#include <dormouse/detail/memory_queue_store.hpp>
#include <dormouse/detail/page_cursor.hpp>

#include <fmt/format.h>

#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

DORMOUSE_INLINE dead_message letter_of(const memory_message& one) {
  return {.id = fmt::format("{:x}", one.number),
          .sequence = one.sequence,
          .data = one.what.data,
          .attributes = one.what.attributes,
          .group = one.what.group,
          .reason = one.reason,
          .error = one.error,
          .deliveries = one.deliveries,
          .sent_at = one.sent_at,
          .died_at = one.died_at};
}

}  // namespace detail

// ---- for operators --------------------------------------------------------------------------------------------------

DORMOUSE_INLINE queue_counts memory_queue::store::counts() {
  catch_up();
  const std::lock_guard lock(mutex_);
  queue_counts all{
      .visible = messages_.visible().size(), .in_flight = messages_.in_flight(), .dead = messages_.dead().size()};
  all.waiting = messages_.size() - all.visible - all.in_flight;
  if (const auto oldest = messages_.oldest()) {
    all.oldest_age = std::chrono::duration_cast<std::chrono::milliseconds>(time_.now() - *oldest);
  }
  return all;
}

DORMOUSE_INLINE result<dead_letter_page> memory_queue::store::dead_letters(const dead_letter_list_options& options) {
  std::uint64_t after = 0;
  if (!options.cursor.empty()) {
    const auto parts = detail::read_cursor_parts(options.cursor, 1, 16);
    const auto number = parts ? detail::read_hex_number(parts->front()) : std::nullopt;
    if (!number) {
      return detail::refuse_service_call(errc::invalid_argument, failure_reason::none, "the cursor is malformed");
    }
    after = *number;
  }
  catch_up();
  dead_letter_page page;
  const std::lock_guard lock(mutex_);
  const auto& dead = messages_.dead();
  auto at = dead.upper_bound({{}, after, nullptr});
  for (; at != dead.end() && page.letters.size() < options.page_size; ++at) {
    page.letters.push_back(detail::letter_of(*at->message));
    after = at->number;
  }
  if (at != dead.end()) page.cursor = detail::make_cursor({fmt::format("{:x}", after)});
  return page;
}

DORMOUSE_INLINE detail::memory_message* memory_queue::store::find_dead(std::string_view id) noexcept {
  const auto number = detail::read_hex_number(id);
  return number ? messages_.find_dead(*number) : nullptr;
}

DORMOUSE_INLINE result<void> memory_queue::store::revive(detail::memory_message& one, const moment& at) noexcept {
  if (auto fit = check_room(one); !fit) return fit;
  return detail::nothing_if_no_memory([&]() -> result<void> {
    messages_.revive(one, messages_.groups().of(one.what.group), at);
    return {};
  });
}

DORMOUSE_INLINE result<std::size_t> memory_queue::store::redrive(std::size_t count) {
  catch_up();
  auto done = changing(telling::if_earlier_too, [&]() -> result<std::size_t> {
    const moment at = now();
    std::size_t revived = 0;
    for (; revived < count && !messages_.dead().empty(); ++revived) {
      auto one = revive(*messages_.dead().begin()->message, at);
      if (!one && revived == 0) return std::move(one).error();
      if (!one) break;
    }
    return revived;
  });
  catch_up();  // there is room among the dead
  return done;
}

DORMOUSE_INLINE result<std::size_t> memory_queue::store::redrive(std::string_view id) {
  catch_up();
  auto done = changing(telling::if_earlier_too, [&]() -> result<std::size_t> {
    detail::memory_message* const one = find_dead(id);
    if (one == nullptr) return std::size_t{0};
    auto revived = revive(*one, now());
    if (!revived) return std::move(revived).error();
    return std::size_t{1};
  });
  catch_up();  // as above
  return done;
}

DORMOUSE_INLINE bool memory_queue::store::erase(std::string_view id) {
  catch_up();
  const detail::memory_message_node gone = changing(telling::if_visible, [&] {
    detail::memory_message* const one = find_dead(id);
    return one != nullptr ? messages_.remove(*one, now().now) : detail::memory_message_node{};
  });
  catch_up();  // as above
  return !gone.empty();
}

// Those that were sent before it began, the newest first, so that none comes to be the first of its group on the way.
DORMOUSE_INLINE std::size_t memory_queue::store::purge() {
  catch_up();
  std::vector<detail::memory_message_node> gone;  // destroyed without the lock
  gone.reserve(detail::queue_round);
  std::uint64_t last = 0;
  std::size_t count = 0;
  do {
    gone.clear();
    changing(telling::if_visible, [&] {
      if (count == 0) last = messages_.last_sequence();
      const moment at = now();
      while (gone.size() < detail::queue_round) {
        detail::memory_message* const one = messages_.newest(last);
        if (one == nullptr) break;
        gone.push_back(messages_.remove(*one, at.now));
      }
      return true;
    });
    count += gone.size();
  } while (gone.size() == detail::queue_round);
  return count;
}

DORMOUSE_INLINE std::optional<clock::time_point> memory_queue::store::next_visible() {
  catch_up();
  const std::lock_guard lock(mutex_);
  return messages_.visible().empty() ? messages_.next_due() : std::optional(messages_.visible().begin()->when);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
