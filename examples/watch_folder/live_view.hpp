#pragma once

// What one sees while it runs. On a terminal a few lines are drawn over and over; elsewhere a line is printed when
// there is news, and news of the same phase at most once a second.
// Threads: every member may be called from any thread.

#include "meter.hpp"

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>

namespace watch_folder {

// Files that are done, of how many; zero: nobody knows.
struct progress {
  std::size_t done = 0;
  std::size_t total = 0;
};

class live_view {
 public:
  explicit live_view(std::string phase);
  // Names what is going on from now on: "burst 1 of 2".
  void enter(std::string phase);
  void show(const moment& now, const progress& files);
  // A line that stays.
  void print(std::string_view line);
  // Removes the drawn lines; show() does nothing any more.
  void close();

 private:
  void draw(const moment& now, const progress& files);
  void print_plain(const moment& now, const progress& files);
  [[nodiscard]] std::string bar(std::string_view name, std::size_t count) const;
  void erase();

  const bool redraws_;
  const bool utf8_;
  std::mutex mutex_{};
  std::string phase_{};
  std::string last_line_{};  // without its time
  seconds last_at_{-1.0};
  std::size_t drawn_lines_ = 0;
  bool is_closed_ = false;
};

}  // namespace watch_folder
