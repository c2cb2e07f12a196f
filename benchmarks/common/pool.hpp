// SPDX-License-Identifier: MIT
#pragma once

// What a contender offers so that the questions about handing work to other threads can be put to it:
//
//   class contender {
//    public:
//     explicit contender(const bench::pool_setup&);
//     void post(std::uint64_t argument);   // setup.handler(argument) runs some time on a worker; any thread
//     void call(std::uint64_t argument);   // the same, and returns when it has run, by the contender's own means
//     void posted_all();                   // optional: what a posting thread has to do after its last post
//     static constexpr bool ends_threads;  // its threads go when there is nothing to do (after setup.keep_alive)
//     static constexpr bool thread_per_call;
//   };

#include <chrono>
#include <cstdint>

namespace bench {

struct pool_setup {
  unsigned workers = 2;
  void (*handler)(std::uint64_t) = nullptr;
  std::chrono::milliseconds keep_alive{10'000};
};

template <class Pool>
void after_last_post(Pool& pool) {
  if constexpr (requires { pool.posted_all(); }) pool.posted_all();
}

}  // namespace bench
