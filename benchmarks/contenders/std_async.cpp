// SPDX-License-Identifier: MIT
// std::async for each event. Its futures wait when they are destroyed, so each posting thread keeps its latest ones.

#include "common/pool_main.hpp"

#include <array>
#include <cstddef>
#include <future>

namespace {

class contender {
 public:
  static constexpr bool ends_threads = true;
  static constexpr bool thread_per_call = true;
  explicit contender(const bench::pool_setup& setup) : handler_(setup.handler) {}
  void post(std::uint64_t argument) {
    auto& slot = kept_[next_++ % kept_.size()];
    slot = std::async(std::launch::async, handler_, argument);
  }
  void posted_all() { kept_ = {}; }
  void call(std::uint64_t argument) { std::async(std::launch::async, handler_, argument).get(); }

 private:
  void (*handler_)(std::uint64_t);
  static inline thread_local std::array<std::future<void>, 64> kept_;
  static inline thread_local std::size_t next_ = 0;
};

}  // namespace

int main(int argc, char** argv) { return bench::pool_main<contender>(argc, argv); }
