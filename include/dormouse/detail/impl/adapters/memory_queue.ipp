// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/adapters/memory_queue.hpp>
#include <dormouse/detail/memory_queue_store.hpp>
#include <dormouse/detail/random.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

DORMOUSE_INLINE const queue_settings& checked(const memory_queue_options& options) {
  check_queue_settings(options.settings, "memory_queue_options");
  return options.settings;
}

}  // namespace detail

// ---- what every call does -------------------------------------------------------------------------------------------

// Never the same twice in a process, nor, but for chance, in two.
DORMOUSE_INLINE std::uint64_t memory_queue::store::new_number() noexcept {
  static detail::random_source numbers(
      static_cast<std::uint64_t>(detail::system_clock_of_services().wall().time_since_epoch().count()));
  const std::uint64_t number = numbers.next();
  return number != 0 ? number : numbers.next();  // a receipt has no zero
}

DORMOUSE_INLINE void memory_queue::store::wake(std::size_t became_visible,
                                               const std::optional<clock::time_point>& earlier) noexcept {
  if (waiting_ == 0) return;
  if (became_visible >= waiting_ || (earlier && *earlier < waiting_until_)) return arrived_.notify_all();
  for (; became_visible > 0; --became_visible) arrived_.notify_one();
}

DORMOUSE_INLINE void memory_queue::store::catch_up() noexcept {
  while (changing(telling::if_visible, [&] { return messages_.sweep(now(), detail::queue_round); })) {}
}

// Until there may be something to receive, at most until `end`.
DORMOUSE_INLINE void memory_queue::store::await(clock::time_point end) {
  std::unique_lock lock(mutex_);
  if (!messages_.visible().empty()) return;
  const auto until = std::min(end, messages_.next_due().value_or(end));
  if (time_.now() >= until) return;
  waiting_until_ = waiting_ == 0 ? until : std::max(waiting_until_, until);
  ++waiting_;
  // A manual clock tells when it moves.
  if (time_.is_manual()) {
    arrived_.wait(lock);
  } else {
    arrived_.wait_until(lock, until);
  }
  --waiting_;
}

// ---- sending --------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE std::vector<result<sent_message>> memory_queue::store::send(std::vector<queue_message>&& messages) {
  std::vector<result<sent_message>> answers;
  std::vector<detail::memory_message_node> made;  // those that are not taken are destroyed without the lock
  answers.reserve(messages.size());
  made.reserve(messages.size());
  std::size_t bytes = 0;
  for (queue_message& each : messages) {
    try {
      made.push_back(detail::make_memory_message(std::move(each)));
      bytes += made.back().mapped().bytes;
    } catch (const std::bad_alloc&) {
      made.emplace_back();
    }
  }
  const auto crowded = [&] {
    return messages_.size() + made.size() > settings_.messages_max || messages_.bytes() + bytes > settings_.bytes_max;
  };
  bool sweep_first = false;
  while (changing(telling::if_visible, [&] {
    sweep_first = crowded();
    return ids_.forget(now().now, detail::queue_round);
  })) {}
  if (sweep_first) catch_up();  // some may be too old to count
  changing(telling::if_earlier_too, [&] {
    const moment at = now();
    for (auto& each : made) answers.push_back(send_one(each, at));
    return true;
  });
  return answers;
}

DORMOUSE_INLINE result<void> memory_queue::store::check_room(const detail::memory_message& fresh) const noexcept {
  if (messages_.size() >= settings_.messages_max) {
    return detail::make_failure(errc::throttled, effect_kind::not_applied, failure_reason::queue_depth,
                                "messages_max is reached");
  }
  if (messages_.bytes() + fresh.bytes <= settings_.bytes_max) return {};
  return detail::make_failure(errc::throttled, effect_kind::not_applied, failure_reason::queue_bytes,
                              "bytes_max is reached");
}

DORMOUSE_INLINE result<void> memory_queue::store::check_dead_and_ids(const queue_message& what,
                                                                     const moment& at) const noexcept {
  if (messages_.dead_are_full()) return detail::dead_letters_are_full();
  const std::size_t ids_max = std::max(settings_.messages_max, dedup_ids_least);
  if (what.dedup_id.empty() || ids_.size() < ids_max) return {};
  auto full = detail::make_failure(errc::throttled, effect_kind::not_applied, failure_reason::queue_depth,
                                   "too many dedup_ids are remembered");
  full.retry_after = std::chrono::ceil<std::chrono::milliseconds>(ids_.oldest_until() - at.now);
  return full;
}

