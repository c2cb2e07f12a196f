// SPDX-License-Identifier: MIT
#pragma once

// One word that decides who is woken. It counts the workers of a pool that
//   search  (look for work, or were woken or started to do so),
//   park    (sleep, and may be claimed by whoever has work for them),
//   live    (all of them, the running ones included).
// Symmetric protocol (portable): the submitter publishes its work and then changes this word; a worker announces in
// this word that it parks and then looks once more for work. Both changes are seq_cst read-modify-writes of the one
// word, so they have one order: either the submitter comes second and sees the worker parked, or the worker comes
// second and sees the work. No fence and no timer.
// Asymmetric protocol (Linux): the same, with a short cut for the submitter. While every worker the pool may have is
// awake there is nobody to wake or start, and a plain load says so. That load may overtake the submitter's stores, so
// a worker that has announced its parking calls membarrier before it looks: a load that was made before it belongs to
// work that is now visible, and a load made after it sees the worker parked. It must not rely on the barrier that
// publishing under a mutex happens to contain: the queue may do without one.
// tests/model has a model of both.

#include <dormouse/detail/config.hpp>
#include <dormouse/detail/platform/membarrier.hpp>

#include <atomic>
#include <cstdint>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

enum class parking_protocol : std::uint8_t { symmetric = 1, asymmetric };

[[nodiscard]] inline parking_protocol best_parking_protocol() noexcept {
  return has_membarrier() ? parking_protocol::asymmetric : parking_protocol::symmetric;
}

class parking_word {
 public:
  explicit parking_word(parking_protocol protocol = best_parking_protocol()) noexcept
      : asymmetric_(protocol == parking_protocol::asymmetric && has_membarrier()) {}

  // What a submitter has to do after its work is published.
  enum class duty : std::uint8_t {
    none,       // all workers are busy, and look again when done
    searched,   // somebody searches, and will find it
    wake_one,   // a parked worker was claimed, and counts as searching: open its gate
    spawn_one,  // a new worker was counted as searching: start it, or call spawn_failed()
  };

  [[nodiscard]] duty after_publish(std::uint32_t workers_max) noexcept {
    if (is_asymmetric()) {
      // A compiler barrier only: what the processor may still exchange is put right by who parks.
      std::atomic_signal_fence(std::memory_order_seq_cst);
      const std::uint64_t seen = word_.load(std::memory_order_relaxed);
      if (parked_in(seen) == 0 && alive_in(seen) >= workers_max) return awake_in(seen);
    }
    return claim_or_count(word_.fetch_add(round, std::memory_order_seq_cst) + round, workers_max);
  }

  // The thread could not be started. False when no worker lives. Else submitters may have relied on the one that was
  // counted: the caller must look for work once more, and wake a parked worker for it.
  [[nodiscard]] bool spawn_failed() noexcept {
    return alive_in(word_.fetch_sub(one_alive + one_searching, std::memory_order_seq_cst)) > 1;
  }

  // A busy worker found nothing more: it must look once more after this call, before it parks.
  void start_search() noexcept { word_.fetch_add(one_searching, std::memory_order_seq_cst); }
  // The worker found work. Submitters may have relied on its search: it must look once more, and call after_publish()
  // when there is more. No barrier, on either protocol: whoever relied on it while there was somebody to wake or start
  // has changed the word. A membarrier here would stand before each handler that a waiting worker starts.
  void end_search() noexcept { word_.fetch_sub(one_searching, std::memory_order_seq_cst); }

  // Searching -> parked. The caller is already where a claimer finds it. Afterwards it calls before_second_look(), and
  // looks for work once more.
  void park() noexcept { word_.fetch_add(one_parked - one_searching, std::memory_order_seq_cst); }

  // Between park() and the second look; outside of locks, since it may take long. Nobody else needs it: to search
  // promises more than to be busy, and who retires has parked before.
  void before_second_look() noexcept {
    if (!is_asymmetric() || membarrier_all_threads()) return;
    // A sandbox that came later forbids it: from now on every submitter changes the word.
    asymmetric_.store(false, std::memory_order_seq_cst);
  }

  // Parked -> searching for one worker, if any is left to claim: the claimer takes one off the list of parked ones.
  [[nodiscard]] bool claim_parked() noexcept {
    std::uint64_t seen = word_.load(std::memory_order_seq_cst);
    while (parked_in(seen) > 0) {
      if (word_.compare_exchange_weak(seen, seen - one_parked + one_searching, std::memory_order_seq_cst)) return true;
    }
    return false;
  }

