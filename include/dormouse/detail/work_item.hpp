// SPDX-License-Identifier: MIT
#pragma once

// One accepted event on its way: what to run, for whom, since when. Made by post() and submit(), ended by a worker, by
// the caller that waits for it, or by close(). Reference counted: the queue holds one, a pending<T> another.

#include <dormouse/clock.hpp>
#include <dormouse/codec.hpp>
#include <dormouse/detail/handler_ops.hpp>
#include <dormouse/detail/lease.hpp>
#include <dormouse/detail/platform/gate.hpp>
#include <dormouse/detail/recycler.hpp>
#include <dormouse/event.hpp>
#include <dormouse/functions/attempt_record.hpp>
#include <dormouse/functions/reply.hpp>
#include <dormouse/functions/reply_receiver.hpp>

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// The calls that led to a posted event, outermost first.
struct lineage {
  std::vector<const function_record*> functions{};
  std::uint16_t depth = 0;
};

enum class item_state : std::uint8_t {
  queued = 1,
  batched,  // taken in advance, see event_batch.hpp
  running,
  waiting,  // until it is due: for its next attempt, or for its destination
  dead,     // a dead letter
  ended,
};

class work_item;

// What an event needs only once it is not over after its first attempt. Made in the item's own memory, so that going on
// with an event never needs any.
struct item_aftermath {
  failure last_failure{};                 // of the last attempt that failed
  std::vector<attempt_record> history{};  // all of them, while memory lasted
  std::uint32_t deliveries = 0;           // refused by its destination

  // Guarded by the lock of the delayed events.
  bool in_heap = false;
  clock::time_point due{};
  work_item* heap_child = nullptr;
  work_item* heap_sibling = nullptr;
  work_item* heap_previous = nullptr;

  // Guarded by the lock of the dead letters.
  std::chrono::system_clock::time_point died{};
  bool holds_place = false;  // beyond the bound of dead letters: it still counts in its function's queue
};

// The members are in the order of their use: an event that succeeds at once touches three lines and what its type adds.
class work_item {
 public:
  work_item() noexcept {}  // leaves `with` and the aftermath as they are: see there
  work_item(const work_item&) = delete;
  work_item& operator=(const work_item&) = delete;
  virtual ~work_item() {
    if (has_aftermath_) aftermath().~item_aftermath();
  }

