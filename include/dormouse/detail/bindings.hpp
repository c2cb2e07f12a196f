// SPDX-License-Identifier: MIT
#pragma once

// Triggers while they are attached: each with its function, its one timer and its descriptors.

#include <dormouse/detail/core.hpp>
#include <dormouse/detail/entry.hpp>
#include <dormouse/runtime.hpp>
#include <dormouse/runtime/trigger.hpp>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {

// One attached trigger, and its way into the runtime. Shared by the list below and by chores on their way.
class attached_trigger final : public trigger_port, public std::enable_shared_from_this<attached_trigger> {
 public:
  attached_trigger(const function_reference& target, std::unique_ptr<trigger> source)
      : target_(target), source_(std::move(source)) {}
  ~attached_trigger() = default;

  result<void> start();
  // Waits for a wake() on another thread.
  void stop() noexcept;
  // After a start() that failed: nothing that it asked for follows.
  void abandon() noexcept;

  result<void> post(event message, std::shared_ptr<void> until_over) override;
  result<void> submit(event message, std::shared_ptr<reply_receiver> tells) override;
  void take_back() noexcept override;
  result<void> wake_at(clock::time_point due) override;
  bool wake_soon() noexcept override;
  result<void> wake_on(int descriptor) override;
  void forget(int descriptor) noexcept override;
  [[nodiscard]] const clock& time() const noexcept override { return target_.owner->time; }

 private:
  [[nodiscard]] bool is_stopped();
  void disarm() noexcept;
  std::function<void()> waker();
  void happened();
  void wake_now();

  const function_reference target_;
  std::atomic<bool> soon_{false};  // a wake() is to come that has not begun: see wake_soon()
  std::mutex serial_{};            // one of start(), wake(), stop() at a time
  std::unique_ptr<trigger> source_;
  std::mutex mutex_{};  // guards what follows
  bool stopped_ = false;
  timekeeper::timer_id timer_ = 0;
  std::set<int> descriptors_{};
};

}  // namespace detail

class runtime::bindings {
 public:
  result<binding> add(const detail::function_reference& target, std::unique_ptr<trigger> source);
  bool remove(binding which);
  // Stops all; none can be added afterwards.
  void stop_all();

 private:
  void forget(std::uint64_t id, detail::attached_trigger& failed) noexcept;

  std::mutex mutex_{};
  bool stopped_ = false;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, std::shared_ptr<detail::attached_trigger>> attached_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR
