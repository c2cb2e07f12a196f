// SPDX-License-Identifier: MIT
// A production trace, 100 functions over eight hours, on a clock that is moved: how many invocations a second.

#include <dormouse/runtime.hpp>
#include <dormouse/testing/manual_clock.hpp>

#include "common/measure.hpp"
#include "common/trials.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;

using counts = std::vector<std::vector<unsigned>>;  // [function][minute]

// HashOwner,HashApp,HashFunction,Trigger, then a count for each minute.
counts read_counts(const std::filesystem::path& file) {
  counts all;
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    std::istringstream fields(line);
    std::string field;
    for (int i = 0; i < 4; ++i) std::getline(fields, field, ',');
    all.emplace_back();
    while (std::getline(fields, field, ',')) all.back().push_back(static_cast<unsigned>(std::stoul(field)));
  }
  return all;
}

std::uint64_t replay(const counts& all, dormouse::runtime& host, dormouse::testing::manual_clock& time) {
  std::vector<dormouse::handle<int(int)>> functions;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto count_calls = [calls = 0](int value) mutable {
      ++calls;
      return value + 1;
    };
    functions.push_back(host.define("f" + std::to_string(i), count_calls, {.idle_timeout = 10min}));
  }
  std::uint64_t completed = 0;
  const auto begun = time.now();
  for (std::size_t minute = 0; minute < all.front().size(); ++minute) {
    const auto now = begun + (minute + 1) * 1min;
    for (auto next = host.next_deadline(); next && *next < now; next = host.next_deadline()) {
      if (*next > time.now()) time.advance(*next - time.now());
      host.poll();
    }
    time.advance(now - time.now());
    for (std::size_t i = 0; i < all.size(); ++i) {
      for (unsigned n = all[i][minute]; n > 0; --n) completed += functions[i](1).value() == 2 ? 1 : 0;
    }
    host.poll();
  }
  return completed;
}

void production(double) {
  const auto file = std::filesystem::path(DORMOUSE_CASES_DIR) / "traces" / "azure2019-invitro-100" / "invocations.csv";
  if (!std::filesystem::exists(file)) {
    std::fprintf(stderr, "skipped: no recorded trace at %s\n", file.c_str());
    return;
  }
  const auto all = read_counts(file);
  std::uint64_t wanted = 0;
  for (const auto& each : all) {
    for (const auto count : each) wanted += count;
  }
  dormouse::testing::manual_clock time;
  dormouse::runtime host{{.time = &time, .drive = dormouse::drive_mode::host}};
  const auto begun = bench::now_ns();
  const auto completed = replay(all, host, time);
  const auto seconds = static_cast<double>(bench::now_ns() - begun) / 1e9;
  bench::require(completed == wanted, "not every invocation completed");
  bench::report("invocations", "per second", static_cast<double>(completed) / seconds);
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_trials(argc, argv, {{"trace", "100 functions, 8 hours", &production}});
}
