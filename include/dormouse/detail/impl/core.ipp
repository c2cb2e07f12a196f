// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/core.hpp>
#include <dormouse/detail/invocation.hpp>
#include <dormouse/detail/platform/thread.hpp>
#include <dormouse/detail/task_lane.hpp>
#include <dormouse/detail/time_text.hpp>
#include <dormouse/detail/waiting.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

namespace wiring {

DORMOUSE_INLINE runtime_options checked(runtime_options given) {
  const auto refuse = [](const char* option, const auto& value, const char* bounds) {
    throw std::invalid_argument(
        fmt::format("dormouse: runtime_options::{} is {}; give {}", option, shown(value), bounds));
  };
  if (given.depth_max < 1 || given.depth_max > 1'000) refuse("depth_max", given.depth_max, "1 .. 1000");
  if (given.compute_workers_max > 1'024) {
    refuse("compute_workers_max", given.compute_workers_max, "1 .. 1024, or 0 for the number of processors");
  }
  if (given.blocking_workers_max < 1 || given.blocking_workers_max > 4'096) {
    refuse("blocking_workers_max", given.blocking_workers_max, "1 .. 4096");
  }
  if (given.thread_idle_timeout < std::chrono::nanoseconds{0} || given.thread_idle_timeout > std::chrono::hours{1}) {
    refuse("thread_idle_timeout", given.thread_idle_timeout, "0 .. 1 h");
  }
  if (given.instances_max < 1 || given.instances_max > 10'000'000) {
    refuse("instances_max", given.instances_max, "1 .. 10,000,000");
  }
  if (given.status_count_max > 10'000'000) refuse("status_count_max", given.status_count_max, "0 .. 10,000,000");
  if (given.dead_letters_max < 1 || given.dead_letters_max > 100'000'000) {
    refuse("dead_letters_max", given.dead_letters_max, "1 .. 100,000,000");
  }
  if (given.dead_letter_bytes_max < 1 || given.dead_letter_bytes_max > std::size_t{1} << 40U) {
    refuse("dead_letter_bytes_max", given.dead_letter_bytes_max, "1 .. 1 TiB");
  }
  if (given.shuffle && given.drive != drive_mode::host) refuse("shuffle", true, "false without drive_mode::host");
  if (given.seed == 0)
    given.seed = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
  if (given.compute_workers_max == 0) given.compute_workers_max = std::max<std::size_t>(2, processors());
  return given;
}

}  // namespace wiring

DORMOUSE_INLINE core::core(runtime_options given)
    : host_executor(std::move(given.executor)),
      options(wiring::checked(std::move(given))),
      memory(options.memory != nullptr ? *options.memory : *std::pmr::new_delete_resource()),
      items(&recycler::make(memory)),
      own_clock(options.time == nullptr ? std::make_unique<const clock>() : nullptr),
      time(options.time == nullptr ? *own_clock : *options.time),
      random(options.seed),
      functions(time, memory),
      driver(options.drive == drive_mode::host ? std::make_unique<host_driver>(*this) : nullptr),
      timers(time, options.spawn, [this]() -> std::shared_ptr<void> { return shared_from_this(); },
             {.driven = driver != nullptr, .order = options.shuffle ? &random : nullptr}),
      instances(*this),
      events(*this),
      ends(*this),
      chores(*this) {}

DORMOUSE_INLINE core::~core() = default;

DORMOUSE_INLINE std::unique_ptr<lane> core::make_lane(work_source& source, lane_options wanted) {
  wanted.spawn = options.spawn;
  return std::make_unique<lane>(time, source, std::move(wanted),
                                [this]() -> std::shared_ptr<void> { return shared_from_this(); });
}

DORMOUSE_INLINE void core::start() {
  if (driver != nullptr) return start_driven();
  if (host_executor != nullptr) {
    start_on_host();
  } else {
    auto own = make_lane(events.compute, {.thread_name = "dormouse",
                                          .workers_max = static_cast<std::uint32_t>(options.compute_workers_max),
                                          .idle_timeout = options.thread_idle_timeout,
                                          .spin_budget = spinner::budget_max});
    workers = own.get();
    compute = std::move(own);
  }
  blocking = make_lane(events.blocking, {.thread_name = "dormouse-block",
                                         .workers_max = static_cast<std::uint32_t>(options.blocking_workers_max),
                                         .idle_timeout = options.thread_idle_timeout});
  // Chores are rare and do not follow each other: their worker has no reason to linger.
  constexpr std::chrono::nanoseconds linger = std::chrono::milliseconds{50};
  housekeeping = make_lane(chores, {.thread_name = "dormouse-chores",
                                    .workers_max = housekeeper::workers_max,
                                    .idle_timeout = std::min(options.thread_idle_timeout, linger)});
}

DORMOUSE_INLINE void core::start_driven() {
  if (host_executor != nullptr) {
    throw std::invalid_argument(
        "dormouse: runtime_options::executor is set; give none with drive_mode::host, where poll() runs the handlers");
  }
  compute = std::make_shared<driven_lane>(*driver);
  blocking = std::make_unique<driven_lane>(*driver);
  housekeeping = std::make_unique<driven_lane>(*driver);
  host_driver::adopt(shared_from_this());
}

DORMOUSE_INLINE void core::start_on_host() {
  const std::size_t concurrency = host_executor->concurrency();
  if (concurrency < 1 || concurrency > task_lane::concurrency_max) {
    throw std::invalid_argument(
        fmt::format("dormouse: executor::concurrency() is {}; give 1 .. {}", concurrency, task_lane::concurrency_max));
  }
  // A pool that loses or refuses tasks is asked again, less and less often. On a chore: the pool is code of the host,
  // and the thread that learns of the loss may hold the host's locks.
  const auto later = [this](unsigned tries) {
    const auto again = [this] { static_cast<task_lane&>(*compute).offer_again(); };
    if (tries == 0) return chores.add(again);
    const auto pause = std::chrono::milliseconds{1U << std::min(tries, 10U)};
    return timers.arm(time.now() + pause, [this, again] { chores.add(again); }) != 0;
  };
  compute = std::make_shared<task_lane>(std::move(host_executor), concurrency, events.compute, weak_from_this(), later);
}

DORMOUSE_INLINE failure core::shutting_down() {
  return {.code = errc::shutting_down, .effect = effect_kind::not_applied};
}

DORMOUSE_INLINE failure core::forked_child() {
  return make_failure(errc::unavailable, effect_kind::not_applied, failure_reason::forked_child,
                      "this process is a fork of the one whose runtime it is; it may make one of its own");
}

DORMOUSE_INLINE void core::report(const invocation_report& what) noexcept {
  try {
    options.observer(what);
  } catch (...) {
    observer_failed();
  }
}

// ---- statistics -----------------------------------------------------------------------------------------------------

DORMOUSE_INLINE runtime_stats core::stats() {
  runtime_stats now;
  now.functions = functions.defined();
  now.threads = compute->threads() + blocking->threads() + housekeeping->threads() + timers.threads();
  now.instances = static_cast<std::size_t>(instances.existing());
  now.queued = events.accepted();
  now.threads_started = compute->threads_started() + blocking->threads_started() + housekeeping->threads_started() +
                        timers.threads_started();
  now.thread_failures = compute->thread_failures() + blocking->thread_failures() + housekeeping->thread_failures() +
                        timers.thread_failures();
  now.dead_letters = ends.dead_count();
  now.observer_failures = observer_failures_.load(std::memory_order_relaxed);
  return now;
}

DORMOUSE_INLINE function_stats core::stats_of(function_record& record) {
  const std::lock_guard lock(lock_of(record));
  if (record.activity != nullptr) events.account_ended(*record.activity);
  function_stats sums = record.totals != nullptr ? record.totals->sums() : function_stats{};
  function_activity* const activity = record.activity;
  if (activity == nullptr) return sums;
  sums.queued_now = activity->accepted;
  sums.waiting_now = activity->callers_waiting;
  sums.instances_now = activity->instances;
  for (const lease_list* list : {&activity->shared, &activity->homed, &activity->loose}) {
    for (const lease* each = list->front(); each != nullptr; each = each->next) {
      // relaxed: their writer counts on meanwhile.
      sums.invocations += each->invocations.load(std::memory_order_relaxed);
      sums.function_failures += each->function_failures.load(std::memory_order_relaxed);
      sums.timeouts += each->timeouts.load(std::memory_order_relaxed);
      sums.refusals += each->refusals.load(std::memory_order_relaxed);
      sums.run.add(each->run);
    }
  }
  return sums;
}

// ---- closing --------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE void core::progress() noexcept {
  if (phase() == core_phase::open && undefining_.load() == 0) return;
  {
    const std::lock_guard lock(closing_);  // so that it cannot fall between a waiter's look and its sleep
    ++progress_made_;
    progressed_.notify_all();
  }
  if (driver != nullptr) driver->signal();  // whoever waits may be asleep there
}

