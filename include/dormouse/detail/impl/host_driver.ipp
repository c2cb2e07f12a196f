// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/detail/core.hpp>
#include <dormouse/detail/host_driver.hpp>
#include <dormouse/detail/invocation.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

DORMOUSE_INLINE void host_driver::signal() noexcept {
  if (!signalled_.exchange(true, std::memory_order_seq_cst)) core_.timers.wake();
}

// ---- who drives -----------------------------------------------------------------------------------------------------

DORMOUSE_INLINE bool host_driver::enter() noexcept {
  const auto self = std::this_thread::get_id();
  if (driving_.load() == self) {
    if (nested_ == nested_max) return false;
  } else {
    std::thread::id nobody{};
    if (!driving_.compare_exchange_strong(nobody, self)) return false;
  }
  ++nested_;
  return true;
}

DORMOUSE_INLINE void host_driver::leave() noexcept {
  if (--nested_ != 0) return;
  driving_.store(std::thread::id{});
  core_.progress();  // close() on another thread may now drive
}

// This thread's runtimes without threads. Few: one mostly.
inline thread_local std::vector<std::weak_ptr<core>> driven_here;

DORMOUSE_INLINE void host_driver::adopt(const std::shared_ptr<core>& owner) {
  if (adopted(owner.get()) != nullptr) return;
  std::erase_if(driven_here, [](const auto& each) { return each.expired(); });
  driven_here.push_back(owner);
}

DORMOUSE_INLINE std::shared_ptr<core> host_driver::adopted(const core* owner) noexcept {
  for (const auto& each : driven_here) {
    if (auto alive = each.lock(); alive.get() == owner) return alive;
  }
  return nullptr;
}

DORMOUSE_INLINE void host_driver::drive_here(const core* owner, const gate& until_open, clock::time_point limit) {
  if (driven_here.empty()) return;
  if (const auto driven = adopted(owner)) driven->driver->drive([&] { return until_open.is_open(); }, limit);
}

// ---- driving --------------------------------------------------------------------------------------------------------

DORMOUSE_INLINE std::array<work_source*, 3> host_driver::sources() noexcept {
  return {&core_.events.compute, &core_.events.blocking, &core_.chores};
}

DORMOUSE_INLINE bool host_driver::has_work() noexcept {
  const auto all = sources();
  return std::any_of(all.begin(), all.end(), [](work_source* each) { return each->has_work(); });
}

// What is due, what is readable, and one piece of each source; how many that were.
DORMOUSE_INLINE std::size_t host_driver::turn() {
  std::size_t ran = 0;
  if (signalled_.exchange(false, std::memory_order_seq_cst)) ran += core_.timers.fire_readable();
  ran += core_.timers.fire_due();
  auto all = sources();
  if (core_.options.shuffle) {
    std::swap(all[0], all[core_.random.below(3)]);
    std::swap(all[1], all[1 + core_.random.below(2)]);
  }
  for (work_source* const each : all) {
    void* const piece = each->take();
    if (piece == nullptr) continue;
    // Handlers that wait drive, too: what runs here has not been called by that handler.
    const context* const outer = std::exchange(this_thread_invocation, nullptr);
    each->run_and_tell(piece);
    this_thread_invocation = outer;
    ++ran;
  }
  return ran;
}

// Nothing is ready: memory that was kept for more goes back.
DORMOUSE_INLINE void host_driver::rest() noexcept {
  for (work_source* const each : sources()) each->ran_dry();
}

DORMOUSE_INLINE std::size_t host_driver::poll(std::chrono::nanoseconds budget) {
  if (drives_here() || !enter()) return 0;
  const auto kept = core_.shared_from_this();
  adopt(kept);
  const auto begun = std::chrono::steady_clock::now();
  std::size_t ran = core_.timers.fire_readable();
  for (;;) {
    const std::size_t turned = turn();
    ran += turned;
    if (turned == 0 && !signalled_.load()) break;
    if (budget != std::chrono::nanoseconds::max() && std::chrono::steady_clock::now() - begun >= budget) break;
  }
  if (const auto next = next_deadline(); next && *next <= core_.time.now()) {
    signalled_.store(true);
    core_.timers.wake();  // the host's loop comes again at once
  } else {
    rest();
  }
  leave();
  return ran;
}

DORMOUSE_INLINE std::optional<clock::time_point> host_driver::next_deadline() noexcept {
  if (signalled_.load() || has_work()) return core_.time.now();
  return core_.timers.next_due();
}

DORMOUSE_INLINE result<int> host_driver::descriptor() {
  auto opened = core_.timers.descriptor();
  // Opening it may have lost a wake: whoever signalled meanwhile has set the flag before.
  if (opened && signalled_.load()) core_.timers.wake();
  return opened;
}

// Nothing is ready.
DORMOUSE_INLINE void host_driver::pass_time(clock::time_point until) {
  if (!core_.time.jumps_when_idle()) return core_.timers.sleep(until);
  const auto next = std::min(core_.timers.next_due().value_or(until), until);
  if (next == clock::time_point::max()) {
    throw std::logic_error("dormouse: this thread waits for what will never happen: nothing is ready and nothing due");
  }
  core_.time.jump_to(next);
}

template <class Done>
bool host_driver::drive(const Done& done, clock::time_point until) {
  if (!enter()) {
    if (drives_here()) core_.time.jump_to(until);  // too deep to run anything: it waits in vain
    return false;
  }
  struct left_at_end {
    host_driver& driver;
    ~left_at_end() { driver.leave(); }
  };
  const auto kept = core_.shared_from_this();
  const left_at_end leaving{*this};
  while (!done() && core_.time.now() < until) {
    if (turn() == 0 && !signalled_.load() && !done()) {
      rest();
      pass_time(until);
    }
  }
  return true;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
