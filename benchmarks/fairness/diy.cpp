// SPDX-License-Identifier: MIT
// One queue for all functions, first in, first out, as every pool of threads has it.

#include "contenders/diy.hpp"

#include "fairness/workload.hpp"

namespace {

class contender {
 public:
  static constexpr bool fair = false;
  contender() {
    pool_.define(names[0], &bench::fair_handlers::loud);
    pool_.define(names[1], &bench::fair_handlers::quiet);
    pool_.define(names[2], &bench::fair_handlers::slow);
  }
  void post_loud(std::uint64_t argument) { pool_.post(names[0], argument); }
  void post_quiet(std::uint64_t argument) { pool_.post(names[1], argument); }
  void post_slow() { pool_.post(names[2], 0); }
  [[nodiscard]] static std::uint64_t loud_left() { return 0; }

 private:
  static inline const std::string names[] = {"loud", "quiet", "slow"};
  bench::diy<std::uint64_t> pool_{2};
};

}  // namespace

int main(int argc, char** argv) { return bench::fairness_main<contender>(argc, argv); }
