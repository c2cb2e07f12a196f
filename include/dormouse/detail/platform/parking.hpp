// SPDX-License-Identifier: MIT
#pragma once

// One word that decides who is woken. It counts the workers of a pool that
//   search  (look for work, or were woken or started to do so),
//   park    (sleep, and may be claimed by whoever has work for them),
//   live    (all of them, the running ones included).
// Portable protocol: the submitter publishes its work and then changes this word; a worker announces in this word that
// it parks and then looks once more for work. Both changes are seq_cst read-modify-writes of the one word, so they
// have one order: either the submitter comes second and sees the worker parked, or the worker comes second and sees
// the work. No fence, no timer, and nothing for a submitter to do while anybody searches.

#include <dormouse/detail/config.hpp>

#include <atomic>
#include <cstdint>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

class parking_word {
 public:
  // What a submitter has to do after its work is published.
  enum class duty : std::uint8_t {
    none,       // somebody searches, or all workers are busy and look again when done
    wake_one,   // a parked worker was claimed, and counts as searching: open its gate
    spawn_one,  // a new worker was counted as searching: start it, or call spawn_failed()
  };

  [[nodiscard]] duty after_publish(std::uint32_t workers_max) noexcept {
    std::uint64_t seen = word_.fetch_add(round, std::memory_order_seq_cst) + round;
    for (;;) {
      if (searching_in(seen) > 0) return duty::none;
      if (parked_in(seen) > 0) {
        if (word_.compare_exchange_weak(seen, seen - one_parked + one_searching, std::memory_order_seq_cst)) {
          return duty::wake_one;
        }
      } else if (alive_in(seen) < workers_max) {
        if (word_.compare_exchange_weak(seen, seen + one_alive + one_searching, std::memory_order_seq_cst)) {
          return duty::spawn_one;
        }
      } else {
        return duty::none;
      }
    }
  }

  // The thread could not be started. True when other workers live, who will see the work.
  [[nodiscard]] bool spawn_failed() noexcept {
    return alive_in(word_.fetch_sub(one_alive + one_searching, std::memory_order_seq_cst)) > 1;
  }

  // A busy worker found nothing more: it must look once more after this call, before it parks.
  void start_search() noexcept { word_.fetch_add(one_searching, std::memory_order_seq_cst); }
  // The worker found work. When it was the last to search, the next submitter will wake another.
  void end_search() noexcept { word_.fetch_sub(one_searching, std::memory_order_seq_cst); }

  // Searching -> parked. The caller is already where a claimer finds it, and looks for work once more afterwards.
  void park() noexcept { word_.fetch_add(one_parked - one_searching, std::memory_order_seq_cst); }

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

  [[nodiscard]] std::uint32_t alive() const noexcept { return alive_in(word_.load(std::memory_order_seq_cst)); }

 private:
  static constexpr std::uint64_t one_searching = 1;
  static constexpr std::uint64_t one_parked = std::uint64_t{1} << 16U;
  static constexpr std::uint64_t one_alive = std::uint64_t{1} << 32U;
  // Makes a submitter's read a real change of the word, one that no compiler turns into a load.
  static constexpr std::uint64_t round = std::uint64_t{1} << 48U;

  static std::uint32_t searching_in(std::uint64_t word) noexcept { return static_cast<std::uint32_t>(word & 0xffffU); }
  static std::uint32_t parked_in(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>((word >> 16U) & 0xffffU);
  }
  static std::uint32_t alive_in(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>((word >> 32U) & 0xffffU);
  }

  std::atomic<std::uint64_t> word_{0};
};

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