// First whatever can fail, all of it to be taken back, then the rest.
DORMOUSE_INLINE result<sent_message> memory_queue::store::send_one(detail::memory_message_node& made,
                                                                   const moment& at) noexcept {
  if (made.empty()) return detail::no_memory_for_queue();
  return detail::nothing_if_no_memory([&]() -> result<sent_message> {
    const queue_message& what = made.mapped().what;
    if (const sent_message* first = what.dedup_id.empty() ? nullptr : ids_.find(what.dedup_id); first != nullptr) {
      sent_message told = *first;
      told.duplicate = true;
      return told;
    }
    if (auto fit = check_dead_and_ids(what, at); !fit) return std::move(fit).error();
    if (auto fit = check_room(made.mapped()); !fit) return std::move(fit).error();
    sent_message told{fmt::format("{:x}", messages_.last_number() + 1), messages_.last_sequence() + 1};
    const auto group = messages_.groups().of(what.group);
    try {
      if (!what.dedup_id.empty()) ids_.add(what.dedup_id, told, at.now + settings_.dedup_window);
    } catch (...) {
      messages_.groups().drop_if_empty(group);
      throw;
    }
    messages_.add(std::move(made), group, at);
    return told;
  });
}

// ---- the queue ------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE memory_queue::memory_queue(const memory_queue_options& options)
    : queue(options.time != nullptr ? *options.time : detail::system_clock_of_services()),
      store_(std::make_shared<store>(detail::checked(options), time())) {}

DORMOUSE_INLINE memory_queue::memory_queue(std::shared_ptr<store> of, const clock& time) noexcept
    : queue(time), store_(std::move(of)) {}

DORMOUSE_INLINE memory_queue::~memory_queue() = default;

DORMOUSE_INLINE queue_settings memory_queue::settings() const noexcept { return store_->settings(); }

DORMOUSE_INLINE result<std::vector<result<sent_message>>> memory_queue::do_send(std::vector<queue_message>&& messages,
                                                                                const queue_send_options&) {
  using answers = result<std::vector<result<sent_message>>>;
  return detail::nothing_if_no_memory([&]() -> answers { return store_->send(std::move(messages)); });
}
DORMOUSE_INLINE result<std::vector<queue_delivery>> memory_queue::do_receive(const queue_receive_options& options) {
  return store_->receive(options);
}
DORMOUSE_INLINE result<std::vector<result<void>>> memory_queue::do_settle(std::vector<queue_settlement>&& what,
                                                                          const queue_send_options&) {
  return detail::nothing_if_no_memory([&]() -> result<std::vector<result<void>>> { return store_->settle(what); });
}
DORMOUSE_INLINE result<queue_counts> memory_queue::do_counts(const call_options&) { return store_->counts(); }
DORMOUSE_INLINE result<dead_letter_page> memory_queue::do_dead_letters(const dead_letter_list_options& options) {
  return detail::nothing_if_no_memory([&] { return store_->dead_letters(options); });
}
DORMOUSE_INLINE result<std::size_t> memory_queue::do_redrive(std::string_view id, std::size_t count,
                                                             const call_options&) {
  return id.empty() ? store_->redrive(count) : store_->redrive(id);
}
DORMOUSE_INLINE result<bool> memory_queue::do_erase_dead_letter(std::string_view id, const call_options&) {
  return store_->erase(id);
}
DORMOUSE_INLINE result<std::size_t> memory_queue::do_purge(const call_options&) {
  return detail::nothing_if_no_memory([&]() -> result<std::size_t> { return store_->purge(); });
}
DORMOUSE_INLINE result<void> memory_queue::do_watch(change_watcher& who) {
  store_->watchers().add(who);
  return {};
}
DORMOUSE_INLINE void memory_queue::do_unwatch(change_watcher& who) noexcept { store_->watchers().remove(who); }
DORMOUSE_INLINE result<std::optional<clock::time_point>> memory_queue::do_next_visible(const call_options&) {
  return store_->next_visible();
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
