// SPDX-License-Identifier: MIT
// A std::thread for each event.

#include "common/pool_main.hpp"

#include <thread>

namespace {

class contender {
 public:
  static constexpr bool ends_threads = true;
  static constexpr bool thread_per_call = true;
  explicit contender(const bench::pool_setup& setup) : handler_(setup.handler) {}
  ~contender() { bench::wait_alone(5'000'000'000); }
  void post(std::uint64_t argument) { std::thread(handler_, argument).detach(); }
  void call(std::uint64_t argument) { std::thread(handler_, argument).join(); }

 private:
  void (*handler_)(std::uint64_t);
};

// What the constructor alone costs, after the same quiet as every cold start.
void construction(double effort) {
  const std::size_t count = bench::count_of(20, effort);
  bench::samples cost(count);
  for (std::size_t i = 0; i < count + 1; ++i) {
    bench::rest_at_zero(bench::now_ns());
    const auto begun = bench::now_ns();
    std::thread fresh([] {});
    const auto made = bench::now_ns();
    fresh.join();
    if (i > 0) cost.add(made - begun);
  }
  cost.report_as("construction", "us", 1'000);
}

}  // namespace

int main(int argc, char** argv) {
  return bench::pool_main<contender>(argc, argv, {{"cold", "construction", &construction}});
}
