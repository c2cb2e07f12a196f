// SPDX-License-Identifier: MIT
// A host that has worked and now rests: it prints "zero" when nothing is left of the work, and then waits in run().

#include <dormouse/runtime.hpp>
#include <dormouse/testing/eventually.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>

using namespace std::chrono_literals;

int main() {
  dormouse::runtime runtime({.thread_idle_timeout = 10ms});
  auto work = runtime.define("work", [n = 0](int by) mutable { return n += by; }, {.idle_timeout = 10ms});
  for (int i = 0; i < 1'000; ++i) {
    if (!work(i) || !work.post(i)) return 1;
  }
  const bool at_zero = dormouse::testing::eventually(10s, [&] {
    const auto now = runtime.stats();
    return now.threads == 0 && now.instances == 0 && now.queued == 0;
  });
  if (!at_zero) return 2;
  std::puts("zero");
  std::fflush(stdout);
  return runtime.run({.stop_on = {SIGTERM}}) ? 0 : 3;
}
