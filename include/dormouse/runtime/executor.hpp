// SPDX-License-Identifier: MIT
#pragma once

// Bring your own threads: what a runtime needs of a host's pool or main loop to run the handlers of posted and
// submitted events there. Give one as runtime_options::executor; without, the runtime has workers of its own.
// A synchronous call stays on its caller's thread, and the library's timers and chores stay on threads of the library.
// Ownership: the runtime shares the executor until close() or its destructor is through; one executor may serve several
//            runtimes. The threads themselves are the host's: they may end before the runtime, or after it.

#include <dormouse/detail/config.hpp>
#include <dormouse/detail/task_state.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

namespace detail {
class task_lane;
}

// One turn of a runtime on a thread of the host: events of one function for at most 32 of them or 100 us (one handler,
// if it takes longer), then a new task is posted for the rest. As large as a pointer; copying and moving it allocates
// nothing, so it fits into std::function and every job queue.
// Threads:  any; a copy is used by one thread at a time.
// Lifetime: safe to run, and to destroy without running, at any time, after the end of the runtime too. Of all copies
//           the first run counts, the others do nothing. When all copies are destroyed and none has run, the events it
//           was posted for are offered again by another task; none is lost.
class task {
 public:
  task() = default;
  task(const task& other) noexcept : state_(other.state_) {
    if (state_ != nullptr) state_->add_owner();
  }
  task(task&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  task& operator=(task other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~task() {
    if (state_ != nullptr) state_->drop_owner();
  }

  // Runs handlers on this thread. What they throw stays inside. Not from inside executor::post: there it does nothing.
  void operator()() const noexcept {
    if (state_ != nullptr) state_->run();
  }
  explicit operator bool() const noexcept { return state_ != nullptr; }

 private:
  friend class detail::task_lane;
  explicit task(detail::task_state& adopted) noexcept : state_(&adopted) {}
  detail::task_state* state_ = nullptr;
};

// Derive from it, or use executor_from() below. Implementations are safe for concurrent calls.
class executor {
 public:
  executor() = default;
  executor(const executor&) = delete;
  executor& operator=(const executor&) = delete;
  virtual ~executor() = default;

  // Has `work` run once, soon, on any thread, but never inside this call. Called with no lock of the library held, from
  // any thread, the library's own and those inside a task included; must not block. False, or whatever it throws: it is
  // refused, and the event for which it was posted fails with unavailable (no_threads). A runtime has at most one task
  // here that has not begun, and posts the next as that one begins.
  virtual bool post(task work) = 0;

  // How many tasks may be of use at once, 1 .. 1,024: the number of threads, usually. Read when the runtime is
  // constructed, which throws std::invalid_argument for any other number.
  [[nodiscard]] virtual std::size_t concurrency() const noexcept = 0;
};

// Adapts anything that takes a callable: executor_from([&](task work) { asio::post(pool, work); }, 4). `post` obeys
// executor::post; if it returns bool, false refuses. What it refers to outlives the runtime.
template <class Post>
requires std::is_invocable_v<Post&, task> std::shared_ptr<executor> executor_from(Post post, std::size_t concurrency) {
  class adapted final : public executor {
   public:
    adapted(Post&& post, std::size_t concurrency) : post_(std::move(post)), concurrency_(concurrency) {}
    bool post(task work) override {
      if constexpr (std::is_same_v<std::invoke_result_t<Post&, task>, bool>) {
        return post_(std::move(work));
      } else {
        static_cast<void>(post_(std::move(work)));
        return true;
      }
    }
    [[nodiscard]] std::size_t concurrency() const noexcept override { return concurrency_; }

   private:
    Post post_;
    const std::size_t concurrency_;
  };
  return std::make_shared<adapted>(std::move(post), concurrency);
}

struct host_driven_options {
  // Called when a task comes to an empty queue, and when run_ready() or run_for() leaves tasks behind; so a loop that
  // calls run_ready(1) whenever this wakes it misses nothing. From any thread, with no lock held, inside post(): it
  // must neither block nor run tasks. If it throws there, the task is refused. Empty: the host looks by itself.
  std::function<void()> on_work{};
  // 1 .. 1,024: how many threads of the host drive it at once. With one, handlers never run beside each other.
  std::size_t concurrency = 1;
};

// No thread at all: the host runs the tasks from its own loop.
// Threads: every member function may be called from any thread; handlers run on those that call run_ready or run_for.
// Waiting: nobody else runs what is queued here. On the thread that drives it, outside handlers, do not block on a
//          pending result or in close(drain_for): run until it is ready, or until stats().queued is 0, first.
class host_driven_executor final : public executor {
 public:
  explicit host_driven_executor(host_driven_options options = {}) : options_(std::move(options)) {}

  // Runs tasks until none is left or `tasks_max` have run; returns how many. Order: as posted.
  std::size_t run_ready(std::size_t tasks_max);
  // Runs tasks until none is left or `budget` is used up, and at least one if there is any; returns how many. The last
  // may exceed the budget by its turn (see task).
  std::size_t run_for(std::chrono::nanoseconds budget);
  // Tasks to run now; a snapshot.
  [[nodiscard]] std::size_t ready() const;

  bool post(task work) override;
  [[nodiscard]] std::size_t concurrency() const noexcept override { return options_.concurrency; }

 private:
  bool run_one();
  void tell_if_left();

  const host_driven_options options_;
  mutable std::mutex mutex_{};  // guards what follows
  std::deque<task> tasks_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/runtime/executor.ipp>
#endif
