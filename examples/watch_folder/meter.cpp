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
    : runtime_(runtime), look_(std::move(look)), thread_([this](const std::stop_token& stop) { watch(stop); }) {}

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
    history_.push_back({.at = now(),
                        .threads = stats.threads,
                        .instances = stats.instances,
                        .process_threads = process_threads().size()});
    look_(history_.back());
    constexpr std::size_t history_max = 10'000;
    if (history_.size() >= history_max) halve();
    stopped.wait_for(lock, stop, period_, [] { return false; });
  }
}

// A host may watch for months: half as many moments, twice as far apart; of two the higher counts.
void meter::halve() {
  std::vector<moment> fewer;
  for (std::size_t i = 0; i + 1 < history_.size(); i += 2) {
    const moment& a = history_[i];
    const moment& b = history_[i + 1];
    fewer.push_back({.at = a.at,
                     .threads = std::max(a.threads, b.threads),
                     .instances = std::max(a.instances, b.instances),
                     .process_threads = std::max(a.process_threads, b.process_threads)});
  }
  history_ = std::move(fewer);
  period_ *= 2;
}

}  // namespace watch_folder
