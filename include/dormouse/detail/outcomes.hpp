// SPDX-License-Identifier: MIT
#pragma once

// What becomes of a posted event after an attempt: it is over, waits to be tried again, goes to a destination, or is a
// dead letter. It keeps its place in its function's bounds until one of them has it, so no step here needs room, and
// none needs memory but for what is remembered of each failure.

#include <dormouse/detail/delayed_events.hpp>
#include <dormouse/detail/item_list.hpp>
#include <dormouse/detail/status_board.hpp>
#include <dormouse/detail/timekeeper.hpp>
#include <dormouse/functions/destination.hpp>
#include <dormouse/functions/invocation_status.hpp>
#include <dormouse/functions/retry_policy.hpp>
#include <dormouse/runtime/dead_letter.hpp>
#include <dormouse/runtime/runtime_options.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class core;

// Could trying once more change it? Not when the event is not what the handler takes, or its chain is too deep.
[[nodiscard]] bool may_help(errc code) noexcept;

class outcomes {
 public:
  explicit outcomes(core& owner);
  outcomes(const outcomes&) = delete;
  outcomes& operator=(const outcomes&) = delete;
  ~outcomes();

  // After an attempt of a posted event, on its thread, with no lease and no lock. Takes over the queue's owner.
  void conclude(work_item& item) noexcept;
  // Its outcome goes to its destination, or waits to. As conclude().
  void deliver(work_item& item) noexcept;
  // It came to no good end. As conclude().
  void bury(work_item& item, failure&& why) noexcept;
  // Its function is undefined. As conclude(), for any event.
  void bury_undefined(work_item& item) noexcept;
  // Under the function's lock: an event that waits is queued at once, unless its time has just come.
  void hurry(work_item& item) noexcept;
  // It is over, this way. As conclude().
  void finish(work_item& item, invocation_state end) noexcept;
  // A step of a posted event; costs a branch unless somebody may ask for it.
  void note(const work_item& item, invocation_state state) noexcept;

  // See runtime::cancel().
  result<invocation_state> cancel(function_record& record, std::uint64_t id);

  // The dead letters are at their bound.
  [[nodiscard]] bool full() const noexcept { return full_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t dead_count() const noexcept { return dead_count_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::vector<dead_letter> letters(const dead_letter_filter& which);
  std::size_t discard(const dead_letter_filter& which);
  std::size_t redrive(const dead_letter_filter& which, const redrive_options& options);

  // Accepted events for which nothing is done before their time comes, or before there is room for a dead letter.
  [[nodiscard]] std::uint64_t resting() const noexcept { return resting_.load(); }
  // No timer could be armed for what waits: somebody should call rearm().
  [[nodiscard]] bool unarmed() const noexcept { return unarmed_.load(std::memory_order_relaxed); }
  void rearm() noexcept;
  // The core is closed: what waits is over.
  void refuse_waiting(std::vector<unfinished>& to);

  status_board status;

 private:
  void remember(work_item& item) noexcept;
  [[nodiscard]] std::optional<std::chrono::nanoseconds> delay_before_next(work_item& item) noexcept;
  [[nodiscard]] std::chrono::nanoseconds jittered(const retry_policy& policy, std::uint32_t step) noexcept;
  [[nodiscard]] bool too_old_in(const work_item& item, std::chrono::nanoseconds delay) const noexcept;
  void wait(work_item& item, std::chrono::nanoseconds delay) noexcept;

  result<void> hand_to(work_item& item, const destination& to);
  result<void> post_outcome(const work_item& item, const std::string& name, event&& message);

  void arm() noexcept;
  void due() noexcept;
  void resume(work_item& item) noexcept;
  [[nodiscard]] bool take_from_heap(work_item& item) noexcept;

  [[nodiscard]] static bool matches(const work_item& item, const dead_letter_filter& which) noexcept;
  void keep_letter(work_item& item) noexcept;
  void unlink(const dead_letter_filter& which, item_list& to) noexcept;
  void give_places() noexcept;
  work_item* next_with_place() noexcept;
  void look_at_bounds() noexcept;
  bool revive(work_item& item, std::chrono::nanoseconds after);
  work_item* renewed(work_item& item);
  work_item* copy_as_event(work_item& item, function_record& record);

  core& core_;
  std::atomic<std::uint64_t> resting_{0};

  std::mutex waiting_mutex_{};  // guards the next three; taken after a function's lock
  delayed_events waiting_{};
  timekeeper::timer_id timer_ = 0;
  clock::time_point armed_for_{};
  std::atomic<bool> unarmed_{false};

  std::mutex dead_mutex_{};  // guards the next two, and history and links of what is in them; taken alone
  item_list dead_{};         // the oldest first
  std::size_t dead_bytes_ = 0;
  std::atomic<std::size_t> dead_count_{0};
  std::atomic<bool> full_{false};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
