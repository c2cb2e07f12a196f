// SPDX-License-Identifier: MIT
#pragma once

// What the copies of one posted task have in common. Counted, so that a host's pool may copy, keep and drop tasks as it
// likes: the last copy that goes without any having run is how the runtime learns of a drop.

#include <dormouse/detail/config.hpp>

#include <atomic>
#include <cstdint>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class task_state {
 public:
  task_state() = default;
  task_state(const task_state&) = delete;
  task_state& operator=(const task_state&) = delete;

  virtual void run() noexcept = 0;
  void add_owner() noexcept { owners_.fetch_add(1, std::memory_order_relaxed); }  // relaxed: made from one that exists
  void drop_owner() noexcept {
    // acq_rel: the last owner sees what the others did before it deletes.
    if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  // To be asked by an owner: is there no other? Then there will be none.
  [[nodiscard]] bool owned_once() const noexcept { return owners_.load(std::memory_order_acquire) == 1; }

 protected:
  virtual ~task_state() = default;

 private:
  std::atomic<std::uint32_t> owners_{1};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
