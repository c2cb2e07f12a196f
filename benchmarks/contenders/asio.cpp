// SPDX-License-Identifier: MIT
// asio::thread_pool, standalone: post, and use_future for an answer.

#include "common/pool_main.hpp"

#include <asio.hpp>

namespace {

class contender {
 public:
  static constexpr bool ends_threads = false;
  static constexpr bool thread_per_call = false;
  explicit contender(const bench::pool_setup& setup) : handler_(setup.handler), pool_(setup.workers) {}
  ~contender() { pool_.join(); }
  void post(std::uint64_t argument) {
    asio::post(pool_, [run = handler_, argument] { run(argument); });
  }
  void call(std::uint64_t argument) {
    asio::post(pool_, asio::use_future([run = handler_, argument] { run(argument); })).get();
  }

 private:
  void (*handler_)(std::uint64_t);
  asio::thread_pool pool_;
};

}  // namespace

int main(int argc, char** argv) { return bench::pool_main<contender>(argc, argv); }
