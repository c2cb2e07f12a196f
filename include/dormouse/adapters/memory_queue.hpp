// SPDX-License-Identifier: MIT
#pragma once

// The reference queue: one lock, in memory.
// Durability: memory. Everything is gone with the object.
// Hosts:      of this process only; another process cannot reach it.
// Blocking:   while another call has the lock, and as long as receive() is told to wait.
// Errors:     a call that fails, out_of_memory included, has changed nothing.

#include <dormouse/services/queue.hpp>

#include <cstddef>
#include <memory>

namespace dormouse::inline DORMOUSE_FLAVOUR {

class memory_topic;

struct memory_queue_options {
  queue_settings settings{};
  // What deadlines, visibility and ages are measured with; must outlive the queue. Null: the system's clock.
  const clock* time = nullptr;
};

class memory_queue final : public queue {
 public:
  // Ids are remembered for deduplication up to messages_max of them, or as many as this if that is more. Beyond:
  // throttled (queue_depth), with the time until the oldest is forgotten.
  static constexpr std::size_t dedup_ids_least = 100'000;

  // Throws std::invalid_argument naming the option that is outside its bounds.
  explicit memory_queue(const memory_queue_options& options = {});
  // No call may be in progress.
  ~memory_queue() override;

  [[nodiscard]] queue_capabilities capabilities() const noexcept override {
    return {.groups = true, .deduplication = true, .atomic_batches = true};
  }
  [[nodiscard]] durability_level durability() const noexcept override { return durability_level::memory; }
  [[nodiscard]] queue_settings settings() const noexcept override;

 private:
  result<std::vector<result<sent_message>>> do_send(std::vector<queue_message>&& messages,
                                                    const queue_send_options& options) override;
  result<std::vector<queue_delivery>> do_receive(const queue_receive_options& options) override;
  result<std::vector<result<void>>> do_settle(std::vector<queue_settlement>&& what,
                                              const queue_send_options& options) override;
  result<queue_counts> do_counts(const call_options& options) override;
  result<dead_letter_page> do_dead_letters(const dead_letter_list_options& options) override;
  result<std::size_t> do_redrive(std::string_view id, std::size_t count, const call_options& options) override;
  result<bool> do_erase_dead_letter(std::string_view id, const call_options& options) override;
  result<std::size_t> do_purge(const call_options& options) override;
  result<void> do_watch(change_watcher& who) override;
  void do_unwatch(change_watcher& who) noexcept override;
  result<std::optional<clock::time_point>> do_next_visible(const call_options& options) override;

  friend class memory_topic;  // its subscriptions' queues
  class store;
  memory_queue(std::shared_ptr<store> of, const clock& time) noexcept;

  const std::shared_ptr<store> store_;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/adapters/memory_queue.ipp>
#include <dormouse/detail/impl/adapters/memory_queue_deliveries.ipp>
#include <dormouse/detail/impl/adapters/memory_queue_letters.ipp>
#endif
