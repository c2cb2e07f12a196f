// SPDX-License-Identifier: MIT
// The library, with its default bounds, fairness, deadlines and reports. A post that is throttled is made again.

#include <dormouse/runtime.hpp>

#include "common/pool_main.hpp"

#include <chrono>
#include <thread>

namespace {

template <class Post>
void post_until_accepted(const Post& post) {
  for (auto taken = post(); !taken; taken = post()) {
    bench::require(taken.error().code == dormouse::errc::throttled, "a post was refused");
    std::this_thread::yield();
  }
}

dormouse::runtime_options options_of(unsigned workers, std::chrono::milliseconds keep_alive) {
  return {.compute_workers_max = workers, .thread_idle_timeout = keep_alive};
}

class contender {
 public:
  static constexpr bool ends_threads = true;
  static constexpr bool thread_per_call = false;
  explicit contender(const bench::pool_setup& setup)
      : host_(options_of(setup.workers, setup.keep_alive)),
        work_(host_.define("thumbnail", [run = setup.handler](std::uint64_t argument) { run(argument); },
                           {.idle_timeout = setup.keep_alive})) {}
  void post(std::uint64_t argument) {
    post_until_accepted([&] { return work_.post(argument); });
  }
  void call(std::uint64_t argument) { work_.submit(argument).value().get().value(); }

 private:
  dormouse::runtime host_;
  dormouse::handle<void(std::uint64_t)> work_;
};

void events(unsigned producers, double effort) {
  const std::size_t count = bench::count_of(200'000, effort) / producers * producers;
  dormouse::runtime host(options_of(2, std::chrono::milliseconds{10'000}));
  host.define("thumbnail", [](const dormouse::event& message) { bench::tally::run(message.data.size()); });
  bench::post_events(producers, count, [&](std::uint64_t) {
    post_until_accepted(
        [&] { return host.post("thumbnail", {.type = "com.example.photo.added", .data = "{\"key\":\"a/b.jpg\"}"}); });
  });
}

}  // namespace

int main(int argc, char** argv) {
  return bench::pool_main<contender>(
      argc, argv,
      {{"post-throughput", "event by name, 1 producer", [](double effort) { events(1, effort); }},
       {"post-throughput", "event by name, 2 producers", [](double effort) { events(2, effort); }}});
}