DORMOUSE_INLINE void core::settle() noexcept {
  if (phase() != core_phase::closed) return;
  std::shared_ptr<core> last;
  const std::lock_guard lock(closing_);
  // The lock is released before `last` is, which may be the end of this object: see the order of the two.
  if (!instances.any()) last = std::move(kept_for_handlers_);
}

DORMOUSE_INLINE void core::enter(core_phase next) noexcept {
  // seq_cst, and before the function locks are taken one by one: see instance_pool::place and ::activity_of.
  phase_.store(next, std::memory_order_seq_cst);
  instances.collect_all(next == core_phase::closed);
}

// False when it is closed already, or another thread is closing it: then waits for that one.
DORMOUSE_INLINE bool core::begin_close() {
  std::unique_lock lock(closing_);
  progressed_.wait(lock, [this] { return !closing_now_; });
  if (close_ended_) return false;
  closing_now_ = true;
  return true;
}

// Until `done()` or the time; looks whenever there is progress.
template <class Done>
void core::wait_progress(clock::time_point until, Done&& done) {
  struct poke : clock::listener {
    explicit poke(core& owner) : closing(owner) { closing.time.subscribe(*this); }
    ~poke() { closing.time.unsubscribe(*this); }
    void time_changed() noexcept override {
      const std::lock_guard lock(closing.closing_);
      closing.progressed_.notify_all();
    }
    core& closing;
  };
  const poke on_manual_clock(*this);
  std::unique_lock lock(closing_);
  while (!done() && time.now() < until) {
    if (driver != nullptr) {
      lock.unlock();
      const bool drove = driver->drive(
          [&] {
            const std::lock_guard looking(closing_);
            return done();
          },
          until);
      lock.lock();
      if (drove) continue;
    }
    if (time.is_manual()) {
      progressed_.wait(lock);
    } else {
      progressed_.wait_until(lock, until);
    }
  }
}

