// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/adapters/memory_topic.hpp>
#include <dormouse/detail/memory_queue_store.hpp>
#include <dormouse/detail/message_attributes.hpp>
#include <dormouse/detail/service_call.hpp>
#include <dormouse/services/message_event.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// ---- what its queues do for a topic ---------------------------------------------------------------------------------

DORMOUSE_INLINE result<void> memory_queue::store::prepare(detail::memory_queue_entry& which,
                                                          const moment& at) noexcept {
  if (ended_) return {};
  return detail::nothing_if_no_memory([&]() -> result<void> {
    const detail::memory_message& made = which.made.mapped();
    if (auto fit = check_dead_and_ids(made.what, at); !fit) return fit;
    if (auto fit = check_room(made); !fit) return fit;
    which.group = messages_.groups().of(made.what.group);
    return {};
  });
}

DORMOUSE_INLINE void memory_queue::store::give_up(detail::memory_queue_entry& which) noexcept {
  messages_.groups().drop_if_empty(std::exchange(which.group, nullptr));
}

DORMOUSE_INLINE bool memory_queue::store::add(detail::memory_queue_entry& which, const moment& at) noexcept {
  if (ended_) return false;
  which.tell = changing_locked(telling::if_earlier_too, [&] { messages_.add(std::move(which.made), which.group, at); });
  return true;
}

DORMOUSE_INLINE void memory_queue::store::change(const queue_settings& settings) noexcept {
  changing(telling::if_earlier_too, [&] {
    settings_ = settings;
    messages_.change(settings);
    return true;
  });
}

DORMOUSE_INLINE void memory_queue::store::end() {
  std::vector<detail::memory_message_node> gone;  // destroyed without the lock
  gone.reserve(detail::queue_round);
  do {
    gone.clear();
    changing(telling::if_visible, [&] {
      ended_ = true;
      const auto at = now().now;
      while (gone.size() < detail::queue_round) {
        detail::memory_message* const one = messages_.any();
        if (one == nullptr) break;
        gone.push_back(messages_.remove(*one, at));
      }
      return true;
    });
  } while (gone.size() == detail::queue_round);
}

// ---- a topic --------------------------------------------------------------------------------------------------------

struct memory_topic::subscription {
  subscription_settings what{};
  std::shared_ptr<memory_queue::store> queue{};

  [[nodiscard]] bool wants(const event& message) const noexcept {
    return what.filter == nullptr || what.filter->matches(message);
  }
};

// An event on its way into one queue.
struct memory_topic::copy {
  std::shared_ptr<memory_queue::store> to{};
  detail::memory_queue_entry entry{};
};

DORMOUSE_INLINE memory_topic::memory_topic(const memory_topic_options& options)
    : topic(options.time != nullptr ? *options.time : detail::system_clock_of_services()),
      queues_mutex_(std::make_shared<std::mutex>()),
      subscriptions_(std::make_shared<const subscription_list>()) {}

DORMOUSE_INLINE memory_topic::~memory_topic() = default;

DORMOUSE_INLINE std::shared_ptr<const memory_topic::subscription_list> memory_topic::known() const {
  const std::lock_guard lock(mutex_);
  return subscriptions_;
}

DORMOUSE_INLINE std::shared_ptr<const memory_topic::subscription_list> memory_topic::replace(
    std::shared_ptr<const subscription_list> by) noexcept {
  const std::lock_guard lock(mutex_);
  return std::exchange(subscriptions_, std::move(by));
}

// ---- publishing -----------------------------------------------------------------------------------------------------

DORMOUSE_INLINE result<std::vector<result<published_event>>> memory_topic::do_publish(std::vector<event>&& messages,
                                                                                      const queue_send_options&) {
  return detail::nothing_if_no_memory([&]() -> result<std::vector<result<published_event>>> {
    std::vector<result<published_event>> answers;
    answers.reserve(messages.size());
    for (event& each : messages) {
      answers.push_back(detail::nothing_if_no_memory([&] { return publish_one(std::move(each)); }));
    }
    return answers;
  });
}

