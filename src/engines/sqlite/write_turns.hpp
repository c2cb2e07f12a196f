// SPDX-License-Identifier: MIT
#pragma once

// Whose turn is it to write? One at a time has it, the others wait in the order they came. Who has it may do the work
// of others and tell them. Knows nothing of SQL.
//
// Threads: every member from any thread. A holder that rests for too long loses its turn to whoever waits: there is no
//          thread that would watch it.

#include <dormouse/clock.hpp>
#include <dormouse/detail/platform/gate.hpp>
#include <dormouse/result.hpp>

#include "function_view.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <mutex>
#include <optional>
#include <span>

namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite {

class connection;
using deadline = std::optional<clock::time_point>;
using work = function_view<result<void>(connection&)>;

// One caller who wants to write; on its own stack while it waits. Opened when it leads, or when its work is done.
struct waiter {
  enum class state { waiting, leads, taken };  // changed under the lock

  const work* piece;  // null: wants the turn for itself
  const deadline& until;
  state now = state::waiting;
  result<void> outcome{};
  std::exception_ptr thrown{};
  detail::gate woken{};
  waiter* next = nullptr;

  [[nodiscard]] bool succeeded() const noexcept { return outcome.has_value() && thrown == nullptr; }
};

class write_turns final : private clock::listener {
 public:
  // A turn that its owner keeps over several calls. It must not end or move while held.
  struct holder {
    std::chrono::milliseconds idle_max;
    clock::time_point used_at{};
    bool in_use = false;
    bool over = false;
  };

  explicit write_turns(const clock& time) : time_(time) { time_.subscribe(*this); }
  ~write_turns() { time_.unsubscribe(*this); }
  write_turns(const write_turns&) = delete;
  write_turns& operator=(const write_turns&) = delete;

  // True: it is this caller's turn. False: another has done its work, or its deadline passed; see `outcome`.
  bool enter(waiter& who);

  // For whose turn it is:
  // The work of those who wait, as it comes, up to the first who wants a turn for itself, into `into`; how many.
  std::size_t take(std::span<waiter*> into);
  // Waits awake, this long at most, until so many are waiting. True if anybody is.
  bool await(std::size_t count, std::chrono::nanoseconds at_most) const;
  static void finish(std::span<waiter* const> served);  // they may go home
  void pass_on();
  void hold(holder& who);

  // For who holds it. False: it is over.
  bool use(holder& who);
  void rest(holder& who);
  bool end(holder& who);  // before pass_on()

 private:
  void time_changed() noexcept override;
  void push(waiter& who) noexcept;
  void remove(waiter& who) noexcept;
  waiter* pop() noexcept;
  // What a waiter has to do next.
  struct next_look {
    bool gives_up = false;
    std::optional<clock::time_point> at{};  // by the system's clock; empty: when it is poked
  };
  next_look look(waiter& who, waiter*& to_lead);
  waiter* choose_next_lead() noexcept;

  const clock& time_;
  std::mutex mutex_{};
  waiter* first_ = nullptr;
  waiter** end_ = &first_;
  std::atomic<std::size_t> waiting_{0};  // changed under the lock; read without it as a hint
  bool taken_ = false;
  holder* holder_ = nullptr;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::sqlite
