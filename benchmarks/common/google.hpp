// SPDX-License-Identifier: MIT
#pragma once

// Loops of nanoseconds are Google Benchmark's to time; what it finds is printed as all figures are.

#include "common/measure.hpp"

#include <benchmark/benchmark.h>

#include <string>
#include <utility>
#include <vector>

namespace bench {

class one_figure final : public benchmark::BenchmarkReporter {
 public:
  one_figure(std::string metric, double scale) : metric_(std::move(metric)), scale_(scale) {}
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& each : runs) {
      require(!each.error_occurred, "a benchmark failed");
      report(metric_, "ns", each.GetAdjustedRealTime() * scale_);
    }
  }

 private:
  std::string metric_;
  double scale_;
};

// Times `loop` on so many threads at once; the figure is the time of one thread's iteration.
inline void time_loop(const char* metric, void (*loop)(benchmark::State&), int threads, double effort) {
  static const bool initialized = [] {
    int argc = 1;
    char program[] = "benchmark";
    char* argv[] = {program, nullptr};
    benchmark::Initialize(&argc, argv);
    return true;
  }();
  static_cast<void>(initialized);
  benchmark::ClearRegisteredBenchmarks();
  benchmark::RegisterBenchmark("loop", loop)->Threads(threads)->UseRealTime()->MinTime(std::max(0.01, 0.1 * effort));
  // Google divides the time by the iterations of all threads.
  one_figure out(metric, threads);
  benchmark::RunSpecifiedBenchmarks(&out);
}

}  // namespace bench
