// SPDX-License-Identifier: MIT
#pragma once

// What dormouse::bench needs of the inside: a second runtime with the same function, and what its rounds show.

#include <dormouse/detail/function_record.hpp>
#include <dormouse/runtime.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory_resource>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

// The way from a runtime to what a function of it is made of.
struct function_probe {
  // Null when there is none of that name.
  static const function_record* find(const runtime& host, std::string_view name) noexcept {
    return host.find(name).record;
  }
  // The same handler; `prototype` stays its owner's, so `ops` must not drop it.
  static void define(runtime& host, std::string_view name, const handler_ops& ops, void* prototype,
                     const function_options& options) {
    host.define_erased(name, ops, prototype, options);
  }
};

class counting_memory final : public std::pmr::memory_resource {
 public:
  // relaxed: read when the threads that count are at rest.
  [[nodiscard]] std::uint64_t calls() const noexcept { return calls_.load(std::memory_order_relaxed); }

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    calls_.fetch_add(1, std::memory_order_relaxed);
    return std::pmr::new_delete_resource()->allocate(bytes, alignment);
  }
  void do_deallocate(void* given, std::size_t bytes, std::size_t alignment) override {
    std::pmr::new_delete_resource()->deallocate(given, bytes, alignment);
  }
  [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    return this == &other;
  }
  std::atomic<std::uint64_t> calls_{0};
};

// One kind of rounds: collects what its runtime tells.
class cold_warm_rounds {
 public:
  struct round {
    std::chrono::nanoseconds queued{0};
    std::chrono::nanoseconds thread_spawn{0};
    std::chrono::nanoseconds init{0};
    std::chrono::nanoseconds run{0};
    std::chrono::nanoseconds total{0};
  };

  // Cold: whatever can end at once ends at once.
  [[nodiscard]] runtime_options options(bool cold) {
    return {.observer = [this](const invocation_report& what) { ended(what); },
            .spawn = [this](const char* name, std::function<void()> body) { return spawn(name, std::move(body)); },
            .compute_workers_max = 1,
            .blocking_workers_max = 1,
            .thread_idle_timeout = cold ? std::chrono::nanoseconds{0} : std::chrono::seconds{10},
            .memory = &memory};
  }
  void ended(const invocation_report& what) {
    const std::lock_guard lock(mutex_);
    latest_ = {
        .queued = what.queued, .thread_spawn = spawned_, .init = what.init, .run = what.run, .total = what.total};
    was_cold_ = what.cold;
    spawned_ = std::chrono::nanoseconds{0};
    ++ended_;
  }
  // Keeps the round that has just ended; false when none has, or when it was not of that kind.
  [[nodiscard]] bool keep(bool cold, std::vector<round>& to) {
    const std::lock_guard lock(mutex_);
    if (ended_ != 1 || was_cold_ != cold) return false;
    ended_ = 0;
    to.push_back(latest_);
    return true;
  }
  [[nodiscard]] bool has_ended() const {
    const std::lock_guard lock(mutex_);
    return ended_ != 0;
  }
  void forget() {
    const std::lock_guard lock(mutex_);
    ended_ = 0;
    spawned_ = std::chrono::nanoseconds{0};
  }

  counting_memory memory{};

 private:
  std::thread spawn(std::string_view name, std::function<void()> body) {
    const bool worker = name == "dormouse" || name == "dormouse-block";  // not the timekeeper, not chores
    const auto asked = std::chrono::steady_clock::now();
    return std::thread([this, worker, asked, body = std::move(body)] {
      if (worker) {
        const auto took = std::chrono::steady_clock::now() - asked;
        const std::lock_guard lock(mutex_);
        spawned_ = took;
      }
      body();
    });
  }

  mutable std::mutex mutex_{};  // guards what follows
  round latest_{};
  bool was_cold_ = false;
  unsigned ended_ = 0;
  std::chrono::nanoseconds spawned_{0};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
