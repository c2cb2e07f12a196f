// SPDX-License-Identifier: MIT
#pragma once

// The cheapest monotonic stamp the machine has: the processor's cycle counter (8 ns on the reference machine, half of
// steady_clock) where it runs at a constant rate in every power state, else the steady clock in nanoseconds.

#include <dormouse/detail/config.hpp>

#include <chrono>
#include <cstdint>

#if DORMOUSE_PLATFORM_LINUX && defined(__x86_64__)
#include <cpuid.h>
#endif

namespace dormouse::inline DORMOUSE_FLAVOUR::detail {

[[nodiscard]] inline std::uint64_t steady_nanoseconds() noexcept {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

#if DORMOUSE_PLATFORM_LINUX && defined(__x86_64__)

// CPUID 8000_0007h, EDX bit 8: the counter keeps its rate in all P-, C- and T-states (AMD64 manual vol. 2, "TSC
// invariance"; Intel SDM vol. 3, "Invariant TSC").
[[nodiscard]] inline bool has_steady_cycles() noexcept {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __get_cpuid(0x80000007U, &a, &b, &c, &d) != 0 && (d & (1U << 8U)) != 0;
}

// The compiler's own name for it: <x86intrin.h> brings 40,000 lines into every file that includes the library.
[[nodiscard]] inline std::uint64_t read_cycles() noexcept { return __builtin_ia32_rdtsc(); }

// Nanoseconds a cycle, measured against the steady clock over 100 us, best of a few brackets at either end.
[[nodiscard]] inline double measure_ns_per_cycle() noexcept {
  struct sample {
    std::uint64_t cycles;
    std::uint64_t ns;
  };
  const auto take = [] {
    sample best{0, 0};
    std::uint64_t width = ~std::uint64_t{0};
    for (int i = 0; i < 5; ++i) {
      const std::uint64_t before = __builtin_ia32_rdtsc();
      const std::uint64_t ns = steady_nanoseconds();
      const std::uint64_t after = __builtin_ia32_rdtsc();
      if (after - before < width) {
        width = after - before;
        best = {before + width / 2, ns};
      }
    }
    return best;
  };
  const sample first = take();
  while (steady_nanoseconds() - first.ns < 100'000) {}
  const sample last = take();
  return static_cast<double>(last.ns - first.ns) / static_cast<double>(last.cycles - first.cycles);
}

// Measured once per process.
[[nodiscard]] inline double nanoseconds_per_cycle() noexcept {
  static const double measured = measure_ns_per_cycle();
  return measured;
}

#else

[[nodiscard]] inline bool has_steady_cycles() noexcept { return false; }
[[nodiscard]] inline std::uint64_t read_cycles() noexcept { return steady_nanoseconds(); }
[[nodiscard]] inline double nanoseconds_per_cycle() noexcept { return 1.0; }

#endif

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::detail
