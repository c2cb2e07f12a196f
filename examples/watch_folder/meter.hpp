#pragma once

// How many threads and instances are there, over time? A thread of the host's own looks every 20 ms: it is no part of
// the library, and it must be stopped before anybody claims that nothing runs.

#include <dormouse/runtime.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace watch_folder {

using seconds = std::chrono::duration<double>;

struct moment {
  seconds at{0};                    // since the meter started
  std::size_t threads = 0;          // of the library: runtime.stats()
  std::size_t instances = 0;        // of functions: runtime.stats()
  std::size_t process_threads = 0;  // of the whole process: /proc/self/task
};

// The names of all threads of this process, from /proc/self/task.
[[nodiscard]] std::vector<std::string> process_threads();
// Names the calling thread in that list.
void name_this_thread(const char* name);

class meter {
 public:
  // `look` is called on the meter's thread with each new moment. No thread yet.
  meter(const dormouse::runtime& runtime, std::function<void(const moment&)> look);
  // Once.
  void start();
  // No thread after that.
  void stop();
  [[nodiscard]] seconds now() const { return std::chrono::steady_clock::now() - started_; }
  // Only after stop(). The whole time, however long it was.
  [[nodiscard]] const std::vector<moment>& history() const noexcept { return history_; }

 private:
  void watch(const std::stop_token& stop);
  void keep(const moment& now);

  const dormouse::runtime& runtime_;
  std::function<void(const moment&)> look_;
  std::chrono::steady_clock::time_point started_{};
  std::vector<moment> history_{};
  std::size_t looks_ = 0;
  std::size_t looks_per_moment_ = 1;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace watch_folder
