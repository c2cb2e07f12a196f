// SPDX-License-Identifier: MIT
// GLib's GThreadPool. Not exclusive: its threads may go, though not before half a second has passed.

#include "common/pool_main.hpp"

#include <glib.h>

#include <semaphore>

namespace {

class contender {
 public:
  static constexpr bool ends_threads = true;
  static constexpr bool thread_per_call = false;
  explicit contender(const bench::pool_setup& setup) : handler_(setup.handler) {
    g_thread_pool_set_max_idle_time(static_cast<guint>(setup.keep_alive.count()));
    pool_ = g_thread_pool_new(&contender::run, this, static_cast<gint>(setup.workers), FALSE, nullptr);
  }
  contender(const contender&) = delete;
  contender& operator=(const contender&) = delete;
  ~contender() { g_thread_pool_free(pool_, FALSE, TRUE); }
  // One more than the argument, twice: a null pointer is no task, and the lowest bit says whether somebody waits.
  void post(std::uint64_t argument) { push(2 * argument + 2); }
  void call(std::uint64_t argument) {
    push(2 * argument + 3);
    done_.acquire();
  }

 private:
  void push(std::uint64_t task) { g_thread_pool_push(pool_, GSIZE_TO_POINTER(task), nullptr); }
  static void run(gpointer task, gpointer self) {
    auto& of = *static_cast<contender*>(self);
    const std::uint64_t number = GPOINTER_TO_SIZE(task);
    of.handler_(number / 2 - 1);
    if (number % 2 != 0) of.done_.release();
  }

  void (*handler_)(std::uint64_t);
  GThreadPool* pool_ = nullptr;
  std::binary_semaphore done_{0};
};

}  // namespace

int main(int argc, char** argv) { return bench::pool_main<contender>(argc, argv); }
