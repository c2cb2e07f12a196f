// SPDX-License-Identifier: MIT
// The floor: one thread asleep on a futex, one wake.

#include "common/trials.hpp"
#include "parked/workload.hpp"

#include <thread>

namespace {

void wake(bool busy, double effort) {
  std::atomic<std::uint32_t> word{0};
  std::atomic<bool> stop{false};
  std::thread sleeper([&] {
    for (std::uint32_t seen = 0; !stop;) {
      while (word.load() == seen && !stop) bench::futex_wait(word, seen);
      seen = word.load();
      if (!stop) bench::arrival::tell(0);
    }
  });
  const auto wake_sleeper = [&](std::uint64_t) {
    ++word;
    bench::futex_wake(word);
  };
  bench::parked_posts(busy, bench::count_of(60, effort), wake_sleeper);
  stop = true;
  wake_sleeper(0);
  sleeper.join();
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run_trials(argc, argv,
                           {{"parked", "caller blocks", [](double effort) { wake(false, effort); }},
                            {"parked", "caller busy", [](double effort) { wake(true, effort); }}});
}
