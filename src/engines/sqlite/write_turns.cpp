// SPDX-License-Identifier: MIT

#include "write_turns.hpp"

#include <algorithm>
#include <thread>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

bool write_turns::enter(waiter& who) {
  waiter* to_lead = nullptr;
  next_look next;
  std::uint32_t seen = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!taken_) {
      taken_ = true;
      return true;
    }
    push(who);
    seen = who.woken.state();
    next = look(who, to_lead);
  }
  for (;;) {
    if (to_lead != nullptr) std::exchange(to_lead, nullptr)->woken.open();
    if (next.gives_up) {
      who.outcome = detail::make_failure(errc::deadline_exceeded, effect_kind::not_applied,
                                         failure_reason::caller_deadline, "others were writing all the time");
      return false;
    }
    // Opened before it looked: it will not change any more.
    const bool is_open = (seen & detail::gate::open_state) != 0;
    if (!is_open && next.at) {
      who.woken.wait_change_until(seen, *next.at);
    } else if (!is_open) {
      who.woken.wait_change(seen);
    }
    if (is_open || who.woken.is_open()) return who.now == waiter::state::leads;
    const std::lock_guard lock(mutex_);
    seen = who.woken.state();  // before it looks: who pokes it afterwards is seen
    next = look(who, to_lead);
  }
}

// Under the lock. `to_lead` is to be opened without it.
write_turns::next_look write_turns::look(waiter& who, waiter*& to_lead) {
  if (who.now != waiter::state::waiting) return {};  // opened soon, if it is not yet
  const auto now = time_.now();
  if (who.until && now >= *who.until) {
    remove(who);
    return {.gives_up = true};
  }
  auto wake_at = who.until;
  if (holder_ != nullptr) {
    // In use: looked at again later, so that its owner need not wake anybody at the end of each use.
    const auto over_at = (holder_->in_use ? now : holder_->used_at) + holder_->idle_max;
    if (over_at <= now) {
      holder_->over = true;
      holder_ = nullptr;
      to_lead = choose_next_lead();
      return {};
    }
    wake_at = wake_at ? std::min(*wake_at, over_at) : over_at;
  }
  // A manual clock tells when it moves.
  return {.at = time_.is_manual() ? std::nullopt : wake_at};
}

std::size_t write_turns::take(std::span<waiter*> into) {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  while (count < into.size() && first_ != nullptr && first_->piece != nullptr) {
    into[count] = pop();
    into[count++]->now = waiter::state::taken;
  }
  return count;
}

// By the system's time even beside a manual clock: it is a part of how long a real disk takes. Awake, since who is
// awaited was told a moment ago, and a sleep with its wake-up would cost as much as what is gained.
bool write_turns::await(std::size_t count, std::chrono::nanoseconds at_most) const {
  const auto end = std::chrono::steady_clock::now() + at_most;
  // relaxed: a hint; take() looks under the lock.
  while (waiting_.load(std::memory_order_relaxed) < count && std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
  }
  return waiting_.load(std::memory_order_relaxed) != 0;
}

// They have been taken, so nobody else touches them; each may be gone as soon as it is opened.
void write_turns::finish(std::span<waiter* const> served) {
  for (waiter* const each : served) each->woken.open();
}

void write_turns::pass_on() {
  waiter* next = nullptr;
  {
    const std::lock_guard lock(mutex_);
    next = choose_next_lead();
  }
  if (next != nullptr) next->woken.open();
}

void write_turns::hold(holder& who) {
  const std::lock_guard lock(mutex_);
  who.used_at = time_.now();
  holder_ = &who;
  // They went to sleep without knowing how long this one may rest.
  for (waiter* each = first_; each != nullptr; each = each->next) each->woken.poke();
}

bool write_turns::use(holder& who) {
  const std::lock_guard lock(mutex_);
  if (who.over) return false;
  who.in_use = true;
  return true;
}

void write_turns::rest(holder& who) {
  const std::lock_guard lock(mutex_);
  who.in_use = false;
  who.used_at = time_.now();
}

bool write_turns::end(holder& who) {
  const std::lock_guard lock(mutex_);
  if (who.over) return false;
  who.over = true;
  holder_ = nullptr;
  return true;
}

void write_turns::time_changed() noexcept {
  const std::lock_guard lock(mutex_);
  for (waiter* each = first_; each != nullptr; each = each->next) each->woken.poke();
}

void write_turns::push(waiter& who) noexcept {
  *end_ = &who;
  end_ = &who.next;
  ++waiting_;
}

waiter* write_turns::pop() noexcept {
  waiter* const who = first_;
  first_ = who->next;
  if (first_ == nullptr) end_ = &first_;
  --waiting_;
  return who;
}

void write_turns::remove(waiter& who) noexcept {
  waiter** at = &first_;
  while (*at != &who) at = &(*at)->next;
  *at = who.next;
  if (end_ == &who.next) end_ = at;
  --waiting_;
}

// Under the lock; null: nobody waits, the turn is free.
waiter* write_turns::choose_next_lead() noexcept {
  if (first_ == nullptr) {
    taken_ = false;
    return nullptr;
  }
  waiter* const next = pop();
  next->now = waiter::state::leads;
  return next;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
