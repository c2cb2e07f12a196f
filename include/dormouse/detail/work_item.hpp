// SPDX-License-Identifier: MIT
#pragma once

// One accepted event on its way: what to run, for whom, since when. Made by post() and submit(), ended by a worker, by
// the caller that waits for it, or by close(). Reference counted: the queue holds one, a pending<T> another.

#include <dormouse/detail/handler_ops.hpp>
#include <dormouse/detail/lease.hpp>
#include <dormouse/detail/platform/gate.hpp>
#include <dormouse/event.hpp>
#include <dormouse/functions/reply.hpp>

#include <atomic>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// The calls that led to a posted event, outermost first.
struct lineage {
  std::vector<const function_record*> functions{};
  std::uint16_t depth = 0;
};

enum class item_state : std::uint8_t { queued = 1, running, ended };

class work_item {
 public:
  work_item() = default;
  work_item(const work_item&) = delete;
  work_item& operator=(const work_item&) = delete;
  virtual ~work_item() = default;

  // What to pass to the handler, and where its outcome goes.
  virtual call_arguments arguments() noexcept = 0;
  // The event itself, when there is one.
  [[nodiscard]] virtual event* message() noexcept { return nullptr; }

  void refuse(failure&& why) noexcept {
    const call_arguments call = arguments();
    call.refuse(call.out, std::move(why));
  }
  void add_owner() noexcept { owners_.fetch_add(1, std::memory_order_relaxed); }  // relaxed: as in payload
  void drop_owner() noexcept {
    // acq_rel: the last owner sees what the others did before it deletes.
    if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  // Written by the submitter before it is queued.
  core* owner = nullptr;
  function_record* record = nullptr;
  std::uint32_t generation = 0;
  std::uint64_t id = 0;
  std::uint64_t accepted_at = 0;  // ticks
  std::uint64_t deadline = std::numeric_limits<std::uint64_t>::max();
  std::size_t bytes = 0;
  bool posted = false;  // nobody waits for its reply
  lineage origin{};

  // Guarded by the function's lock until it runs, then the runner's own.
  work_item* next = nullptr;
  item_state state = item_state::queued;
  grant with{};
  std::uint64_t started_at = 0;  // ticks

  gate ended{};  // opened when the outcome is in place

 private:
  std::atomic<std::uint32_t> owners_{1};
};

// An owning pointer to a work item.
class item_pointer {
 public:
  item_pointer() = default;
  explicit item_pointer(work_item* adopted) noexcept : item_(adopted) {}
  item_pointer(item_pointer&& other) noexcept : item_(std::exchange(other.item_, nullptr)) {}
  item_pointer& operator=(item_pointer&& other) noexcept {
    std::swap(item_, other.item_);
    return *this;
  }
  ~item_pointer() {
    if (item_ != nullptr) item_->drop_owner();
  }
  [[nodiscard]] work_item* get() const noexcept { return item_; }
  [[nodiscard]] work_item* release() noexcept { return std::exchange(item_, nullptr); }

 private:
  work_item* item_ = nullptr;
};

template <class R>
void put_refusal(void* out, failure&& why) noexcept {
  static_cast<std::optional<result<R>>*>(out)->emplace(std::move(why));
}

// A call by name, with its event kept.
class event_item final : public work_item {
 public:
  explicit event_item(event&& message) : message_(std::move(message)) { bytes = message_.data.size(); }
  call_arguments arguments() noexcept override {
    return {.argument = &message_,
            .out = &out,
            .refuse = &put_refusal<reply>,
            .by_event = true,
            .reply_wanted = !posted,
            .movable = false};
  }
  [[nodiscard]] event* message() noexcept override { return &message_; }
  std::optional<result<reply>> out{};

 private:
  event message_;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
