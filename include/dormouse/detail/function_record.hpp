// SPDX-License-Identifier: MIT
#pragma once

// A registered function at rest: one cache line beside its name. Everything it needs to run is made when it runs.

#include <dormouse/clock.hpp>
#include <dormouse/detail/function_totals.hpp>
#include <dormouse/detail/handler_ops.hpp>
#include <dormouse/functions/function_options.hpp>

#include <atomic>
#include <cstdint>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

struct function_activity;

// Options in the units of the hot path; shared by all functions with equal options.
struct function_settings {
  function_options options{};
  std::uint64_t timeout_ticks = 0;
  std::uint64_t init_timeout_ticks = 0;
  std::uint64_t idle_ticks = 0;
  std::uint64_t age_ticks = 0;
  std::size_t leases_max = 1;  // instances_max * instance_concurrency
};

// Why a release must look closer; bits of function_record::attention.
struct attention_bits {
  static constexpr std::uint32_t callers_wait = 1;  // a synchronous caller waits for an instance
  static constexpr std::uint32_t events_wait = 2;   // queued events wait for an instance
  static constexpr std::uint32_t closing = 4;       // instances are collected, not kept by threads
  static constexpr std::uint32_t reaper = 8;        // no timer could be armed for idle instances: try again
  static constexpr std::uint32_t paused = 16;       // nothing starts, idle instances stay in the function's own list
  static constexpr std::uint32_t policed = 128;     // a keep-alive policy counts each use: always set for its function
  static constexpr std::uint32_t crowded = 64;      // other functions wait for room that an idle instance here takes
  static constexpr std::uint32_t replaced = 32;     // instances of a former handler are in use: not to be kept
};

struct alignas(64) function_record {
  const char* name_data = nullptr;
  const function_settings* settings = nullptr;
  // Guarded by the function's lock (core::lock_of):
  function_activity* activity = nullptr;  // null at rest
  function_totals* totals = nullptr;      // null before the first invocation
  const handler_ops* ops = nullptr;       // of the present handler, as `prototype`
  void* prototype = nullptr;
  // Read at each release, written rarely: see instance_pool.hpp.
  std::atomic<std::uint32_t> attention{0};
  std::atomic<std::uint32_t> generation{1};  // changes when the function is undefined
  std::uint32_t index = 0;
  std::uint8_t name_size = 0;

  // Odd while it is defined. acquire: who sees it undefined sees what that did.
  [[nodiscard]] bool is_defined() const noexcept { return generation.load(std::memory_order_acquire) % 2 != 0; }
  // Is it still the function that a caller has found? An even generation is none: undefined while it was looked up.
  [[nodiscard]] bool is_still(std::uint32_t found) const noexcept { return found % 2 != 0 && generation == found; }
  [[nodiscard]] bool is_paused() const noexcept { return (attention.load() & attention_bits::paused) != 0; }
  [[nodiscard]] std::string_view name() const noexcept { return {name_data, name_size}; }
};

static_assert(sizeof(function_record) == 64, "a function at rest is one cache line");

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