DORMOUSE_INLINE std::vector<memory_topic::copy> memory_topic::copies_for(const event& message,
                                                                         const subscription_list& all) {
  std::vector<copy> copies;
  const auto plain = event_message(message);
  for (const auto& each : all) {
    if (!each->wants(message)) continue;
    queue_message own = plain;
    if (each->what.order_by == subscription_settings::grouping::subject) own.group = detail::subject_group(message);
    copies.push_back({each->queue, {detail::make_memory_message(std::move(own))}});
  }
  return copies;
}

DORMOUSE_INLINE result<published_event> memory_topic::publish_one(event&& message) {
  auto copies = copies_for(message, *known());
  published_event told{std::move(message.id)};
  auto sent = send_to_all(copies);
  if (!sent && sent.error().code == errc::throttled) {
    for (auto& each : copies) each.to->catch_up();  // some messages may be too old to count
    sent = send_to_all(copies);
  }
  if (!sent) return std::move(sent).error();
  for (auto& each : copies) {
    if (each.entry.tell) each.to->watchers().tell();
  }
  told.subscriptions = *sent;
  return told;
}

// First whatever can fail, all of it to be taken back, then the rest. Queues that have ended since are passed over.
DORMOUSE_INLINE result<std::size_t> memory_topic::send_to_all(std::vector<copy>& copies) noexcept {
  const std::lock_guard lock(*queues_mutex_);
  const detail::memory_messages::moment at{time().now(), time().wall()};
  for (std::size_t ready = 0; ready < copies.size(); ++ready) {
    auto fit = copies[ready].to->prepare(copies[ready].entry, at);
    if (fit) continue;
    for (std::size_t i = 0; i < ready; ++i) copies[i].to->give_up(copies[i].entry);
    return std::move(fit).error();
  }
  std::size_t count = 0;
  for (auto& each : copies) count += each.to->add(each.entry, at) ? 1U : 0U;
  return count;
}

// ---- subscriptions --------------------------------------------------------------------------------------------------

DORMOUSE_INLINE result<std::unique_ptr<queue>> memory_topic::do_subscribe(const subscription_settings& what,
                                                                          const call_options&) {
  return detail::nothing_if_no_memory([&]() -> result<std::unique_ptr<queue>> {
    std::shared_ptr<const subscription_list> former;  // and its filters are let go of without a lock
    const std::lock_guard changing(changing_mutex_);
    auto all = std::make_shared<subscription_list>(*known());
    const auto before = [](const auto& each, const std::string& name) { return each->what.name < name; };
    const auto at = std::lower_bound(all->begin(), all->end(), what.name, before);
    const bool is_known = at != all->end() && (*at)->what.name == what.name;
    if (!is_known && all->size() >= subscriptions_max) {
      return detail::refuse_service_call(errc::limit_exceeded, failure_reason::store_full,
                                         "{} subscriptions; no more are possible", all->size());
    }
    auto store = is_known ? (*at)->queue : std::make_shared<memory_queue::store>(what.queue, time(), queues_mutex_);
    auto fresh = std::make_shared<const subscription>(subscription{what, store});
    std::unique_ptr<queue> made(new memory_queue(store, time()));
    if (is_known) {
      *at = std::move(fresh);
      store->change(what.queue);
    } else {
      all->insert(at, std::move(fresh));
    }
    former = replace(std::move(all));
    return made;
  });
}

DORMOUSE_INLINE result<bool> memory_topic::do_unsubscribe(std::string_view name, const call_options&) {
  return detail::nothing_if_no_memory([&]() -> result<bool> {
    std::shared_ptr<const subscription_list> former;  // as above
    const std::lock_guard changing(changing_mutex_);
    auto all = std::make_shared<subscription_list>(*known());
    const auto at = std::find_if(all->begin(), all->end(), [&](const auto& each) { return each->what.name == name; });
    if (at == all->end()) return false;
    (*at)->queue->end();
    all->erase(at);
    former = replace(std::move(all));
    return true;
  });
}

DORMOUSE_INLINE result<std::vector<subscription_info>> memory_topic::do_subscriptions(const call_options&) {
  const auto all = known();
  std::vector<subscription_info> told;
  for (const auto& each : *all) {
    const std::string_view text = each->what.filter != nullptr ? each->what.filter->text() : std::string_view{};
    told.push_back({.name = each->what.name, .filter = std::string(text), .queue = each->what.queue});
  }
  return told;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
