// SPDX-License-Identifier: MIT
// The library: a ring of functions with work, a quantum each.

#include <dormouse/runtime.hpp>

#include "fairness/workload.hpp"

namespace {

class contender {
 public:
  static constexpr bool fair = true;
  void post_loud(std::uint64_t argument) { bench::require(loud_.post(argument).has_value(), "a post was refused"); }
  void post_quiet(std::uint64_t argument) { bench::require(quiet_.post(argument).has_value(), "a post was refused"); }
  void post_slow() { bench::require(slow_.post(0).has_value(), "a post was refused"); }
  [[nodiscard]] std::uint64_t loud_left() const { return loud_.stats().queued_now; }

 private:
  dormouse::runtime host_{{.compute_workers_max = 2}};
  dormouse::handle<void(std::uint64_t)> loud_ = host_.define(
      "loud", &bench::fair_handlers::loud, {.queue_depth_max = 2'000'000, .queue_bytes_max = std::size_t{1} << 30U});
  dormouse::handle<void(std::uint64_t)> quiet_ = host_.define("quiet", &bench::fair_handlers::quiet);
  dormouse::handle<void(std::uint64_t)> slow_ = host_.define("slow", &bench::fair_handlers::slow);
};

}  // namespace

int main(int argc, char** argv) { return bench::fairness_main<contender>(argc, argv); }
