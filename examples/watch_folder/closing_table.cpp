#include "closing_table.hpp"

#include "text_chart.hpp"
#include "text_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace watch_folder {

namespace {

void print_fact(std::string_view name, std::string_view fact) { fmt::print("{:<12}{}\n", name, fact); }

void print_files(const closing_facts& facts) {
  const auto& totals = facts.totals;
  const auto done = grouped(totals.digests.size());
  const auto bytes = bytes_text(static_cast<std::uint64_t>(totals.sums.bytes));
  const auto events = grouped(facts.measured.count("summary"));
  print_fact("files", facts.files_expected == 0 ? fmt::format("{} in the table, {}, {} events", done, bytes, events)
                                                : fmt::format("{} of {} dropped ones are in the table, {}, {} events",
                                                              done, grouped(facts.files_expected), bytes, events));
  print_fact("texts", fmt::format("{}, with {} lines and {} words", grouped(totals.texts),
                                  grouped(static_cast<std::uint64_t>(totals.sums.lines)),
                                  grouped(static_cast<std::uint64_t>(totals.sums.words))));
  print_fact("digests", facts.digests);
}

void print_starts(const measurements& measured) {
  fmt::print("\n{:<17}{:<6}{:>7}{:>8}{:>10}{:>10}{:>11}{:>10}{:>11}{:>10}\n", "", "", "", "", "queued", "", "init", "",
             "run", "");
  fmt::print("{:<17}{:<6}{:>7}{:>8}{:>10}{:>10}{:>11}{:>10}{:>11}{:>10}\n", "function", "start", "count", "failed",
             "p50", "p99", "p50", "p99", "p50", "p99");
  for (const auto& row : measured.summaries()) {
    const auto or_none = [](bool is_there, std::chrono::nanoseconds time) {
      return is_there ? duration_text(time) : std::string{"-"};
    };
    const bool is_queued = row.queued.p99.count() > 0;
    fmt::print("{:<17}{:<6}{:>7}{:>8}{:>10}{:>10}{:>11}{:>10}{:>11}{:>10}\n", row.function, row.cold ? "cold" : "warm",
               grouped(row.count), grouped(row.failed), or_none(is_queued, row.queued.p50),
               or_none(is_queued, row.queued.p99), or_none(row.cold, row.init.p50), or_none(row.cold, row.init.p99),
               duration_text(row.run.p50), duration_text(row.run.p99));
  }
  fmt::print(
      "summary's run includes the two others. text_statistics is called, not queued; without state nothing is "
      "cold.\n\n");
}

void print_peaks(const std::vector<moment>& history) {
  moment peak;
  for (const auto& each : history) {
    peak.threads = std::max(peak.threads, each.threads);
    peak.instances = std::max(peak.instances, each.instances);
    peak.process_threads = std::max(peak.process_threads, each.process_threads);
  }
  print_fact("most", fmt::format("threads {}, instances {}; in /proc/self/task {}, with the host's own", peak.threads,
                                 peak.instances, peak.process_threads));
  print_fact("meter", "a thread of the host's own that looked every 20 ms; it has ended");
}

}  // namespace

void print_closing_table(const closing_facts& facts) {
  fmt::print("\n");
  print_files(facts);
  print_starts(facts.measured);
  print_text_chart("threads", facts.history, &moment::threads);
  print_text_chart("instances", facts.history, &moment::instances);
  fmt::print("\n");
  print_peaks(facts.history);
  std::fflush(stdout);
}

}  // namespace watch_folder
