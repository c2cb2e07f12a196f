// SPDX-License-Identifier: MIT
// diy.hpp as a pool of workers.

#include "contenders/diy.hpp"

#include "common/pool_main.hpp"

namespace {

const std::string name = "thumbnail";

class contender {
 public:
  static constexpr bool ends_threads = false;
  static constexpr bool thread_per_call = false;
  explicit contender(const bench::pool_setup& setup) : pool_(setup.workers) {
    pool_.define(name, [run = setup.handler](std::uint64_t argument) { run(argument); });
  }
  void post(std::uint64_t argument) { pool_.post(name, argument); }
  void call(std::uint64_t argument) { pool_.submit(name, argument).get(); }

 private:
  bench::diy<std::uint64_t> pool_;
};

void events(unsigned producers, double effort) {
  const std::size_t count = bench::count_of(200'000, effort) / producers * producers;
  bench::diy<bench::diy_event> pool(2);
  pool.define(name, [](const bench::diy_event& message) { bench::tally::run(message.data.size()); });
  bench::post_events(producers, count, [&](std::uint64_t) {
    pool.post(name, {"", "com.example.photo.added", "{\"key\":\"a/b.jpg\"}"});
  });
}

}  // namespace

int main(int argc, char** argv) {
  return bench::pool_main<contender>(
      argc, argv,
      {{"post-throughput", "event by name, 1 producer", [](double effort) { events(1, effort); }},
       {"post-throughput", "event by name, 2 producers", [](double effort) { events(2, effort); }}});
}