DORMOUSE_INLINE void core::wait_drained(clock::time_point until) {
  wait_progress(until, [this] { return events.accepted() == ends.resting() && !instances.any_in_use(); });
}

DORMOUSE_INLINE void core::end_lanes(std::chrono::nanoseconds drain_for) {
  compute->stop();
  blocking->stop();
  housekeeping->stop();
  const auto patience = std::chrono::steady_clock::now() + (time.is_manual() ? std::chrono::nanoseconds{0} : drain_for);
  compute->wait_gone(patience);
  blocking->wait_gone(patience);
  housekeeping->wait_gone(patience);
  chores.finish();
}

DORMOUSE_INLINE std::vector<unfinished> core::close(std::chrono::nanoseconds drain_for) {
  std::vector<unfinished> left;
  if (invocation::inside(*this)) {  // from a handler: it begins, and the handler itself is what it would wait for
    auto expected = core_phase::open;
    if (phase_.compare_exchange_strong(expected, core_phase::draining)) enter(core_phase::draining);
    return left;
  }
  if (!begin_close()) return left;
  drain_for = std::clamp<std::chrono::nanoseconds>(drain_for, std::chrono::nanoseconds{0}, std::chrono::hours{24});
  const auto until = time.now() + drain_for;
  enter(core_phase::draining);
  wait_drained(until);
  timers.stop();
  enter(core_phase::closed);
  events.refuse_all(left);
  ends.refuse_waiting(left);
  instances.append_running(left);
  end_lanes(std::max(until - time.now(), clock::time_point::duration{0}));
  const std::lock_guard lock(closing_);
  if (instances.any()) kept_for_handlers_ = shared_from_this();
  closing_now_ = false;
  close_ended_ = true;
  progressed_.notify_all();
  return left;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
