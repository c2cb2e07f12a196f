#include "measurements.hpp"

#include <algorithm>

namespace watch_folder {

namespace {

// Nearest rank: the smallest value that `percent` of all are at or below.
std::chrono::nanoseconds at_rank(const std::vector<std::chrono::nanoseconds>& sorted, std::size_t percent) {
  if (sorted.empty()) return {};
  return sorted[std::max<std::size_t>(1, (sorted.size() * percent + 99) / 100) - 1];
}

percentiles percentiles_of(std::vector<std::chrono::nanoseconds> values) {
  std::sort(values.begin(), values.end());
  return {.p50 = at_rank(values, 50), .p99 = at_rank(values, 99)};
}

}  // namespace

void measurements::add(const dormouse::invocation_report& report) {
  const std::lock_guard lock(mutex_);
  auto known = functions_.find(report.function);
  if (known == functions_.end()) known = functions_.try_emplace(std::string(report.function)).first;
  series& all = report.cold ? known->second.cold : known->second.warm;
  ++all.count;
  if (report.outcome) ++all.failed;
  if (all.queued.size() >= samples_max) return;
  all.queued.push_back(report.queued);
  all.init.push_back(report.init);
  all.run.push_back(report.run);
}

start_summary measurements::summarize(const std::string& function, bool cold, const series& all) {
  return {.function = function,
          .cold = cold,
          .count = all.count,
          .failed = all.failed,
          .queued = percentiles_of(all.queued),
          .init = percentiles_of(all.init),
          .run = percentiles_of(all.run)};
}

std::vector<start_summary> measurements::summaries() const {
  const std::lock_guard lock(mutex_);
  std::vector<start_summary> rows;
  for (const auto& [name, each] : functions_) {
    if (each.cold.count > 0) rows.push_back(summarize(name, true, each.cold));
    if (each.warm.count > 0) rows.push_back(summarize(name, false, each.warm));
  }
  return rows;
}

std::size_t measurements::count(std::string_view function) const {
  const std::lock_guard lock(mutex_);
  const auto known = functions_.find(function);
  return known == functions_.end() ? 0 : known->second.cold.count + known->second.warm.count;
}

std::size_t measurements::failures() const {
  const std::lock_guard lock(mutex_);
  std::size_t failed = 0;
  for (const auto& [name, each] : functions_) failed += each.cold.failed + each.warm.failed;
  return failed;
}

}  // namespace watch_folder
