// SPDX-License-Identifier: MIT
#pragma once

// The reference topic: subscriptions in memory, whose queues are memory queues (adapters/memory_queue.hpp) that share
// one lock. So an event comes to all of them at once, or to none.
// Durability: memory. Messages are gone with the topic and the last queue that it gave away.
// Hosts:      of this process only.
// Blocking:   while another call has the lock of the queues. Filters are asked without it.
// Errors:     a call that fails, out_of_memory included, has changed nothing.
// Filters:    any; they need no text().
// A queue whose subscription has ended is an empty one, of which the topic knows nothing any more.

#include <dormouse/adapters/memory_queue.hpp>
#include <dormouse/services/topic.hpp>

#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

struct memory_topic_options {
  // As in memory_queue_options, for the topic and its queues, which it must outlive. Null: the system's clock.
  const clock* time = nullptr;
};

class memory_topic final : public topic {
 public:
  explicit memory_topic(const memory_topic_options& options = {});
  // No call may be in progress. The queues stay.
  ~memory_topic() override;

  [[nodiscard]] topic_capabilities capabilities() const noexcept override { return {.atomic_fan_out = true}; }
  [[nodiscard]] durability_level durability() const noexcept override { return durability_level::memory; }

 private:
  struct subscription;
  // By name. It never changes: another one takes its place.
  using subscription_list = std::vector<std::shared_ptr<const subscription>>;
  struct copy;

  result<std::vector<result<published_event>>> do_publish(std::vector<event>&& messages,
                                                          const queue_send_options& options) override;
  result<std::unique_ptr<queue>> do_subscribe(const subscription_settings& what, const call_options& options) override;
  result<bool> do_unsubscribe(std::string_view name, const call_options& options) override;
  result<std::vector<subscription_info>> do_subscriptions(const call_options& options) override;

  [[nodiscard]] std::shared_ptr<const subscription_list> known() const;
  std::shared_ptr<const subscription_list> replace(std::shared_ptr<const subscription_list> by) noexcept;
  [[nodiscard]] static std::vector<copy> copies_for(const event& message, const subscription_list& all);
  result<published_event> publish_one(event&& message);
  result<std::size_t> send_to_all(std::vector<copy>& copies) noexcept;

  const std::shared_ptr<std::mutex> queues_mutex_;  // of all queues
  std::mutex changing_mutex_{};                     // one change of the list at a time
  mutable std::mutex mutex_{};                      // guards the pointer
  std::shared_ptr<const subscription_list> subscriptions_;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/adapters/memory_topic.ipp>
#endif
