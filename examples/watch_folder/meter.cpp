#include "meter.hpp"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <stop_token>
#include <utility>

namespace watch_folder {

namespace {

moment higher(const moment& earlier, const moment& later) {
  return {.at = earlier.at,
          .threads = std::max(earlier.threads, later.threads),
          .instances = std::max(earlier.instances, later.instances),
          .process_threads = std::max(earlier.process_threads, later.process_threads)};
}

}  // namespace

std::vector<std::string> process_threads() {
  std::vector<std::string> names;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    if (std::getline(std::ifstream(task.path() / "comm"), name)) names.push_back(std::move(name));
  }
  return names;
}

void name_this_thread(const char* name) { ::pthread_setname_np(::pthread_self(), name); }

meter::meter(const dormouse::runtime& runtime, std::function<void(const moment&)> look)
    : runtime_(runtime), look_(std::move(look)) {}

void meter::start() {
  started_ = std::chrono::steady_clock::now();
  thread_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
}

void meter::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void meter::watch(const std::stop_token& stop) {
  name_this_thread("meter");
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    const auto stats = runtime_.stats();
    const moment seen{.at = now(),
                      .threads = stats.threads,
                      .instances = stats.instances,
                      .process_threads = process_threads().size()};
    keep(seen);
    look_(seen);
    constexpr std::chrono::milliseconds period{20};
    stopped.wait_for(lock, stop, period, [] { return false; });
  }
}

// A host may watch for months: when there are too many moments, every two become one.
void meter::keep(const moment& now) {
  if (looks_++ % looks_per_moment_ != 0) {
    history_.back() = higher(history_.back(), now);
    return;
  }
  history_.push_back(now);
  constexpr std::size_t moments_max = 10'000;
  if (history_.size() < moments_max) return;
  for (std::size_t i = 0; i < moments_max / 2; ++i) history_[i] = higher(history_[2 * i], history_[2 * i + 1]);
  history_.resize(moments_max / 2);
  looks_per_moment_ *= 2;
  looks_ = 0;
}

}  // namespace watch_folder
