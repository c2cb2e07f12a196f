// SPDX-License-Identifier: MIT
#pragma once

// What a memory_queue is behind its interface: the messages and the ids, under one lock, and those who wait.

#include <dormouse/adapters/memory_queue.hpp>
#include <dormouse/detail/memory_queue_dedup.hpp>
#include <dormouse/detail/memory_queue_messages.hpp>
#include <dormouse/detail/service_call.hpp>
#include <dormouse/detail/watcher_list.hpp>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

inline constexpr std::size_t queue_round = 1'000;  // messages that are dealt with before others get the lock

inline failure no_memory_for_queue() noexcept {
  return make_failure(errc::out_of_memory, effect_kind::not_applied, failure_reason::none, {});
}

// What it throws has changed nothing, which the interface could not know.
template <class F>
auto nothing_if_no_memory(F&& call) -> decltype(call()) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return no_memory_for_queue();
  }
}

inline failure dead_letters_are_full() noexcept {
  return make_failure(errc::limit_exceeded, effect_kind::not_applied, failure_reason::dead_letters,
                      "dead_letters_max is reached");
}

// A message that is about to be sent to several queues, for one of them.
struct memory_queue_entry {
  memory_message_node made{};
  memory_groups::entry* group = nullptr;
  bool tell = false;  // those who watch, once the lock is let go of
};

}  // namespace detail

class memory_queue::store final : public clock::listener {
 public:
  using moment = detail::memory_messages::moment;

  // Several may have one lock.
  store(const queue_settings& settings, const clock& time,
        std::shared_ptr<std::mutex> mutex = std::make_shared<std::mutex>())
      : time_(time), held_mutex_(std::move(mutex)), settings_(settings), messages_(settings) {
    time_.subscribe(*this);
  }
  store(const store&) = delete;
  store& operator=(const store&) = delete;
  ~store() { time_.unsubscribe(*this); }
  void time_changed() noexcept override {
    const std::lock_guard lock(mutex_);
    arrived_.notify_all();
  }

  [[nodiscard]] queue_settings settings() const noexcept {
    const std::lock_guard lock(mutex_);
    return settings_;
  }
  [[nodiscard]] detail::watcher_list& watchers() noexcept { return watchers_; }

  std::vector<result<sent_message>> send(std::vector<queue_message>&& messages);
  result<std::vector<queue_delivery>> receive(const queue_receive_options& options);
  std::vector<result<void>> settle(std::vector<queue_settlement>& what);
  queue_counts counts();
  result<dead_letter_page> dead_letters(const dead_letter_list_options& options);
  result<std::size_t> redrive(std::size_t count);
  result<std::size_t> redrive(std::string_view id);
  bool erase(std::string_view id);
  std::size_t purge();
  std::optional<clock::time_point> next_visible();
  // Does what time has brought about, and lets others have the lock in between.
  void catch_up() noexcept;

  // ---- for a topic ----
  // Under the lock. What prepare() has accepted, add() or give_up() must follow before the lock is let go of. add()
  // says whether it is in: in a queue that has ended it is not.
  result<void> prepare(detail::memory_queue_entry& which, const moment& at) noexcept;
  void give_up(detail::memory_queue_entry& which) noexcept;
  bool add(detail::memory_queue_entry& which, const moment& at) noexcept;
  // Without the lock.
  void change(const queue_settings& settings) noexcept;
  // Drops everything; a topic can add nothing from then on. If it throws, nothing has changed.
  void end();

 private:
  static std::uint64_t new_number() noexcept;

  enum class telling : bool { if_visible, if_earlier_too };

  [[nodiscard]] moment now() const noexcept { return {time_.now(), time_.wall()}; }
  template <class F>
  auto changing(telling when, F&& change) -> decltype(change());
  template <class F>
  bool changing_locked(telling when, F&& change);
  void wake(std::size_t became_visible, const std::optional<clock::time_point>& earlier) noexcept;
  void await(clock::time_point end);

  // Under the lock, all of them.
  result<sent_message> send_one(detail::memory_message_node& made, const moment& at) noexcept;
  result<void> check_room(const detail::memory_message& fresh) const noexcept;
  result<void> check_dead_and_ids(const queue_message& what, const moment& at) const noexcept;
  result<void> take(const queue_receive_options& options, std::vector<queue_delivery>& to, const moment& at) noexcept;
  [[nodiscard]] queue_delivery delivery_of(const detail::memory_message& one, const moment& at) const;
  result<void> settle_one(queue_settlement& what, std::vector<detail::memory_message_node>& gone,
                          const moment& at) noexcept;
  result<void> end_delivery(detail::memory_message& one, queue_settlement& what, const moment& at) noexcept;
  result<void> revive(detail::memory_message& one, const moment& at) noexcept;
  detail::memory_message* find_dead(std::string_view id) noexcept;

  const clock& time_;
  const std::uint64_t number_ = new_number();
  detail::watcher_list watchers_{};
  const std::shared_ptr<std::mutex> held_mutex_;
  std::mutex& mutex_ = *held_mutex_;  // guards the rest; never held while watchers are told
  queue_settings settings_;
  bool ended_ = false;
  std::condition_variable arrived_{};
  std::size_t waiting_ = 0;
  clock::time_point waiting_until_{};  // the latest time at which one of those who wait looks by himself
  detail::memory_messages messages_;
  detail::memory_dedup_ids ids_{};
};

// Runs `change`, then tells who has to know that messages have become visible, or are to earlier than was said.
template <class F>
auto memory_queue::store::changing(telling when, F&& change) -> decltype(change()) {
  bool tell = false;
  std::optional<decltype(change())> done;
  {
    const std::lock_guard lock(mutex_);
    tell = changing_locked(when, [&] { done.emplace(change()); });
  }
  if (tell) watchers_.tell();
  return *std::move(done);
}

// Wakes those who wait in receive(). Are those who watch to be told?
template <class F>
bool memory_queue::store::changing_locked(telling when, F&& change) {
  const auto before = messages_.next_due();
  change();
  const auto after = messages_.next_due();
  const bool earlier = after && (!before || *after < *before);
  const std::size_t visible = messages_.take_became_visible();
  wake(visible, earlier ? after : std::nullopt);
  return visible != 0 || (earlier && when == telling::if_earlier_too);
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