  // new (recycler) Item(...): null when there is no memory. What is deleted goes back to the same recycler.
  static void* operator new(std::size_t bytes, recycler& from) noexcept {
    return from.take(bytes, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
  }
  static void* operator new(std::size_t bytes, std::align_val_t alignment, recycler& from) noexcept {
    return from.take(bytes, static_cast<std::size_t>(alignment));
  }
  static void operator delete(void* item) noexcept { recycler::give(item); }
  static void operator delete(void* item, std::align_val_t) noexcept { recycler::give(item); }
  static void operator delete(void* item, recycler&) noexcept { recycler::give(item); }
  static void operator delete(void* item, std::align_val_t, recycler&) noexcept { recycler::give(item); }

  // What to pass to the handler, and where its outcome goes.
  virtual call_arguments arguments() noexcept = 0;
  // It is over, or has become a dead letter. Not under a lock. Of one that nobody posted: if it `reports`.
  virtual void is_over() noexcept {}
  // Of one that `reports`: whose it is.
  [[nodiscard]] virtual const void* submitter() const noexcept { return nullptr; }
  // The event itself, when there is one.
  [[nodiscard]] virtual event* message() noexcept { return nullptr; }
  // Takes the failure of the attempt that has ended; then the item may run again. Precondition: `failed`.
  virtual failure take_failure() noexcept = 0;
  // The event, or the reply, as bytes; empty without a codec. Runs the user's codec: under no lock, and may throw.
  [[nodiscard]] virtual event as_event() const = 0;
  [[nodiscard]] virtual payload reply_bytes() = 0;

  void refuse(failure&& why) noexcept {
    const call_arguments call = arguments();
    call.refuse(call.out, std::move(why));
    failed = true;
  }
  void add_owner() noexcept { owners_.fetch_add(1, std::memory_order_relaxed); }  // relaxed: as in payload
  void drop_owner() noexcept {
    // acquire, acq_rel: the last owner sees what the others did before it deletes. Nobody can join a sole owner.
    if (owners_.load(std::memory_order_acquire) == 1 || owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      delete this;
    }
  }

  [[nodiscard]] bool has_aftermath() const noexcept { return has_aftermath_; }
  [[nodiscard]] item_aftermath& aftermath() noexcept {
    if (!has_aftermath_) {
      ::new (aftermath_) item_aftermath;
      has_aftermath_ = true;
    }
    return *std::launder(reinterpret_cast<item_aftermath*>(aftermath_));
  }
  // Precondition: it has one.
  [[nodiscard]] const item_aftermath& aftermath() const noexcept {
    return *std::launder(reinterpret_cast<const item_aftermath*>(aftermath_));
  }

 private:
  std::atomic<std::uint32_t> owners_{1};
  bool has_aftermath_ = false;

 public:
  bool posted = false;   // nobody waits for its reply
  bool awaited = false;  // a worker was awake and waited for it as it was submitted
  bool reports = false;  // not posted, and nobody waits for it: is_over() tells its end
  // While it runs, the runner's own:
  bool delivering = false;  // no attempt follows: its outcome is on its way to a destination
  bool failed = false;      // the attempt that has ended

  // Written by the submitter before it is queued.
  core* owner = nullptr;
  function_record* record = nullptr;
  std::uint64_t id = 0;
  std::uint64_t accepted_at = 0;  // ticks
  std::uint64_t deadline = std::numeric_limits<std::uint64_t>::max();

  // Guarded by the function's lock; while it runs, the runner's own, but for the links, the state and `stop`.
  work_item* next = nullptr;
  work_item* previous = nullptr;
  std::uint64_t queued_at = 0;   // ticks: accepted, or back from a wait
  std::uint64_t started_at = 0;  // ticks
  std::uint64_t run_ticks = 0;   // of the last attempt
  std::uint32_t attempt = 1;
  std::uint32_t generation = 0;
  std::size_t bytes = 0;
  item_state state = item_state::queued;
  std::atomic<bool> cancelled{false};  // not to be tried again; its handler may look
  gate ended{};                        // opened when the outcome is in place
  lineage origin{};
  std::weak_ptr<std::stop_source> stop{};  // of the running handler, once it has asked for its token
  union {
    grant with;  // set as it is taken out to be run
  };

 private:
  alignas(item_aftermath) std::byte aftermath_[sizeof(item_aftermath)];
};

// Throws bad_alloc.
template <class Item, class... Args>
Item* new_item(recycler& from, Args&&... args) {
  auto* const item = new (from) Item(std::forward<Args>(args)...);
  if (item == nullptr) throw std::bad_alloc{};
  return item;
}

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
  work_item* release() noexcept { return std::exchange(item_, nullptr); }

 private:
  work_item* item_ = nullptr;
};

template <class R>
void put_refusal(void* out, failure&& why) noexcept {
  static_cast<std::optional<result<R>>*>(out)->emplace(std::move(why));
}

// An item whose handler replies with R.
template <class R>
class item_with_reply : public work_item {
 public:
  failure take_failure() noexcept final {
    failure taken = std::move(*out).error();
    out.reset();
    return taken;
  }
  [[nodiscard]] payload reply_bytes() final {
    if constexpr (std::is_same_v<R, reply>) {
      return (*out)->data;
    } else if constexpr (!std::is_void_v<R> && encodable<R>) {
      auto encoded = codec<R>::encode(**out);
      if (encoded) return std::move(*encoded);
    }
    return {};
  }
  std::optional<result<R>> out{};
};

// A call by name, with its event kept.
class event_item : public item_with_reply<reply> {
 public:
  // `until_over` is let go as the event is over: succeeded, cancelled, delivered, or a dead letter.
  explicit event_item(event&& message, std::shared_ptr<void> until_over = nullptr)
      : message_(std::move(message)), until_over_(std::move(until_over)) {
    bytes = message_.data.size();
  }
  call_arguments arguments() noexcept override {
    return {.argument = &message_,
            .out = &out,
            .refuse = &put_refusal<reply>,
            .by_event = true,
            .reply_wanted = !posted,
            .movable = false};
  }
  [[nodiscard]] event* message() noexcept override { return &message_; }
  [[nodiscard]] event as_event() const override { return message_; }
  void is_over() noexcept override { until_over_ = nullptr; }

 private:
  event message_;
  std::shared_ptr<void> until_over_;
};

// An event for one attempt, whose end somebody is told who does not wait for it.
class reported_event_item final : public event_item {
 public:
  reported_event_item(event&& message, std::shared_ptr<reply_receiver> tells, const void* submitter)
      : event_item(std::move(message)), tells_(std::move(tells)), submitter_(submitter) {
    reports = true;
  }
  void is_over() noexcept override {
    if (const auto told = std::exchange(tells_, nullptr)) told->ended(std::move(*out));
  }
  [[nodiscard]] const void* submitter() const noexcept override { return submitter_; }

 private:
  std::shared_ptr<reply_receiver> tells_;
  const void* const submitter_;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
