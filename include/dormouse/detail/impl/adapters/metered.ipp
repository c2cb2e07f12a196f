// SPDX-License-Identifier: MIT
#pragma once

#include <dormouse/adapters/metered.hpp>

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

DORMOUSE_INLINE meter::meter(const clock& time, service_operation first, service_operation last,
                             metering_options options)
    : time_(time),
      first_(static_cast<std::size_t>(first)),
      count_(static_cast<std::size_t>(last) - first_ + 1),
      options_(std::move(options)),
      of_(std::make_unique<counters[]>(count_)) {}

// relaxed, here and below: counts for display. They order nothing, and each addition is one step; who has joined the
// threads that called sees all of them.
DORMOUSE_INLINE void meter::count(const metered_call& ended) noexcept {
  counters& to = of_[static_cast<std::size_t>(ended.what) - first_];
  to.took[histogram::bucket_of(ended.took)].fetch_add(1, std::memory_order_relaxed);
  if (ended.bytes_in != 0) to.bytes_in.fetch_add(ended.bytes_in, std::memory_order_relaxed);
  if (ended.bytes_out != 0) to.bytes_out.fetch_add(ended.bytes_out, std::memory_order_relaxed);
  if (ended.why != nullptr) {
    const auto code = static_cast<std::size_t>(ended.why->code);
    to.failures_by[code < to.failures_by.size() ? code : 0].fetch_add(1, std::memory_order_relaxed);
  }
  if (!options_.on_call) return;
  try {
    options_.on_call(ended);
  } catch (...) {  // the call has ended as it has
  }
}

DORMOUSE_INLINE operation_statistics meter::statistics(service_operation what) const {
  operation_statistics seen;
  const std::size_t at = static_cast<std::size_t>(what) - first_;  // huge below the first one
  if (at >= count_) return seen;
  const counters& from = of_[at];
  for (std::size_t i = 0; i < from.took.size(); ++i) {
    const std::uint64_t calls = from.took[i].load(std::memory_order_relaxed);
    seen.took.add_to(i, calls);
    seen.calls += calls;
  }
  for (std::size_t i = 0; i < from.failures_by.size(); ++i) {
    seen.failures_by[i] = from.failures_by[i].load(std::memory_order_relaxed);
    seen.failures += seen.failures_by[i];
  }
  seen.bytes_in = from.bytes_in.load(std::memory_order_relaxed);
  seen.bytes_out = from.bytes_out.load(std::memory_order_relaxed);
  return seen;
}

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
