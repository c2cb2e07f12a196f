// SPDX-License-Identifier: MIT
#pragma once

// The sixty lines that one would write otherwise: a map of functions behind a shared mutex, a queue behind a mutex, and
// threads. No bounds, no retries, no deadline, no report, never fewer threads.

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace bench {

template <class Argument>
class diy {
 public:
  using function = std::function<void(const Argument&)>;

  explicit diy(unsigned workers) {
    for (unsigned i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
  }
  diy(const diy&) = delete;
  diy& operator=(const diy&) = delete;
  ~diy() {
    {
      const std::lock_guard lock(queue_mutex_);
      stopping_ = true;
    }
    wakeup_.notify_all();
    for (auto& each : threads_) each.join();
  }
  void define(const std::string& name, function handler) {
    const std::unique_lock lock(functions_mutex_);
    functions_[name] = std::move(handler);
  }
  void invoke(const std::string& name, const Argument& argument) { find(name)(argument); }
  void post(const std::string& name, Argument argument) { push({&find(name), std::move(argument), nullptr}); }
  std::future<void> submit(const std::string& name, Argument argument) {
    auto done = std::make_unique<std::promise<void>>();
    auto answer = done->get_future();
    push({&find(name), std::move(argument), std::move(done)});
    return answer;
  }

 private:
  struct task {
    const function* run;
    Argument argument;
    std::unique_ptr<std::promise<void>> done;
  };
  // Functions are never taken out, so a reference stays good without the lock.
  const function& find(const std::string& name) {
    const std::shared_lock lock(functions_mutex_);
    return functions_.at(name);
  }
  void push(task next) {
    {
      const std::lock_guard lock(queue_mutex_);
      queue_.push_back(std::move(next));
    }
    wakeup_.notify_one();
  }
  void work() {
    for (std::unique_lock lock(queue_mutex_);;) {
      wakeup_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      const task next = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      (*next.run)(next.argument);
      if (next.done) next.done->set_value();
      lock.lock();
    }
  }

  std::shared_mutex functions_mutex_;
  std::unordered_map<std::string, function> functions_;
  std::mutex queue_mutex_;
  std::condition_variable wakeup_;
  std::deque<task> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

// What such a program would pass around.
struct diy_event {
  std::string id;
  std::string type;
  std::string data;
};

}  // namespace bench
