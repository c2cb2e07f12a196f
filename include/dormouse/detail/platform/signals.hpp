// SPDX-License-Identifier: MIT
#pragma once

// For run({.stop_on = ...}) only: turns signals into one call each, and puts the old dispositions back.

#include <dormouse/detail/config.hpp>

#include <signal.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// A signal handler can only reach what is static. This is all of it: who listens to which signal.
struct signal_listener {
  std::atomic<void (*)(void*)> call{nullptr};
  std::atomic<void*> target{nullptr};
  std::atomic<int> signal{0};
};
inline std::array<signal_listener, 32> signal_listeners{};
inline std::atomic<int> signal_handlers_running{0};

inline void on_signal(int number) {
  // seq_cst everywhere: a listener that leaves clears its place and then waits until no handler runs.
  signal_handlers_running.fetch_add(1);
  for (auto& each : signal_listeners) {
    if (each.signal.load() != number) continue;
    if (const auto call = each.call.load()) call(each.target.load());
  }
  signal_handlers_running.fetch_sub(1);
}

class signal_scope {
 public:
  // `call(target)` runs in a signal handler. Throws std::invalid_argument for a signal that cannot be caught.
  signal_scope(const std::vector<int>& signals, void (*call)(void*), void* target) {
    try {
      for (const int number : signals) listen(number, call, target);
    } catch (...) {
      leave();
      throw;
    }
  }
  signal_scope(const signal_scope&) = delete;
  signal_scope& operator=(const signal_scope&) = delete;
  ~signal_scope() { leave(); }

 private:
  void listen(int number, void (*call)(void*), void* target) {
    signal_listener* place = nullptr;
    for (auto& each : signal_listeners) {
      int unused = 0;
      if (each.signal.compare_exchange_strong(unused, -1)) {
        place = &each;
        break;
      }
    }
    if (place == nullptr) throw std::invalid_argument("dormouse: run_options::stop_on: more than 32 signals in use");
    place->target.store(target);
    place->call.store(call);
    place->signal.store(number);
    struct sigaction wanted {};
    struct sigaction former {};
    wanted.sa_handler = &on_signal;
    sigemptyset(&wanted.sa_mask);
    wanted.sa_flags = SA_RESTART;
    if (::sigaction(number, &wanted, &former) != 0) {
      place->signal.store(0);
      throw std::invalid_argument("dormouse: run_options::stop_on holds a signal that cannot be caught");
    }
    former_.push_back({number, former, place});
  }
  void leave() noexcept {
    for (auto each = former_.rbegin(); each != former_.rend(); ++each) {
      ::sigaction(each->number, &each->disposition, nullptr);
      each->place->call.store(nullptr);
      each->place->signal.store(0);
    }
    while (!former_.empty() && signal_handlers_running.load() != 0) std::this_thread::yield();
    former_.clear();
  }
  struct entry {
    int number;
    struct sigaction disposition;
    signal_listener* place;
  };
  std::vector<entry> former_{};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
