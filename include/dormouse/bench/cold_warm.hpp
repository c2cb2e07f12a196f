// SPDX-License-Identifier: MIT
#pragma once

// What one of your functions costs, cold and warm:
//
//   auto found = dormouse::bench::cold_warm(runtime, "thumbnail", {.data = "..."}, {.rounds = 200});
//   std::fputs(found->table().c_str(), stdout);
//
// The function's handler runs in a runtime of the measurement's own, in instances made from the same prototype and with
// the same options, so that the given runtime, its instances, queues and statistics stay as they are. What the handler
// does to the world outside, it does. Calls through its context to other functions fail with not_found.

#include <dormouse/detail/cold_warm_rounds.hpp>
#include <dormouse/event.hpp>
#include <dormouse/result.hpp>
#include <dormouse/runtime.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace dormouse::inline DORMOUSE_FLAVOUR::bench {

struct cold_warm_options {
  // Invocations of either kind, 1 .. 100,000. A cold one lasts at least as long as the constructor.
  std::size_t rounds = 200;
};

// Over the rounds.
struct distribution {
  std::chrono::nanoseconds min{0};
  std::chrono::nanoseconds p50{0};
  std::chrono::nanoseconds p99{0};
};

// The parts of an invocation that was submitted, by the runtime's clock.
struct phases {
  distribution queued{};        // from acceptance to the worker's start with it; includes the next
  distribution thread_spawn{};  // from asking for a thread to its first instruction; zero when one was there
  distribution init{};          // making the instance; zero when warm
  distribution run{};           // the handler
  distribution total{};         // from acceptance to the end of the handler
  double allocations = 0;       // by the library, per call; not those of the handler
};

struct cold_warm_report {
  std::string function{};
  std::size_t rounds = 0;
  phases cold{};                   // no thread, no instance
  phases warm{};                   // a parked worker, an idle instance
  std::size_t instance_bytes = 0;  // sizeof the handler object; what it owns elsewhere is not known

  // A table for people, one JSON object (times in ns), one picture (SVG).
  [[nodiscard]] std::string table() const;
  [[nodiscard]] std::string json() const;
  [[nodiscard]] std::string svg() const;
};

// Measures. Blocks until all rounds are over. Not while the function is replaced or undefined, and not from inside a
// handler. Fails: not_found; invalid_argument (rounds out of bounds); unsupported for a move-only handler, which is its
// own only instance and so has no cold start; and as the function itself fails, in which case nothing is reported.
result<cold_warm_report> cold_warm(runtime& host, std::string_view function, const event& sample,
                                   const cold_warm_options& options = {});

}  // namespace dormouse::inline DORMOUSE_FLAVOUR::bench

#include <dormouse/detail/cold_warm_body.hpp>