  // Parked -> gone. False when every parked worker is already claimed: then a gate is about to be opened.
  [[nodiscard]] bool retire_parked() noexcept {
    std::uint64_t seen = word_.load(std::memory_order_seq_cst);
    while (parked_in(seen) > 0) {
      if (word_.compare_exchange_weak(seen, seen - one_parked - one_alive, std::memory_order_seq_cst)) return true;
    }
    return false;
  }
  // Searching -> gone: only when the pool is stopped, since nobody looks after it.
  void retire_searching() noexcept { word_.fetch_sub(one_searching + one_alive, std::memory_order_seq_cst); }

  // A busy worker does not count while it waits for something else; afterwards there may be one more than allowed.
  void step_away() noexcept { word_.fetch_sub(one_alive, std::memory_order_seq_cst); }
  void step_back() noexcept { word_.fetch_add(one_alive, std::memory_order_seq_cst); }
  // Busy -> gone, while there are more than `workers_max`. Every other worker still looks before it parks, so whoever
  // relied on this one is served; see tests/model for why each of them is enough.
  [[nodiscard]] bool retire_surplus(std::uint32_t workers_max) noexcept {
    std::uint64_t seen = word_.load(std::memory_order_seq_cst);
    while (alive_in(seen) > workers_max) [[unlikely]] {
        if (word_.compare_exchange_weak(seen, seen - one_alive, std::memory_order_seq_cst)) return true;
      }
    return false;
  }

  // relaxed: it changes at most once, and late is as good as soon.
  [[nodiscard]] bool is_asymmetric() const noexcept {
#if DORMOUSE_PLATFORM_LINUX
    return asymmetric_.load(std::memory_order_relaxed);
#else
    return false;
#endif
  }
  // Changes of the word by submitters, modulo 65,536; for tests.
  [[nodiscard]] std::uint32_t rounds() const noexcept {
    return static_cast<std::uint32_t>(word_.load(std::memory_order_seq_cst) >> 48U);
  }
  [[nodiscard]] std::uint32_t searching() const noexcept { return searching_in(word_.load(std::memory_order_seq_cst)); }
  [[nodiscard]] std::uint32_t parked() const noexcept { return parked_in(word_.load(std::memory_order_seq_cst)); }
  // Neither searching nor parked; a moment's truth.
  [[nodiscard]] std::uint32_t running() const noexcept {
    const std::uint64_t seen = word_.load(std::memory_order_relaxed);
    const std::uint32_t resting = searching_in(seen) + parked_in(seen);
    return alive_in(seen) > resting ? alive_in(seen) - resting : 0;
  }
  [[nodiscard]] std::uint32_t alive() const noexcept { return alive_in(word_.load(std::memory_order_seq_cst)); }

 private:
  static constexpr std::uint64_t one_searching = 1;
  static constexpr std::uint64_t one_parked = std::uint64_t{1} << 16U;
  static constexpr std::uint64_t one_alive = std::uint64_t{1} << 32U;
  // Makes a submitter's read a real change of the word, one that no compiler turns into a load.
  static constexpr std::uint64_t round = std::uint64_t{1} << 48U;

  duty claim_or_count(std::uint64_t seen, std::uint32_t workers_max) noexcept {
    for (;;) {
      const bool wakes = parked_in(seen) > 0;
      if (searching_in(seen) > 0 || (!wakes && alive_in(seen) >= workers_max)) return awake_in(seen);
      const std::uint64_t wanted = seen + one_searching + (wakes ? -one_parked : one_alive);
      if (word_.compare_exchange_weak(seen, wanted, std::memory_order_seq_cst)) {
        return wakes ? duty::wake_one : duty::spawn_one;
      }
    }
  }

  static duty awake_in(std::uint64_t word) noexcept { return searching_in(word) > 0 ? duty::searched : duty::none; }
  static std::uint32_t searching_in(std::uint64_t word) noexcept { return static_cast<std::uint32_t>(word & 0xffffU); }
  static std::uint32_t parked_in(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>((word >> 16U) & 0xffffU);
  }
  static std::uint32_t alive_in(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>((word >> 32U) & 0xffffU);
  }

  std::atomic<std::uint64_t> word_{0};
  std::atomic<bool> asymmetric_;
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
