#pragma once

// What the runtime's observer reports, kept as it came: percentiles are exact, not read from a histogram.

#include <dormouse/functions/report.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace watch_folder {

struct percentiles {
  std::chrono::nanoseconds p50{0};
  std::chrono::nanoseconds p99{0};
};

// All invocations of one function that started cold, or all that started warm.
struct start_summary {
  std::string function{};
  bool cold = false;
  std::size_t count = 0;
  std::size_t failed = 0;
  percentiles queued{};
  percentiles init{};
  percentiles run{};
};

class measurements {
 public:
  // Any thread: this is the observer.
  void add(const dormouse::invocation_report& report);
  // By function, cold before warm; only those that happened.
  [[nodiscard]] std::vector<start_summary> summaries() const;
  [[nodiscard]] std::size_t count(std::string_view function) const;
  [[nodiscard]] std::size_t failures() const;

 private:
  // A host that watches for months must not grow for ever: later ones are counted only.
  static constexpr std::size_t samples_max = 1'000'000;
  struct series {
    std::size_t count = 0;
    std::size_t failed = 0;
    std::vector<std::chrono::nanoseconds> queued{};
    std::vector<std::chrono::nanoseconds> init{};
    std::vector<std::chrono::nanoseconds> run{};
  };
  struct starts {
    series cold{};
    series warm{};
  };
  static start_summary summarize(const std::string& function, bool cold, const series& all);

  mutable std::mutex mutex_{};
  std::map<std::string, starts, std::less<>> functions_{};
};

}  // namespace watch_folder
