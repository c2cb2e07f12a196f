// SPDX-License-Identifier: MIT
#pragma once

// What the metered decorators count: metered_table, metered_object_store, metered_database,
// metered_queue.
// Threads: any; a snapshot that is taken while calls are under way may have one's count and not its duration yet.
// Cost:    two readings of the clock and a few uncontended atomic additions a call; 1.4 KiB for each operation.

#include <dormouse/clock.hpp>
#include <dormouse/detail/forwarding_call.hpp>
#include <dormouse/failure.hpp>
#include <dormouse/histogram.hpp>
#include <dormouse/services/service_operation.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace dormouse::inline DORMOUSE_FLAVOUR {

// One call that has ended.
struct metered_call {
  service_operation what{};
  std::chrono::nanoseconds took{0};
  std::uint64_t bytes_in = 0;    // given by the caller: items as item_bytes() counts them, bytes of objects, SQL
  std::uint64_t bytes_out = 0;   // given to him: items, bytes of objects
  const failure* why = nullptr;  // null: it succeeded
};

struct metering_options {
  // Told of every call, on its thread, after it; what it throws is dropped. Empty: nobody.
  std::function<void(const metered_call&)> on_call{};
};

struct operation_statistics {
  std::uint64_t calls = 0;  // ended
  std::uint64_t failures = 0;
  std::array<std::uint64_t, 24> failures_by{};  // see failed()
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  histogram took{};

  [[nodiscard]] std::uint64_t failed(errc code) const noexcept {
    const auto at = static_cast<std::size_t>(code);
    return at < failures_by.size() ? failures_by[at] : 0;
  }
};

namespace detail {

class meter {
 public:
  static constexpr bool calls_again = false;
  static constexpr bool counts_bytes = true;
  // Of the operations from `first` to `last`.
  meter(const clock& time, service_operation first, service_operation last, metering_options options);

  // All zero for an operation that is not among them.
  [[nodiscard]] operation_statistics statistics(service_operation what) const;

  template <class Call, class Measure>
  auto around(const forwarded_call& what, Call&& call, Measure&& bytes_of) -> decltype(call()) {
    const std::uint64_t begun = time_.ticks();
    auto got = call();
    metered_call ended{.what = what.what, .took = time_.between(begun, time_.ticks()), .bytes_in = what.bytes};
    if (!got) ended.why = &got.error();
    if constexpr (requires { bytes_of(*got); }) {
      if (got) ended.bytes_out = bytes_of(*got);
    }
    count(ended);
    return got;
  }

 private:
  struct counters {
    std::array<std::atomic<std::uint64_t>, 24> failures_by{};  // [0]: those of a code outside the set
    std::atomic<std::uint64_t> bytes_in{0};
    std::atomic<std::uint64_t> bytes_out{0};
    std::array<std::atomic<std::uint64_t>, histogram::bucket_count> took{};
  };
  void count(const metered_call& ended) noexcept;

  const clock& time_;
  const std::size_t first_;
  const std::size_t count_;
  const metering_options options_;
  const std::unique_ptr<counters[]> of_;
};

}  // namespace detail

}  // namespace dormouse::inline DORMOUSE_FLAVOUR

#if defined(DORMOUSE_HEADER_ONLY)
#include <dormouse/detail/impl/adapters/metered.ipp>
#endif
