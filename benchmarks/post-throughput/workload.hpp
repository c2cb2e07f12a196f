// SPDX-License-Identifier: MIT
#pragma once

// Fire and forget: how long until all of many small events have run, and what a post costs who posts.

#include "common/allocations.hpp"
#include "common/pool.hpp"
#include "common/tally.hpp"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace bench {

struct throughput {
  std::int64_t until_run = 0;     // ns, from the first post
  std::int64_t longest_post = 0;  // ns that a producer needed for all its posts
  std::uint64_t allocations = 0;
};

// `post(argument)` from so many threads; `after_last` on each of them when it has posted its share. The arguments that
// run add up to `sum_wanted`, by default to what 0, 1, 2 ... of each thread do.
template <class Post, class AfterLast>
throughput post_many(unsigned producers, std::size_t count, const Post& post, const AfterLast& after_last,
                     std::uint64_t sum_wanted = 0) {
  const std::size_t each = count / producers;
  tally::reset();
  std::atomic<unsigned> ready{0};
  std::atomic<bool> go{false};
  std::vector<std::int64_t> posting(producers);
  std::vector<std::thread> threads;
  for (unsigned p = 0; p < producers; ++p) {
    threads.emplace_back([&, p] {
      ++ready;
      while (!go) std::this_thread::yield();
      const auto begun = now_ns();
      for (std::size_t i = 0; i < each; ++i) post(i);
      posting[p] = now_ns() - begun;
      after_last();
    });
  }
  while (ready < producers) std::this_thread::yield();
  const auto allocated = allocations();
  const auto begun = now_ns();
  go = true;
  require(tally::wait_for(each * producers), "events were lost");
  throughput found{now_ns() - begun, 0, allocations() - allocated};
  for (auto& thread : threads) thread.join();
  found.longest_post = *std::max_element(posting.begin(), posting.end());
  tally::require_exactly(each * producers, sum_wanted != 0 ? sum_wanted : producers * (each * (each - 1) / 2));
  return found;
}

inline void report_throughput(const throughput& found, std::size_t count, unsigned producers) {
  const auto events = static_cast<double>(count);
  report("time per event", "ns", static_cast<double>(found.until_run) / events);
  report("post", "ns", static_cast<double>(found.longest_post) / events * producers);
  report("allocations", "per event", static_cast<double>(found.allocations) / events);
}

template <class Pool>
void post_throughput(unsigned producers, double effort) {
  const std::size_t count = count_of(Pool::thread_per_call ? 4'000 : 200'000, effort) / producers * producers;
  Pool pool({.workers = 2, .handler = &tally::run});
  const auto post = [&](std::uint64_t argument) { pool.post(argument); };
  const auto after_last = [&] { after_last_post(pool); };
  post_many(producers, std::max<std::size_t>(count / 10, producers), post, after_last);  // warm
  report_throughput(post_many(producers, count, post, after_last), count, producers);
}

// Events of 17 bytes, to a function that is named.
template <class Post>
void post_events(unsigned producers, std::size_t count, const Post& post) {
  constexpr std::uint64_t bytes = 17;
  const auto nothing = [] {};
  const std::size_t few = std::max<std::size_t>(count / 10, producers) / producers * producers;
  post_many(producers, few, post, nothing, few * bytes);  // warm
  report_throughput(post_many(producers, count, post, nothing, count * bytes), count, producers);
}

}  // namespace bench
